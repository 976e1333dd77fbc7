"""How much may be moved: per transfer, day and thirty days, by rail, direction and who asks."""

from django.db import models
from django.db.models import Q

from onboarding.models import ProviderAccount
from portal import clock, ids


class TransferLimit(models.Model):
    """One rule. That of an account, where there is one, stands in place of that for everyone.

    A customer's transfer above a limit is refused; a transfer asked for by staff above `second_person_minor` waits for
    a second person. All amounts are US cents; empty means no such limit.
    """

    class Asker(models.TextChoices):
        CUSTOMER = "customer", "Customer"
        STAFF = "staff", "Staff"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(
        ProviderAccount, null=True, blank=True, on_delete=models.PROTECT, related_name="limits"
    )
    asker = models.CharField(max_length=8, choices=Asker.choices)
    rail = models.CharField(max_length=4, choices=[("ach", "ACH"), ("wire", "Wire")])
    direction = models.CharField(
        max_length=10, choices=[("deposit", "Deposit"), ("withdrawal", "Withdrawal")]
    )
    least_minor = models.BigIntegerField(default=0)
    single_minor = models.BigIntegerField(null=True, blank=True)
    day_minor = models.BigIntegerField(null=True, blank=True)
    month_minor = models.BigIntegerField(null=True, blank=True)
    #: Above this the customer confirms with a second factor; staff's waits for a second person.
    second_factor_minor = models.BigIntegerField(null=True, blank=True)
    second_person_minor = models.BigIntegerField(null=True, blank=True)
    changed_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "transfer limit"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "asker", "rail", "direction"],
                name="transfer_limit_one",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(least_minor__gte=0), name="transfer_limit_least_positive"),
        ]

    def __str__(self) -> str:
        return (
            f"{self.get_rail_display()} {self.get_direction_display()} by {self.get_asker_display()}".lower()
        )
