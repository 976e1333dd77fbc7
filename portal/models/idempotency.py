"""Requests of mobile clients that carried an Idempotency-Key, with the answer to repeat."""

from django.db import models

from portal import clock, ids


class IdempotentRequest(models.Model):
    """One key of one user for one operation: same body repeats the answer, another body is refused."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    user = models.ForeignKey("portal.User", on_delete=models.PROTECT, related_name="+")
    operation = models.CharField(max_length=64)
    key = models.CharField(max_length=200)
    body_digest = models.CharField(max_length=64)
    status_code = models.PositiveSmallIntegerField(null=True)
    answer = models.JSONField(null=True)
    created_at = models.DateTimeField(default=clock.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "operation", "key"], name="idempotent_request_once")
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.status_code}"
