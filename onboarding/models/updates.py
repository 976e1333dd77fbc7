"""Changes to an account that is open: what was asked, and how far it is."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from onboarding.models.accounts import ProviderAccount
from onboarding.models.owners import Owner
from portal import clock, ids
from portal.sealed import SealedJSONField
from portal.states import Stateful


class AccountUpdate(Stateful):
    """One request to change details of an account. Our rows change only when the provider has taken it.

    The provider is sent the complete data set with only the changes (seed 000). At most one is under way per account:
    two that overtake each other would undo one another.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waits for agreements"
        CHECKING = "checking", "Being compared"
        HELD = "held", "Looked at by us"
        SENDING = "sending", "On its way"
        IN_REVIEW = "in_review", "Being checked by the provider"
        APPLIED = "applied", "Done"
        REFUSED = "refused", "Not accepted"
        WITHDRAWN = "withdrawn", "Withdrawn"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.WAITING: frozenset({Status.CHECKING, Status.WITHDRAWN}),
        # Straight to applied where staff take over what the provider holds already.
        Status.CHECKING: frozenset({Status.HELD, Status.SENDING, Status.APPLIED, Status.REFUSED}),
        Status.HELD: frozenset({Status.SENDING, Status.REFUSED}),
        Status.SENDING: frozenset({Status.IN_REVIEW, Status.APPLIED, Status.REFUSED}),
        Status.IN_REVIEW: frozenset({Status.APPLIED, Status.REFUSED}),
        Status.APPLIED: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
    }
    UNDER_WAY: ClassVar[frozenset[str]] = frozenset(
        {Status.WAITING, Status.CHECKING, Status.HELD, Status.SENDING, Status.IN_REVIEW}
    )

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    account = models.ForeignKey(ProviderAccount, on_delete=models.PROTECT, related_name="updates")
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CHECKING)
    #: [{"owner": id or null, "step": name, "answers": {...}}], the answers in the form that steps keep.
    changes = SealedJSONField()
    #: Labels of the questions whose answers change, for lists; no answers.
    labels = ArrayField(models.CharField(max_length=100), default=list)
    requested_by = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    #: The owner who asked for it of their own part, which nobody but they and staff see; empty otherwise.
    of_owner = models.ForeignKey(Owner, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    #: What the provider complained about: {code, field} per complaint, without values.
    corrections = models.JSONField(default=list)
    #: Wire paths that stopped it: they would be blanked, or differ at the provider.
    stopped_by = models.JSONField(default=list)
    #: What ours, what was sent last and the provider's copy say where they differ, as read before sending:
    #: [{"path", "ours", "sent", "theirs", "asked"}].
    comparison = SealedJSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account"],
                name="account_update_one_under_way",
                condition=Q(status__in=["waiting", "checking", "held", "sending", "in_review"]),
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "waiting",
                        "checking",
                        "held",
                        "sending",
                        "in_review",
                        "applied",
                        "refused",
                        "withdrawn",
                    ]
                ),
                name="account_update_status_known",
            ),
        ]

    def __str__(self) -> str:
        return f"update {str(self.pk)[-8:]}"
