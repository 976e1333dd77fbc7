"""Files that are to be deleted."""

from django.db import models

from portal import clock


class DiscardedFile(models.Model):
    """A file in the storage of papers whose row is gone; it is deleted, and then this row."""

    path = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="discarded_file_oldest")]

    def __str__(self) -> str:
        return f"file {self.pk}"
