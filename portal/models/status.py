"""The record of every status change in the house."""

from django.db import models

from portal import clock, ids


class StatusChange(models.Model):
    """One move of one row, written in the transaction of the move and never edited."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.UUIDField()
    old = models.CharField(max_length=32)
    new = models.CharField(max_length=32)
    actor = models.ForeignKey(
        "portal.User", null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.CharField(max_length=300, blank=True)
    source = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = [models.Index(fields=["subject_type", "subject_id", "at"], name="status_change_subject")]

    def __str__(self) -> str:
        return f"{self.subject_type} {self.old} -> {self.new}"
