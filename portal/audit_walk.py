"""The walk along the audit trail that shows whether it is whole: in one go, or a stretch at a time."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from portal import clock
from portal.audit_seals import SEAL_WITHIN, audit_keys, entry_digest, seal_digest, unsealed
from portal.models.audit import AuditEntry, AuditSeal, AuditSealedEntry

#: A stretch is so many seals at most, and so many entries unless one seal has more.
STRETCH_SEALS = 500
STRETCH_ENTRIES = 5000


@dataclass(frozen=True)
class Problem:
    """What is wrong with the trail, in words an examiner can follow."""

    seal: int | None
    entry: UUID | None
    text: str


@dataclass(frozen=True)
class Place:
    """How far the walk is: the last seal looked at, its digest, and the latest moment among the entries so far."""

    seq: int = 0
    digest: str = ""
    newest: datetime | None = None


@dataclass(frozen=True)
class Stretch:
    """What a stretch of the walk found, and where it ended."""

    place: Place
    problems: list[Problem]
    entries: int
    is_last: bool


def verify(anchor: tuple[int, str] | None = None) -> list[Problem]:
    """Walk every seal and every open entry; empty when nothing was removed, edited, added or reordered.

    `anchor` is a seal's number and digest kept outside the database (each is logged): it shows when the
    newest seals were cut off together with their entries, which the chain alone cannot.
    """
    problems: list[Problem] = []
    stretch = Stretch(Place(), [], 0, is_last=False)
    while not stretch.is_last:
        stretch = walk(stretch.place)
        problems.extend(stretch.problems)
    if anchor and not AuditSeal.objects.filter(seq=anchor[0], digest=anchor[1]).exists():
        problems.append(
            Problem(
                anchor[0], None, f"Seal {anchor[0]} with the digest given is not here: removed or made anew."
            )
        )
    return problems + never_sealed()


def walk(place: Place, *, until: int | None = None) -> Stretch:
    """Look at the seals that follow `place`, a stretch of them, up to the seal numbered `until`. Three queries."""
    rows = AuditSeal.objects.filter(seq__gt=place.seq).order_by("seq")
    if until is not None:
        rows = rows.filter(seq__lte=until)
    seals = _stretch(list(rows[:STRETCH_SEALS]))
    listed: dict[int, list[AuditSealedEntry]] = {seal.seq: [] for seal in seals}
    for row in AuditSealedEntry.objects.filter(seal__in=list(listed)).order_by("seal", "position"):
        listed[row.seal_id].append(row)
    entries = AuditEntry.objects.in_bulk([row.entry_id for rows in listed.values() for row in rows])
    problems: list[Problem] = []
    previous, expected, newest = place.digest, place.seq + 1, place.newest
    for seal in seals:
        if seal.seq != expected:
            problems.append(Problem(seal.seq, None, f"Seals {expected} to {seal.seq - 1} are missing."))
        if seal.previous_digest != previous:
            problems.append(Problem(seal.seq, None, f"Seal {seal.seq} does not follow the seal before it."))
        found, newest = _seal_problems(seal, listed[seal.seq], entries, newest)
        problems.extend(found)
        previous, expected = seal.digest, seal.seq + 1
    return Stretch(Place(expected - 1, previous, newest), problems, len(entries), is_last=not seals)


def _stretch(seals: list[AuditSeal]) -> list[AuditSeal]:
    """As many of them as hold no more entries together than are kept in memory at once; one at least."""
    together = 0
    for number, seal in enumerate(seals):
        together += seal.count
        if number and together > STRETCH_ENTRIES:
            return seals[:number]
    return seals


def never_sealed() -> list[Problem]:
    """Entries that should have been sealed long ago."""
    overdue = unsealed(None).filter(at__lt=clock.now() - SEAL_WITHIN).order_by("at", "id")
    return [
        Problem(
            None,
            entry.pk,
            f"Entry {_name(entry)} was never sealed: added afterwards, or the sealer is down.",
        )
        for entry in overdue.iterator()
    ]


def _seal_problems(
    seal: AuditSeal,
    listed: list[AuditSealedEntry],
    entries: dict[UUID, AuditEntry],
    newest: datetime | None,
) -> tuple[list[Problem], datetime | None]:
    """What is wrong with one seal, and the latest moment among the entries up to it."""
    problems: list[Problem] = []
    latest = newest
    if [row.position for row in listed] != list(range(seal.count)):
        problems.append(
            Problem(seal.seq, None, f"Seal {seal.seq} covers {seal.count} entries; {len(listed)} are listed.")
        )
    for row in listed:
        entry = entries.get(row.entry_id)
        if entry is None:
            problems.append(
                Problem(seal.seq, row.entry_id, f"Entry {row.entry_id} of seal {seal.seq} was removed.")
            )
            continue
        if entry_digest(entry) != row.digest:
            problems.append(
                Problem(seal.seq, entry.pk, f"Entry {_name(entry)} was edited after seal {seal.seq}.")
            )
        elif newest is not None and entry.at < newest - SEAL_WITHIN:
            # The seal before took the oldest first: this entry was not there yet, whatever moment it claims.
            problems.append(
                Problem(seal.seq, entry.pk, f"Entry {_name(entry)} was added later than the moment it bears.")
            )
        latest = entry.at if latest is None else max(latest, entry.at)
    wrong = digest_problem(seal, [row.digest for row in listed])
    if wrong:
        problems.append(Problem(seal.seq, None, wrong))
    return problems, latest


def digest_problem(seal: AuditSeal, listed: list[str]) -> str:
    """What is wrong with the seal's own digest over the digests it lists, "" when it holds."""
    key = audit_keys().get(seal.key_id)
    if key is None:
        lost = (
            f"the key {seal.key_id}, which is not in AUDIT_KEYS"
            if seal.key_id
            else "AUDIT_KEY, which is not set"
        )
        return f"Seal {seal.seq} cannot be checked: it was made under {lost}."
    digest = seal_digest(key, seal.previous_digest, seal.seq, seal.at, listed)
    if hmac.compare_digest(digest, seal.digest):
        return ""
    return f"Seal {seal.seq} does not match its list: entries were edited, reordered, added or removed."


def _name(entry: AuditEntry) -> str:
    return f"{entry.pk} ({entry.action}, {entry.at:%Y-%m-%d %H:%M} UTC)"
