"""Accounts at the provider: our state, and the provider's own words beside it."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models
from django.db.models import Q

from onboarding.models.applications import Application
from portal import clock, ids
from portal.errors import IllegalMove
from portal.models.status import StatusChange
from portal.states import Stateful

if TYPE_CHECKING:
    from portal.models import User


class ProviderAccount(Stateful):
    """The account an application leads to. It exists from submission on; its status follows the provider's events."""

    class Status(models.TextChoices):
        PENDING = "pending", "Pending"
        UNDER_REVIEW = "under_review", "Under review"
        DOCUMENTS_NEEDED = "documents_needed", "Documents needed"
        ACTIVE = "active", "Active"
        INACTIVE = "inactive", "Not opened"
        SUSPENDED = "suspended", "Suspended"
        LIQUIDATE_ONLY = "liquidate_only", "Sell and withdraw only"
        CLOSED = "closed", "Closed"

    _HEARD: ClassVar[frozenset[str]] = frozenset(
        {
            Status.UNDER_REVIEW,
            Status.DOCUMENTS_NEEDED,
            Status.ACTIVE,
            Status.INACTIVE,
            Status.SUSPENDED,
            Status.LIQUIDATE_ONLY,
            Status.CLOSED,
        }
    )
    # The provider publishes no transitions: any state may follow any other (contract 7.2). Two rules are ours:
    # nothing returns to pending, and what happens after closing is for a person.
    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.PENDING: _HEARD,
        Status.UNDER_REVIEW: _HEARD - {Status.UNDER_REVIEW},
        Status.DOCUMENTS_NEEDED: _HEARD - {Status.DOCUMENTS_NEEDED},
        Status.ACTIVE: _HEARD - {Status.ACTIVE},
        Status.INACTIVE: _HEARD - {Status.INACTIVE},
        Status.SUSPENDED: _HEARD - {Status.SUSPENDED},
        Status.LIQUIDATE_ONLY: _HEARD - {Status.LIQUIDATE_ONLY},
        Status.CLOSED: frozenset(),
    }
    # No reading of the provider's record tells a lifted restriction from a late word: a person looks first.
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset({(Status.LIQUIDATE_ONLY, Status.ACTIVE)})

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    application = models.OneToOneField(Application, on_delete=models.PROTECT, related_name="account")
    provider = models.CharField(max_length=16, default="bakkt")
    #: Our key of the account at the provider, the same for accounts and parties (contract 2); never changes.
    client_account_id = models.CharField(max_length=32, unique=True)
    provider_id = models.CharField(max_length=64, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices, default=Status.PENDING)
    #: The provider's own words, verbatim, and when they reached us.
    party_status = models.CharField(max_length=64, blank=True)
    party_reason = models.CharField(max_length=64, blank=True)
    heard_at = models.DateTimeField(null=True, blank=True)
    can_trade = models.BooleanField(null=True)
    request_status = models.CharField(max_length=32, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    #: A word that contradicts what we know, held until a reading of the provider's record settles it.
    doubt_status = models.CharField(max_length=64, blank=True)
    doubt_reason = models.CharField(max_length=64, blank=True)
    #: While the customer waits for the account to be closed; onboarding.closures keeps it.
    closing_asked_at = models.DateTimeField(null=True, blank=True)
    #: Since when a call about it waits for a person; onboarding.given_up keeps it.
    stuck_at = models.DateTimeField(null=True, blank=True)
    #: Since when the provider is to screen its owner anew, from a shared identity check; empty once it spoke.
    rescreening_since = models.DateTimeField(null=True, blank=True)
    #: Since when we hold its money ourselves; onboarding.services.holds keeps it.
    held_at = models.DateTimeField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True)
    polls = models.PositiveIntegerField(default=0)
    #: Of companies and trusts: how many of the papers asked for are not here yet; when the provider was asked to
    #: begin its screening, which happens once; and what it said if it would not.
    papers_missing = models.PositiveSmallIntegerField(null=True, blank=True)
    kyb_asked_at = models.DateTimeField(null=True, blank=True)
    kyb_problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        verbose_name = "account"
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "pending",
                        "under_review",
                        "documents_needed",
                        "active",
                        "inactive",
                        "suspended",
                        "liquidate_only",
                        "closed",
                    ]
                ),
                name="account_status_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["next_poll_at"], name="account_poll_due", condition=Q(next_poll_at__isnull=False)
            ),
            models.Index(fields=["provider_id"], name="account_provider_id", condition=~Q(provider_id="")),
        ]

    def __str__(self) -> str:
        return f"account {self.client_account_id}"

    @property
    def sell_only_stands(self) -> bool:
        """Whether "sell and withdraw only" was said and no person has lifted it, whatever was said after it."""
        mine = StatusChange.objects.filter(subject_type=self._meta.label_lower, subject_id=self.pk)
        last = mine.filter(new__in=[self.Status.LIQUIDATE_ONLY, self.Status.ACTIVE]).order_by("-at", "-pk")
        return last.values_list("new", flat=True).first() == self.Status.LIQUIDATE_ONLY

    def move_to(self, new: str, *, actor: "User | None", reason: str = "", source: str = "") -> None:
        """As every move; a restriction is not got round by way of another status either."""
        if new == self.Status.ACTIVE and actor is None and self.sell_only_stands:
            raise IllegalMove("Only a person can lift that this account may only sell and withdraw.")
        super().move_to(new, actor=actor, reason=reason, source=source)
