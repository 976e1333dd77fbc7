"""What a customer typed and looks at before it is asked for."""

from django.db import models
from django.db.models import Q

from funding.models.transfers import Transfer, WireRecipient
from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.money import Money


class TransferDraft(models.Model):
    """One order on its review page; its key is spent by the transfer it becomes.

    The same order typed on another page or device while it is open is the same draft, so it becomes one transfer
    wherever it is sent from.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="transfer_drafts")
    user = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    direction = models.CharField(max_length=10, choices=Transfer.Direction.choices)
    rail = models.CharField(max_length=4, choices=Transfer.Rail.choices)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, default="USD")
    recipient = models.ForeignKey(
        WireRecipient, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    transfer = models.OneToOneField(
        Transfer, null=True, blank=True, on_delete=models.PROTECT, related_name="draft"
    )
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="transfer_draft_amount_positive"),
            models.UniqueConstraint(
                fields=["account", "user", "direction", "rail", "amount_minor", "currency", "recipient"],
                name="transfer_draft_one_open",
                condition=Q(transfer=None),
                nulls_distinct=False,
            ),
        ]

    def __str__(self) -> str:
        return f"draft of a {self.direction}"

    @property
    def amount(self) -> Money:
        """The amount, positive; `direction` says which way."""
        return Money(self.amount_minor, self.currency)
