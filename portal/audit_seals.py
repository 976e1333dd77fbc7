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
from uuid import UUID

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

# --- Sealing ------------------------------------------------------------------------------------------------


def _entry_digest(entry: AuditEntry) -> str:
    facts = {
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
    canonical = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()


def _audit_keys() -> dict[str, bytes]:
    """The keys by the id a seal names; "" stands for the one key of the seals made before keys had ids."""
    old = {"": settings.AUDIT_KEY.encode()} if settings.AUDIT_KEY else {}
    return parse_ring(settings.AUDIT_KEYS, "AUDIT_KEYS") | old


def _seal_digest(key: bytes, previous: str, seq: int, at: datetime, entry_digests: list[str]) -> str:
    facts = json.dumps([previous, seq, at.isoformat(), entry_digests], separators=(",", ":"))
    return hmac.new(key, facts.encode(), hashlib.sha256).hexdigest()


def _unsealed(since: datetime | None) -> QuerySet[AuditEntry]:
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
        entries = list(_unsealed(since).order_by("at", "id")[:BATCH])
        if not entries:
            return 0
        digests = [_entry_digest(entry) for entry in entries]
        seq, previous, moment = (last.seq + 1 if last else 1), (last.digest if last else ""), clock.now()
        key_id, key = next(iter(_audit_keys().items()))
        seal = AuditSeal.objects.create(
            seq=seq,
            at=moment,
            count=len(entries),
            previous_digest=previous,
            digest=_seal_digest(key, previous, seq, moment, digests),
            key_id=key_id,
        )
        AuditSealedEntry.objects.bulk_create(
            AuditSealedEntry(entry_id=entry.pk, seal=seal, position=place, digest=digest)
            for place, (entry, digest) in enumerate(zip(entries, digests, strict=True))
        )
    log.info("audit_sealed", seal=seal.seq, entries=seal.count, digest=seal.digest, made_under=key_id)
    return len(entries)


# --- Verifying ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Problem:
    """What is wrong with the trail, in words an examiner can follow."""

    seal: int | None
    entry: UUID | None
    text: str


def verify(anchor: tuple[int, str] | None = None) -> list[Problem]:
    """Walk every seal and every open entry; empty when nothing was removed, edited, added or reordered.

    `anchor` is a seal's number and digest kept outside the database (each is logged): it shows when the
    newest seals were cut off together with their entries, which the chain alone cannot.
    """
    problems: list[Problem] = []
    previous, expected_seq, newest = "", 1, None
    for seal in AuditSeal.objects.order_by("seq").iterator():
        if seal.seq != expected_seq:
            problems.append(Problem(seal.seq, None, f"Seals {expected_seq} to {seal.seq - 1} are missing."))
        if seal.previous_digest != previous:
            problems.append(Problem(seal.seq, None, f"Seal {seal.seq} does not follow the seal before it."))
        found, newest = _verify_seal(seal, newest)
        problems.extend(found)
        previous, expected_seq = seal.digest, seal.seq + 1
    if anchor and not AuditSeal.objects.filter(seq=anchor[0], digest=anchor[1]).exists():
        problems.append(
            Problem(
                anchor[0], None, f"Seal {anchor[0]} with the digest given is not here: removed or made anew."
            )
        )
    overdue = _unsealed(None).filter(at__lt=clock.now() - SEAL_WITHIN).order_by("at", "id")
    problems.extend(
        Problem(
            None,
            entry.pk,
            f"Entry {_name(entry)} was never sealed: added afterwards, or the sealer is down.",
        )
        for entry in overdue.iterator()
    )
    return problems


def _verify_seal(seal: AuditSeal, newest: datetime | None) -> tuple[list[Problem], datetime | None]:
    """What is wrong with one seal, and the latest moment among the entries up to it."""
    places = list(seal.entries.order_by("position"))
    entries = AuditEntry.objects.in_bulk([place.entry_id for place in places])
    problems: list[Problem] = []
    if [place.position for place in places] != list(range(seal.count)):
        problems.append(
            Problem(seal.seq, None, f"Seal {seal.seq} covers {seal.count} entries; {len(places)} are listed.")
        )
    for place in places:
        entry = entries.get(place.entry_id)
        if entry is None:
            problems.append(
                Problem(seal.seq, place.entry_id, f"Entry {place.entry_id} of seal {seal.seq} was removed.")
            )
        elif _entry_digest(entry) != place.digest:
            problems.append(
                Problem(seal.seq, entry.pk, f"Entry {_name(entry)} was edited after seal {seal.seq}.")
            )
        elif newest is not None and entry.at < newest - SEAL_WITHIN:
            # The seal before took the oldest first: this entry was not there yet, whatever moment it claims.
            problems.append(
                Problem(seal.seq, entry.pk, f"Entry {_name(entry)} was added later than the moment it bears.")
            )
    wrong = _verify_digest(seal, [place.digest for place in places])
    if wrong:
        problems.append(Problem(seal.seq, None, wrong))
    latest = [entry.at for entry in entries.values()] + ([newest] if newest else [])
    return problems, max(latest, default=None)


def _verify_digest(seal: AuditSeal, listed: list[str]) -> str:
    """What is wrong with the seal's own digest, "" when it holds."""
    key = _audit_keys().get(seal.key_id)
    if key is None:
        lost = (
            f"the key {seal.key_id}, which is not in AUDIT_KEYS"
            if seal.key_id
            else "AUDIT_KEY, which is not set"
        )
        return f"Seal {seal.seq} cannot be checked: it was made under {lost}."
    digest = _seal_digest(key, seal.previous_digest, seal.seq, seal.at, listed)
    if hmac.compare_digest(digest, seal.digest):
        return ""
    return f"Seal {seal.seq} does not match its list: entries were edited, reordered, added or removed."


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


def _name(entry: AuditEntry) -> str:
    return f"{entry.pk} ({entry.action}, {entry.at:%Y-%m-%d %H:%M} UTC)"
