"""Second reviews: what of the closed cases is drawn, what the first saw, and what a second person would decide."""

from typing import ClassVar

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from compliance.models.cases import Case, CaseDecision
from portal import clock, ids
from portal.sealed import SealedJSONField
from portal.states import Stateful

USUAL_PERCENT = 5


class ReviewPolicy(models.Model):
    """How much is drawn each week: the one row, made when it is first needed."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    is_the_one = models.BooleanField(default=True, unique=True)
    #: By kind; a kind that is not in it has the usual share.
    percents = models.JSONField(default=dict)
    usual_percent = models.PositiveSmallIntegerField(
        default=USUAL_PERCENT, validators=[MaxValueValidator(100)]
    )
    #: Of each person who decided that week at least so many, as far as there are any.
    per_person = models.PositiveSmallIntegerField(default=1)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(is_the_one=True), name="review_policy_is_the_one"),
            models.CheckConstraint(
                condition=Q(usual_percent__lte=100, per_person__lte=50), name="review_policy_in_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.usual_percent} %, {self.per_person} per person"

    @classmethod
    def current(cls) -> "ReviewPolicy":
        """The policy that holds."""
        found, _ = cls.objects.get_or_create(is_the_one=True)
        return found


class ReviewDraw(models.Model):
    """The drawing of one week. Seed and policy are kept, so that anybody can draw the same again."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    #: The Monday it begins with.
    week = models.DateField(unique=True)
    seed = models.CharField(max_length=64)
    percents = models.JSONField()
    usual_percent = models.PositiveSmallIntegerField()
    per_person = models.PositiveSmallIntegerField()
    pool = models.PositiveIntegerField()
    picked = models.PositiveIntegerField()
    drawn_at = models.DateTimeField(default=clock.now)

    def __str__(self) -> str:
        return f"week of {self.week}"


class SeenEvidence(models.Model):
    """What the page showed of the subject when a case was decided, masked as it was. Facts have times of their own."""

    decision = models.OneToOneField(
        CaseDecision, primary_key=True, on_delete=models.PROTECT, related_name="seen"
    )
    sections = SealedJSONField()

    def __str__(self) -> str:
        return "evidence as it was seen"


class Review(Stateful):
    """One decision that a second person decides again, without effect and without knowing the first."""

    class Status(models.TextChoices):
        WAITING = "waiting", "Waiting for a reviewer"
        TAKEN = "taken", "Being reviewed"
        AGREED = "agreed", "Agreed"
        DISAGREED = "disagreed", "Disagreed, to be talked about"
        SETTLED = "settled", "Talked about"

    class Stands(models.TextChoices):
        FIRST = "first", "The first decision stands"
        SECOND = "second", "The second would have been right"

    MOVES: ClassVar[dict[str, frozenset[str]]] = {
        Status.WAITING: frozenset({Status.TAKEN}),
        Status.TAKEN: frozenset({Status.WAITING, Status.AGREED, Status.DISAGREED}),
        Status.DISAGREED: frozenset({Status.SETTLED}),
        Status.AGREED: frozenset(),
        Status.SETTLED: frozenset(),
    }

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.WAITING)
    draw = models.ForeignKey(ReviewDraw, on_delete=models.PROTECT, related_name="reviews", db_index=False)
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reviews")
    decision = models.OneToOneField(CaseDecision, on_delete=models.PROTECT, related_name="review")
    reviewer = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    #: What the second decided.
    code = models.CharField(max_length=64, blank=True)
    reason_code = models.CharField(max_length=64, blank=True)
    text = models.TextField(max_length=4000, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    same_decision = models.BooleanField(null=True, blank=True)
    same_reason = models.BooleanField(null=True, blank=True)
    #: What a manager says of a disagreement.
    stands = models.CharField(max_length=8, choices=Stands.choices, blank=True)
    lesson = models.TextField(max_length=1000, blank=True)
    judged_by = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "taken", "agreed", "disagreed", "settled"]),
                name="review_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status="waiting") | Q(reviewer__isnull=False),
                name="review_has_reviewer",
            ),
        ]
        indexes = [
            models.Index(fields=["draw", "id"], name="review_of_draw"),
            models.Index(fields=["status", "id"], name="review_by_status"),
            models.Index(fields=["reviewed_at"], name="review_by_time"),
        ]

    def __str__(self) -> str:
        return f"review of {self.case_id}"

    @property
    def is_blind(self) -> bool:
        """Whether its reviewer must not know the first decision yet."""
        return self.status == self.Status.TAKEN

    @property
    def agrees(self) -> bool:
        """Whether the second decided the same, for the same reason."""
        return bool(self.same_decision and self.same_reason)
