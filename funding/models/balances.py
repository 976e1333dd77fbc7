"""What the provider says an account holds, with its time: a fact of theirs, beside our own ledger."""

from django.db import models

from onboarding.models import ProviderAccount
from portal import clock, ids
from portal.money import Money


class ProviderBalance(models.Model):
    """The newest reading of an account's balance in one currency (contract 5.4)."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="balances")
    currency = models.CharField(max_length=3, default="USD")
    #: Usable by the customer, and still pending at the provider's bank.
    settled_minor = models.BigIntegerField()
    unsettled_minor = models.BigIntegerField()
    read_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "balance at the provider"
        constraints = [
            models.UniqueConstraint(fields=["account", "currency"], name="provider_balance_one"),
        ]

    def __str__(self) -> str:
        return f"{self.settled} settled"

    @property
    def settled(self) -> Money:
        """What the customer may use."""
        return Money(self.settled_minor, self.currency)

    @property
    def unsettled(self) -> Money:
        """What is still pending at the provider's bank."""
        return Money(self.unsettled_minor, self.currency)
