"""Seals over the audit trail: batches of entries under a keyed digest, each chained to the one before.

Sealing in batches keeps the site from queueing on one chain head (docs/decisions/0003-audit-seals.md). The
digest is keyed (settings.AUDIT_KEYS: the first key seals, each seal names its key, all can check), so write
access to the database alone does not forge it; each seal is also logged, so that cutting off the newest ones
shows against the log.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, Max, Min, OuterRef, QuerySet

from portal import clock
from portal.keyring import parse_ring
from portal.models.audit import AuditEntry, AuditSeal, AuditSealedEntry

log = structlog.get_logger(__name__)

SEAL_LOCK = 0x5EA1
BATCH = 5000
#: An entry is sealed within seconds; one still open after this long was slipped in or the sealer is down.
SEAL_WITHIN = timedelta(minutes=10)
#: How far back committed but unsealed entries are looked for: longer than any transaction of ours lasts.
LOOK_BACK = timedelta(days=1)


def entry_facts(entry: AuditEntry) -> dict[str, Any]:
    """What of an entry is under its seal, as JSON keeps it."""
    return {
        "id": str(entry.pk),
        "at": entry.at.isoformat(),
        "actor": str(entry.actor_id or ""),
        "actor_label": entry.actor_label,
        "action": entry.action,
        "subject_type": entry.subject_type,
        "subject_id": str(entry.subject_id or ""),
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "source": entry.source,
        "ip": entry.ip,
        "request_id": entry.request_id,
    }


def entry_digest(entry: AuditEntry) -> str:
    """SHA-256 of what is under the seal; an examiner's program computes the same from an exported entry."""
    canonical = json.dumps(entry_facts(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def audit_keys() -> dict[str, bytes]:
    """The keys by the id a seal names; "" stands for the one key of the seals made before keys had ids."""
    old = {"": settings.AUDIT_KEY.encode()} if settings.AUDIT_KEY else {}
    return parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS") | old


def seal_digest(key: bytes, previous: str, seq: int, at: datetime, entry_digests: list[str]) -> str:
    """The keyed digest of a seal: over the seal before, its number, its moment and its list."""
    facts = json.dumps([previous, seq, at.isoformat(), entry_digests], separators=(",", ":"))
    return hmac.new(key, facts.encode(), hashlib.sha256).hexdigest()


def unsealed(since: datetime | None) -> QuerySet[AuditEntry]:
    """Entries that no seal holds; `since` a moment, or all."""
    places = AuditSealedEntry.objects.filter(entry_id=OuterRef("pk"))
    open_entries = AuditEntry.objects.filter(~Exists(places))
    return open_entries if since is None else open_entries.filter(at__gte=since)


def seal_pending() -> int:
    """Seal what is committed and not yet sealed; returns how many entries. One sealer works at a time.

    Entries are found by their missing place in a seal, not by a mark of time: one that commits late, with an
    earlier moment than entries already sealed, is taken by the next run.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEAL_LOCK])
        if not cursor.fetchone()[0]:
            return 0
        last = AuditSeal.objects.order_by("-seq").first()
        since = last.at - LOOK_BACK if last else None
        entries = list(unsealed(since).order_by("at", "id")[:BATCH])
        if not entries:
            return 0
        digests = [entry_digest(entry) for entry in entries]
        seq, previous, moment = (last.seq + 1 if last else 1), (last.digest if last else ""), clock.now()
        key_id, key = next(iter(audit_keys().items()))
        seal = AuditSeal.objects.create(
            seq=seq,
            at=moment,
            count=len(entries),
            previous_digest=previous,
            digest=seal_digest(key, previous, seq, moment, digests),
            key_id=key_id,
        )
        AuditSealedEntry.objects.bulk_create(
            AuditSealedEntry(entry_id=entry.pk, seal=seal, position=place, digest=digest)
            for place, (entry, digest) in enumerate(zip(entries, digests, strict=True))
        )
    log.info("audit_sealed", seal=seal.seq, entries=seal.count, digest=seal.digest, made_under=key_id)
    return len(entries)


@dataclass(frozen=True)
class KeyUse:
    """Which seals were made under a key; `key_id` is "" for the key from before keys had ids."""

    key_id: str
    first: int
    last: int


def keys_used() -> list[KeyUse]:
    """The keys the trail is sealed under, in the order they came into use."""
    found = AuditSeal.objects.values_list("key_id").annotate(Min("seq"), Max("seq"))
    return sorted((KeyUse(*row) for row in found.order_by()), key=lambda use: use.first)
