"""Rows of the platform."""

from portal.models.audit import AuditEntry, AuditSeal, AuditSealedEntry
from portal.models.audit_check import AuditCheck
from portal.models.heartbeat import Heartbeat, WorkerHeartbeat
from portal.models.idempotency import IdempotentRequest
from portal.models.mail import MailMessage
from portal.models.outbox import OutboundCall
from portal.models.reveals import Reveal, RevealDigest
from portal.models.status import StatusChange
from portal.models.users import Role, User

__all__ = [
    "AuditCheck",
    "AuditEntry",
    "AuditSeal",
    "AuditSealedEntry",
    "Heartbeat",
    "IdempotentRequest",
    "MailMessage",
    "OutboundCall",
    "Reveal",
    "RevealDigest",
    "Role",
    "StatusChange",
    "User",
    "WorkerHeartbeat",
]
