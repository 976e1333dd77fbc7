"""The audit trail. A database trigger refuses every change to these three tables."""

from django.db import models
from django.db.models.fields.json import KeyTextTransform

from portal import clock, ids


class AuditEntry(models.Model):
    """One fact: who did what to which thing, from where, with masked values before and after."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    at = models.DateTimeField(default=clock.now)
    actor = models.ForeignKey("portal.User", null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=260, blank=True)
    action = models.CharField(max_length=64)
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.UUIDField(null=True)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    source = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="audit_subject"),
            models.Index(fields=["actor", "-at"], name="audit_actor"),
            models.Index(fields=["action", "-at"], name="audit_action"),
            models.Index(fields=["-at"], name="audit_newest"),
            models.Index(fields=["source", "-at"], name="audit_source"),
            models.Index(fields=["ip", "-at"], name="audit_ip", condition=~models.Q(ip="")),
            models.Index(
                fields=["request_id", "-at"], name="audit_request", condition=~models.Q(request_id="")
            ),
            models.Index(
                KeyTextTransform("device", "after"),
                models.F("at").desc(),
                name="audit_device",
                condition=models.Q(action="auth.login"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor_label or 'system'}"


class AuditSeal(models.Model):
    """A batch of entries made tamper-evident: a keyed digest over them and over the seal before."""

    seq = models.PositiveBigIntegerField(primary_key=True)
    at = models.DateTimeField(default=clock.now)
    count = models.PositiveIntegerField()
    previous_digest = models.CharField(max_length=64, blank=True)
    digest = models.CharField(max_length=64)
    #: Which of AUDIT_KEYS made it; "" for those made before keys had ids, under AUDIT_KEY.
    key_id = models.CharField(max_length=16, blank=True, default="", db_default="")

    def __str__(self) -> str:
        return f"seal {self.seq}"


class AuditSealedEntry(models.Model):
    """Which entry stands at which place of which seal. It outlives a removed entry, so the gap shows."""

    entry_id = models.UUIDField(primary_key=True)
    seal = models.ForeignKey(AuditSeal, on_delete=models.PROTECT, related_name="entries")
    position = models.PositiveIntegerField()
    #: SHA-256 of the entry as it was sealed, so that a broken seal says which of its entries was edited.
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["seal", "position"], name="audit_sealed_place")]

    def __str__(self) -> str:
        return f"seal {self.seal_id} place {self.position}"
