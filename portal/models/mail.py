"""Mail as rows: written with the change that causes it, delivered by a task."""

from django.db import models

from portal import clock, ids
from portal.sealed import SealedJSONField


class MailMessage(models.Model):
    """One message to one person. The content is sealed: it holds links that sign people in."""

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENT = "sent", "Sent"
        KEPT = "kept", "Kept here"
        FAILED = "failed", "Failed"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    content = SealedJSONField(mask="none")
    #: Keyed hash of the address it goes to, so that a person's mails are found without opening them all.
    to_index = models.CharField(max_length=64, blank=True, editable=False, db_default="", default="")
    subject = models.CharField(max_length=200)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    attempts = models.PositiveIntegerField(default=0)
    next_attempt_at = models.DateTimeField(default=clock.now)
    problem = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(default=clock.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_attempt_at"], name="mail_due", condition=models.Q(state="queued")),
            models.Index(fields=["-created_at"], name="mail_newest"),
            models.Index(fields=["to_index"], name="mail_to", condition=~models.Q(to_index="")),
        ]

    def __str__(self) -> str:
        return f"{self.subject} ({self.state})"
