"""Our own hold on an account: nothing goes in or out, whatever the provider allows."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from onboarding.models.accounts import ProviderAccount
from portal import clock, ids
from portal.sealed import SealedTextField
from portal.states import Stateful


class AccountHold(Stateful):
    """One reason to stop an account's money, put and released by a person. One standing per account and cause."""

    class Status(models.TextChoices):
        STANDING = "standing", "Stands"
        RELEASED = "released", "Released"

    class Cause(models.TextChoices):
        SANCTIONS = "sanctions", "Sanctions list"
        IDENTITY = "identity", "Identity in doubt"
        PROVIDER = "provider", "Restricted by the provider"
        RETURNS = "returns", "Returned bank transfers"
        UNUSUAL = "unusual", "Unusual activity"
        CUSTOMER = "customer", "At the customer's wish"
        OTHER = "other", "Another reason"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.STANDING: frozenset({Status.RELEASED}),
        Status.RELEASED: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset({(Status.STANDING, Status.RELEASED)})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="holds")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.STANDING)
    cause = models.CharField(max_length=12, choices=Cause.choices)
    #: For colleagues alone, in words of their own; may name people and numbers.
    why = SealedTextField(mask="none")
    put_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    put_at = models.DateTimeField(default=clock.now, editable=False)
    #: The case whose decision put it; empty when it was put on the account's page.
    case_reference = models.CharField(max_length=12, blank=True)
    released_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    released_why = SealedTextField(mask="none", null=True, blank=True)

    class Meta:
        verbose_name = "hold"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "cause"], name="hold_one_per_cause", condition=Q(status="standing")
            ),
            models.CheckConstraint(
                condition=Q(status__in=["standing", "released"]), name="hold_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"hold {str(self.pk)[-8:]}"
