"""What a person agreed to before their bank is debited: the text as it was shown (Nacha, WEB debit)."""

from django.db import models

from funding.models.transfers import Transfer
from portal import clock, ids


class Authorisation(models.Model):
    """The text that was shown for one transfer, who accepted it, when, and from where. Never changed."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    transfer = models.OneToOneField(Transfer, on_delete=models.PROTECT, related_name="authorisation")
    text = models.TextField()
    text_sha256 = models.CharField(max_length=64)
    accepted_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    accepted_at = models.DateTimeField(default=clock.now)
    ip = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True)
    #: "page", "api", or "staff" where the customer agreed to staff, by telephone for example.
    source = models.CharField(max_length=8)

    class Meta:
        verbose_name = "authorisation"

    def __str__(self) -> str:
        return f"authorisation {self.text_sha256[:8]}"
