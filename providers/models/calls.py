"""What the outbound transport shares between processes: the call log, tokens, circuits."""

from django.db import models

from portal import clock, ids
from portal.sealed import SealedTextField


class CallLog(models.Model):
    """One attempt of a call to a provider: what was asked of whom and what it came to, never what was
    said."""

    class Outcome(models.TextChoices):
        ANSWERED = "answered", "Answered"
        REJECTED = "rejected", "Rejected"
        NOT_FOUND = "not_found", "Not found"
        CONFLICT = "conflict", "Sent before"
        BUSY = "busy", "Asked to slow down"
        MISCONFIGURED = "misconfigured", "Not let in"
        UNKNOWN = "unknown", "Outcome unknown"
        NOT_SENT = "not_sent", "Not sent"

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    at = models.DateTimeField()
    operation = models.CharField(max_length=64)
    method = models.CharField(max_length=8)
    template = models.CharField(max_length=200)
    host = models.CharField(max_length=255)
    attempt = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=16, choices=Outcome.choices)
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=64, blank=True)
    error = models.CharField(max_length=64, blank=True)
    provider_request_id = models.CharField(max_length=100, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    duration_ms = models.PositiveIntegerField()
    bytes_out = models.PositiveIntegerField()
    bytes_in = models.PositiveIntegerField()
    subject_type = models.CharField(max_length=64, blank=True)
    subject_id = models.UUIDField(null=True, blank=True)
    outbound_call_id = models.UUIDField(null=True, blank=True)

    class Meta:
        verbose_name = "provider call"
        indexes = [
            models.Index(fields=["subject_type", "subject_id", "at"], name="call_log_subject"),
            models.Index(fields=["outbound_call_id"], name="call_log_outbound"),
            models.Index(fields=["-at", "-id"], name="call_log_list"),
        ]

    def __str__(self) -> str:
        return f"{self.operation}: {self.outcome}"


class ProviderToken(models.Model):
    """The bearer token of one log-on, shared by all processes. Its row is locked while one of them logs
    in."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    name = models.CharField(max_length=200, unique=True)
    token = SealedTextField(mask="none", null=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    obtained_at = models.DateTimeField(null=True, blank=True)
    failed_at = models.DateTimeField(null=True, blank=True)
    refused_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "provider token"

    def __str__(self) -> str:
        return self.name


class HostCircuit(models.Model):
    """Whether calls to a host are held back. Closed while `open_until` is empty."""

    id = models.UUIDField(primary_key=True, default=ids.new_id, editable=False)
    host = models.CharField(max_length=255, unique=True)
    failures = models.PositiveIntegerField(default=0)
    first_failure_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    open_until = models.DateTimeField(null=True, blank=True)
    probe_until = models.DateTimeField(null=True, blank=True)
    failed_probes = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(default=clock.now)

    class Meta:
        verbose_name = "host circuit"

    def __str__(self) -> str:
        return f"{self.host}: {'open' if self.open_until else 'closed'}"
