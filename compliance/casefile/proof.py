"""The audit entries of a case, with what shows offline that none was changed: the seals and their lists.

A seal's own digest is made under a secret key, so whoever checks offline cannot make it again. They see that each
entry has the digest that stands at its place in the seal's list; that the portal found the seals right when it
wrote the file, it says in the manifest, which it signs.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Q

from portal.audit_seals import entry_digest, entry_facts, seal_pending
from portal.audit_walk import digest_problem
from portal.models import AuditEntry, AuditSeal, AuditSealedEntry

#: How often it is sealed before the entries are read: a long trail is sealed some thousand entries at a time.
MOST_ROUNDS = 20


@dataclass(frozen=True)
class Proof:
    """`document` is the file's content; `problems` are what the portal itself found wrong."""

    document: dict[str, Any]
    entries: list[AuditEntry]
    problems: list[str]


def seal_now() -> None:
    """Seal what is not sealed yet, so that the newest entries are proved as well."""
    for _ in range(MOST_ROUNDS):
        if not seal_pending():
            return


def proof(subjects: Iterable[tuple[str, UUID]]) -> Proof:
    """The entries about these subjects in the order of their seals, and those seals. Four queries."""
    by_type: dict[str, set[UUID]] = {}
    for kind, key in subjects:
        by_type.setdefault(kind, set()).add(key)
    about = Q(pk__in=[])
    for kind, keys in by_type.items():
        about |= Q(subject_type=kind, subject_id__in=sorted(keys))
    entries = {entry.pk: entry for entry in AuditEntry.objects.filter(about)}
    places = {place.entry_id: place for place in AuditSealedEntry.objects.filter(entry_id__in=list(entries))}
    numbers = sorted({place.seal_id for place in places.values()})
    listed: dict[int, list[str]] = {number: [] for number in numbers}
    rows = AuditSealedEntry.objects.filter(seal__in=numbers).order_by("seal", "position")
    for number, digest in rows.values_list("seal", "digest"):
        listed[number].append(digest)
    problems: list[str] = []
    seals = []
    for seal in AuditSeal.objects.filter(seq__in=numbers).order_by("seq"):
        wrong = digest_problem(seal, listed[seal.seq])
        problems += [wrong] if wrong else []
        ours = sorted(place.position for place in places.values() if place.seal_id == seal.seq)
        seals.append(_seal(seal, listed[seal.seq], ours))
    ordered = sorted(entries.values(), key=lambda entry: _order(entry, places))
    for entry in ordered:
        if entry.pk in places and entry_digest(entry) != places[entry.pk].digest:
            problems.append(f"Entry {entry.pk} was edited after it was sealed.")
    document = {"entries": [_entry(entry, places.get(entry.pk)) for entry in ordered], "seals": seals}
    return Proof(document, ordered, problems)


def newest_seal() -> dict[str, Any] | None:
    """The newest seal's number and digest: `manage.py audit_verify --anchor` says whether it is still there."""
    seal = AuditSeal.objects.order_by("-seq").first()
    return {"number": seal.seq, "digest": seal.digest} if seal else None


def _order(entry: AuditEntry, places: dict[UUID, AuditSealedEntry]) -> tuple[bool, int, int, str]:
    """By seal and place; what is too new to be sealed comes last, by its moment."""
    place = places.get(entry.pk)
    return (False, place.seal_id, place.position, "") if place else (True, 0, 0, entry.at.isoformat())


def _entry(entry: AuditEntry, place: AuditSealedEntry | None) -> dict[str, Any]:
    return {
        "seal": place.seal_id if place else None,
        "place": place.position if place else None,
        "entry": entry_facts(entry),
    }


def _seal(seal: AuditSeal, listed: list[str], ours: list[int]) -> dict[str, Any]:
    return {
        "number": seal.seq,
        "at": seal.at.isoformat(),
        "key_id": seal.key_id,
        "previous_digest": seal.previous_digest,
        "digest": seal.digest,
        "entry_digests": listed,
        #: Which of the places are entries of this case; the rest of the list is other people's.
        "ours": ours,
    }
