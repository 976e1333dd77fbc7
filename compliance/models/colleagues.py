"""Who looks at a case now, and whom a note tells."""

from django.db import models
from django.db.models import Q

from compliance.models.cases import Case, CaseNote
from portal import clock, ids


class CasePresence(models.Model):
    """Somebody has the case's page open. Written every few seconds while it is; old rows mean nothing.

    A table, since the usual installation has no other memory that its processes share. Nothing but the unique pair is
    indexed, so that each sign of life is an update in place.
    """

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="presences", db_index=False)
    user = models.ForeignKey("portal.User", on_delete=models.CASCADE, related_name="+", db_index=False)
    since = models.DateTimeField(default=clock.now)
    seen_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["case", "user"], name="case_presence_once")]

    def __str__(self) -> str:
        return f"since {self.since:%H:%M}"


class CaseMention(models.Model):
    """A note names somebody: they are told, and find the case by it."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    note = models.ForeignKey(CaseNote, on_delete=models.PROTECT, related_name="mentions", db_index=False)
    #: The note's, for the list of cases.
    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="mentions", db_index=False)
    person = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+", db_index=False)
    #: When they opened the case after it.
    seen_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["note", "person"], name="case_mention_once")]
        indexes = [
            models.Index(fields=["person", "case"], name="case_mention_of"),
            models.Index(fields=["person"], condition=Q(seen_at__isnull=True), name="case_mention_unseen"),
        ]

    def __str__(self) -> str:
        return f"mention in {self.note}"
