"""Decisions that a second person approves: the rules that say which, and what is proposed to them."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from compliance.models.cases import Case
from portal import clock, ids
from portal.states import Stateful

#: In the place of what a maker saw once the customer is erased. No evidence has such a line, so a proposal that still
#: waits cannot be approved upon it.
FORGOTTEN = [["What was seen is erased", ""]]


class ApprovalRule(models.Model):
    """Decisions that need a second person. One rule that matches is enough; what is empty matches anything.

    A rule is never changed, so that nothing loosens unseen: it is added at once, and removed when a second manager
    agrees to what the first asked for. All of it happens under the lock of the RuleBook.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    kind = models.CharField(max_length=64, blank=True)
    #: A decision's code; only with a kind.
    decision = models.CharField(max_length=64, blank=True)
    #: Matches this priority and what presses more.
    priority_from = models.PositiveSmallIntegerField(default=1)
    #: Matches amounts of this currency from here on.
    amount_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    added_at = models.DateTimeField(default=clock.now, editable=False)
    #: The manager who wants it gone, until another one agrees.
    removal_asked_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(priority_from__range=(1, 4)), name="approval_rule_priority_known"
            ),
            models.CheckConstraint(
                condition=Q(decision="") | ~Q(kind=""), name="approval_rule_decision_has_kind"
            ),
            models.CheckConstraint(
                condition=Q(amount_minor__isnull=True, currency="")
                | (Q(amount_minor__gt=0) & ~Q(currency="")),
                name="approval_rule_amount_has_currency",
            ),
        ]

    def __str__(self) -> str:
        return f"approval rule {str(self.pk)[-8:]}"


class Proposal(Stateful):
    """A decision as its maker made it, until a second person answers. What was proposed is never changed.

    A database trigger holds that for every column but the answer's, and of `seen_evidence` until it is forgotten.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for a second person"
        APPROVED = "approved", "Approved"
        REFUSED = "refused", "Sent back"
        WITHDRAWN = "withdrawn", "Withdrawn"
        OVERTAKEN = "overtaken", "Overtaken by news"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.WAITING: frozenset({Status.APPROVED, Status.REFUSED, Status.WITHDRAWN, Status.OVERTAKEN}),
        Status.APPROVED: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
        Status.OVERTAKEN: frozenset(),
    }
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset(
        {
            (Status.WAITING, Status.APPROVED),
            (Status.WAITING, Status.REFUSED),
            (Status.WAITING, Status.WITHDRAWN),
        }
    )

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="proposals", db_index=False)
    maker = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=64)
    #: The words as they stood then; a kind may be worded otherwise later.
    label = models.CharField(max_length=120)
    reason_code = models.CharField(max_length=64, blank=True)
    reason_label = models.CharField(max_length=200, blank=True)
    text = models.TextField(max_length=4000, blank=True)
    #: The version of the case that the maker saw.
    seen_version = models.PositiveIntegerField()
    #: A keyed digest of each line of the evidence that the maker saw, as [name, digest]: it tells what changed since.
    #: The names of lines name people, so erasure puts FORGOTTEN here.
    seen_evidence = models.JSONField(default=list)
    #: Whether a manager decided what was escalated: then a manager approves, and back it goes to managers.
    was_escalated = models.BooleanField(default=False)
    proposed_at = models.DateTimeField(default=clock.now, editable=False)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    #: The second person who approved it or sent it back.
    checker = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    #: Why it ended as it did. Shown on timelines, so no personal data.
    answer = models.CharField(max_length=300, blank=True)
    #: When the managers were told that nobody can approve it; empty while somebody can.
    nobody_told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["case"], condition=Q(status="waiting"), name="proposal_one_waits_per_case"
            ),
            models.UniqueConstraint(fields=["case", "seen_version"], name="proposal_once_per_version"),
            models.CheckConstraint(
                condition=Q(status__in=("waiting", "approved", "refused", "withdrawn", "overtaken")),
                name="proposal_status_known",
            ),
            models.CheckConstraint(
                condition=Q(checker__isnull=True) | ~Q(checker=F("maker")), name="proposal_two_people"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=("approved", "refused")) | Q(checker__isnull=False),
                name="proposal_answer_has_checker",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="waiting"), name="proposal_waiting"),
        ]

    def __str__(self) -> str:
        return self.label
