"""How an open account's trades settle, and staff changing it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from onboarding.models.accounts import ProviderAccount
from onboarding.words import SettlementMethod
from portal import clock, ids
from portal.states import Stateful


class SettlementChange(Stateful):
    """One change of the settlement method, by a call of its own (contract 4.1, row 9). One under way per account."""

    class Status(models.TextChoices):
        SENDING = "sending", "On its way"
        DONE = "done", "Done"
        REFUSED = "refused", "Not accepted"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.SENDING: frozenset({Status.DONE, Status.REFUSED}),
        Status.DONE: frozenset(),
        Status.REFUSED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="settlement_changes")
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.SENDING)
    before = models.CharField(max_length=16, choices=SettlementMethod.choices, blank=True)
    method = models.CharField(max_length=16, choices=SettlementMethod.choices)
    #: What the provider said when it would not.
    problem = models.CharField(max_length=300, blank=True)
    requested_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "change of settlement"
        constraints = [
            models.UniqueConstraint(
                fields=["account"], name="settlement_change_one_under_way", condition=Q(status="sending")
            ),
            models.CheckConstraint(
                condition=Q(status__in=["sending", "done", "refused"]), name="settlement_change_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"settlement change {str(self.pk)[-8:]}"
