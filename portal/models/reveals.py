"""Who was shown what is masked for everybody else."""

from django.db import models
from django.db.models import Q

from portal import clock, ids


class Reveal(models.Model):
    """That one person may read one value of one row for some minutes, and why. Pages ask for it as they are drawn."""

    class Relation(models.TextChoices):
        """What the reader is to the person whose value it is, as far as names and addresses tell."""

        NONE = "", "Nobody they know"
        COLLEAGUE = "colleague", "A colleague"
        SELF = "self", "Themselves"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    actor = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+", db_index=False)
    #: The field's name (portal/revealing.py) and the row's key.
    field = models.CharField(max_length=80)
    row_id = models.UUIDField()
    #: What the row belongs to, as lists name it; no personal data.
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    subject_label = models.CharField(max_length=100)
    reason = models.CharField(max_length=300)
    at = models.DateTimeField(default=clock.now, db_index=True)
    until = models.DateTimeField()
    #: Whether the reader had work with the subject then: a case, a paper to decide, an application they began.
    had_task = models.BooleanField()
    relation = models.CharField(max_length=10, choices=Relation.choices, blank=True, default="")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(relation__in=["", "colleague", "self"]), name="reveal_relation_known"
            )
        ]
        indexes = [
            models.Index(fields=["actor", "until"], name="reveal_live"),
            models.Index(fields=["actor", "-at"], name="reveal_of_person"),
        ]

    def __str__(self) -> str:
        return f"reveal {str(self.pk)[-8:]}"


class RevealDigest(models.Model):
    """That the reveals of a week were looked through and the managers told, once."""

    #: The week's Monday.
    week = models.DateField(primary_key=True)
    made_at = models.DateTimeField(default=clock.now)
    reveals = models.PositiveIntegerField()
    unusual = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"reveals of the week of {self.week}"
