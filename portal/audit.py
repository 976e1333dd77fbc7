"""The audit trail: who did what, written in the transaction of the change itself.

Entries are sealed in batches afterwards and checked by `manage.py audit_verify` (portal/audit_seals.py,
portal/audit_walk.py).
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.db import connection, models
from django.db.models import QuerySet

from portal.audit_seals import seal_pending
from portal.audit_walk import Problem, verify
from portal.composed import Written
from portal.context import current
from portal.logs import SENSITIVE_KEYS, redact_text
from portal.models.audit import AuditEntry
from portal.sealed import Sealed, SealedField

if TYPE_CHECKING:
    from portal.models import User

__all__ = [
    "AuditEntry",
    "Problem",
    "entries_for",
    "masked",
    "record",
    "record_each",
    "seal_pending",
    "verify",
]

HIDDEN = "••••"


def record(
    action: str,
    *,
    subject: models.Model | None,
    actor: "User | None" = None,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    source: str = "",
) -> AuditEntry:
    """Write one entry in the caller's transaction; ip and request id come from portal.context.

    `before` and `after` hold what the change touched. Sealed values go in as their mask; a plain value under
    a name that is sealed on the subject or known as sensitive is masked whole; what looks like a tax id, an
    e-mail or a token inside other text is cut out. A look at unmasked data is recorded too, with its reason.
    """
    entry = _entry(action, subject, actor, before, after, reason, source)
    # Most pages write one: written out, as composing it took longer than writing it.
    _INSERT(
        **{
            field.attname: field.get_db_prep_save(getattr(entry, field.attname), connection)
            for field in _COLUMNS
        }
    )
    entry._state.adding, entry._state.db = False, connection.alias
    return entry


_COLUMNS = AuditEntry._meta.concrete_fields
_INSERT = Written(
    "INSERT INTO portal_auditentry ({}) VALUES ({})".format(  # noqa: S608  the names of our own columns
        ", ".join(str(field.column) for field in _COLUMNS),
        ", ".join(f"%({field.attname})s" for field in _COLUMNS),
    )
)


def record_each(
    action: str,
    subjects: Iterable[tuple[models.Model, dict[str, Any]]],
    *,
    actor: "User | None",
    source: str,
) -> None:
    """Write one entry for each (subject, after) as `record` does, all in one statement."""
    AuditEntry.objects.bulk_create(
        _entry(action, subject, actor, None, after, "", source) for subject, after in subjects
    )


def _entry(
    action: str,
    subject: models.Model | None,
    actor: "User | None",
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
    reason: str,
    source: str,
) -> AuditEntry:
    context = current()
    sealed_names = _sealed_names(subject)
    return AuditEntry(
        action=action,
        actor=actor,
        actor_label=actor.label if actor else "",
        subject_type=subject._meta.label_lower if subject is not None else "",
        subject_id=subject.pk if subject is not None else None,
        before=_masked(before, sealed_names),
        after=_masked(after, sealed_names),
        reason=_clean(reason)[:500],
        source=source,
        ip=context.ip[:45],
        request_id=context.request_id[:64],
    )


def masked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as an entry keeps them: for evidence that is stored elsewhere."""
    return _masked(dict(values), frozenset()) or {}


def _sealed_names(subject: models.Model | None) -> frozenset[str]:
    if subject is None:
        return frozenset()
    return frozenset(field.name for field in subject._meta.concrete_fields if isinstance(field, SealedField))


def _masked(values: dict[str, Any] | None, sealed_names: frozenset[str]) -> dict[str, Any] | None:
    if values is None:
        return None
    # PostgreSQL stores no NUL, and what comes from outside may carry one in a name too.
    named = ((str(name).replace("\x00", ""), value) for name, value in values.items())
    return {name: _mask(name, value, sealed_names) for name, value in named}


def _mask(name: str, value: Any, sealed_names: frozenset[str]) -> Any:
    if isinstance(value, Sealed):
        return str(value)
    if value is None or isinstance(value, bool):
        return value
    if value and (name in sealed_names or SENSITIVE_KEYS.search(name)):
        return HIDDEN
    if isinstance(value, int):
        return value
    if isinstance(value, dict):
        return _masked(value, sealed_names)
    if isinstance(value, list | tuple):
        return [_mask("", item, sealed_names) for item in value]
    return _clean(str(value))


def _clean(text: str) -> str:
    return redact_text(text.replace("\x00", ""))  # PostgreSQL stores no NUL


def entries_for(subject: models.Model) -> QuerySet[AuditEntry]:
    """The subject's entries, oldest first."""
    return AuditEntry.objects.filter(subject_type=subject._meta.label_lower, subject_id=subject.pk).order_by(
        "at", "id"
    )
