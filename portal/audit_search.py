"""Reads of the audit trail: by person, action, subject, days, source, address and request.

Apps that come after us know what a reference names: they register finders and pages of subjects when they start.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from uuid import UUID

from django.core.cache import caches
from django.db import connection
from django.db.models import Q, QuerySet
from django.urls import reverse

from portal import permissions
from portal.errors import NotFound
from portal.models import AuditEntry, AuditSealedEntry, User
from portal.pages import Page

#: What stands for the portal itself in place of a person.
PORTAL = "portal"
REMEMBERED_SECONDS = 60
#: A reference names so many things at most: an application with its people, papers and account.
MOST_SUBJECTS = 500
SEPARATOR = "~"

Subject = tuple[str, UUID]
Finder = Callable[[str], Iterable[Subject]]
_finders: list[Finder] = []
_pages: dict[str, Callable[[UUID], str]] = {}


def register_finder(find: Finder) -> None:
    """Have the search ask `find` what a reference names: (subject type, key) of each thing that belongs to it."""
    _finders.append(find)


def register_page(subject_type: str, page: Callable[[UUID], str]) -> None:
    """Where a subject of that type is shown to staff; "" for one that has no page."""
    _pages[subject_type] = page


def page_of(entry: AuditEntry) -> str:
    """Where the entry's subject is shown, or ""."""
    page = _pages.get(entry.subject_type)
    return page(entry.subject_id) if page and entry.subject_id else ""


@dataclass(frozen=True)
class AuditFilter:
    """The search's filters, as they stand in the address. None of them is personal data: people and addresses
    stand there by the id of a row."""

    action: str = ""
    #: A user's id, or PORTAL for what happened by itself.
    who: str = ""
    #: A reference (case, application, account) or a subject's id.
    subject: str = ""
    since: datetime | None = None
    until: datetime | None = None
    source: str = ""
    #: The id of an entry: everything from the network address it came from.
    address_of: str = ""
    request_id: str = ""


def entries(actor: User, chosen: AuditFilter) -> QuerySet[AuditEntry]:
    """What matches. Raises Forbidden."""
    permissions.require(actor, "audit.view")
    rows = AuditEntry.objects.all()
    exact = {"action": chosen.action, "source": chosen.source, "request_id": chosen.request_id}
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if chosen.since:
        rows = rows.filter(at__gte=chosen.since)
    if chosen.until:
        rows = rows.filter(at__lt=chosen.until)
    if chosen.who:
        rows = rows.filter(_who(chosen.who))
    if chosen.subject:
        rows = rows.filter(_about(chosen.subject))
    if chosen.address_of:
        rows = rows.filter(ip__in=_address(chosen.address_of))
    return rows


def page(
    actor: User, chosen: AuditFilter, *, after: str = "", before: str = "", size: int = 50
) -> Page[AuditEntry]:
    """One page of what matches, newest first, paged by moment and id on an index; never counted. Raises Forbidden.

    A cursor that this did not write is read as none, so that an old bookmark shows the first page.
    """
    rows = entries(actor, chosen)
    follows, precedes = _place(after), _place(before)
    if precedes is not None:
        found = list(rows.filter(_beyond(precedes, newer=True)).order_by("at", "pk")[: size + 1])
        is_more, found = len(found) > size, found[:size][::-1]
        return Page(
            found, newer=_cursor(found[0]) if is_more else "", older=_cursor(found[-1]) if found else ""
        )
    found = list(_older(rows, follows)[: size + 1])
    is_more, found = len(found) > size, found[:size]
    return Page(
        found,
        newer=_cursor(found[0]) if follows is not None and found else "",
        older=_cursor(found[-1]) if is_more else "",
    )


def each(rows: QuerySet[AuditEntry], most: int, chunk: int = 2000) -> Iterator[AuditEntry]:
    """The newest `most` of them, newest first, read in chunks by key: no statement is open while a file is sent."""
    place: tuple[datetime, UUID] | None = None
    given = 0
    while given < most:
        found = list(_older(rows, place)[: min(chunk, most - given)])
        yield from found
        given += len(found)
        if len(found) < chunk:
            return
        place = (found[-1].at, found[-1].pk)


def entry(actor: User, entry_id: UUID) -> AuditEntry:
    """One entry. Raises Forbidden or NotFound."""
    permissions.require(actor, "audit.view")
    found = AuditEntry.objects.filter(pk=entry_id).first()
    if found is None:
        raise NotFound("There is no such entry.")
    return found


def seal_place(found: AuditEntry) -> AuditSealedEntry | None:
    """Where it stands under which seal; None while it is too new."""
    return AuditSealedEntry.objects.select_related("seal").filter(entry_id=found.pk).first()


def by_what_was_typed(actor: User, text: str) -> dict[str, str]:
    """The filters that a person's words amount to; empty when the trail knows nothing of them. Raises Forbidden.

    An e-mail address becomes the person's id and a network address the id of an entry from there, so that neither
    comes into an address of ours.
    """
    permissions.require(actor, "audit.view")
    text = text.strip()
    if "@" in text:
        person = User.objects.filter(email__iexact=text).first()
        return {"who": str(person.pk)} if person else {}
    try:
        address = str(ip_address(text))
    except ValueError:
        pass
    else:
        newest = AuditEntry.objects.filter(ip=address).order_by("-at").first()
        return {"address": str(newest.pk)} if newest else {}
    if AuditEntry.objects.filter(request_id=text[:64]).exists():
        return {"request": text}
    return {"subject": text} if subjects_named(text) else {}


def subjects_named(text: str) -> list[Subject]:
    """What a reference names to any app; for an id, what the trail itself knows by it."""
    return list(dict.fromkeys(named for find in _finders for named in find(text.strip())))[:MOST_SUBJECTS]


def _by_id(text: str) -> list[Subject]:
    """An id as it is copied from an entry: the types it is known under."""
    try:
        key = UUID(text)
    except ValueError:
        return []
    types = values("subject_type")
    rows = AuditEntry.objects.filter(subject_type__in=types, subject_id=key)
    return [(kind, key) for kind in rows.values_list("subject_type", flat=True).distinct()]


register_finder(_by_id)
register_page("portal.user", lambda key: reverse("users:detail", args=[key]) if _is_staff(key) else "")
register_page("portal.outboundcall", lambda key: reverse("operations:call", args=[key]))


def _is_staff(key: UUID) -> bool:
    return people().filter(pk=key).exists()


def values(column: str) -> list[str]:
    """Every value of an indexed column (action, source, subject_type), in order; remembered for a minute.

    One step along the index for each value, whatever the number of entries.
    """
    known = caches["local"].get(f"audit_{column}")
    if known is None:
        name = {"action": "action", "source": "source", "subject_type": "subject_type"}[column]
        with connection.cursor() as cursor:
            cursor.execute(_VALUES.format(name))
            known = [row[0] for row in cursor.fetchall() if row[0]]
        caches["local"].set(f"audit_{column}", known, REMEMBERED_SECONDS)
    return list(known)


_VALUES = """
WITH RECURSIVE found AS (
 (SELECT {0} AS value FROM portal_auditentry ORDER BY {0} LIMIT 1)
 UNION ALL
 SELECT (SELECT {0} FROM portal_auditentry WHERE {0} > found.value ORDER BY {0} LIMIT 1) FROM found
 WHERE found.value IS NOT NULL
) SELECT value FROM found WHERE value IS NOT NULL"""


def people() -> QuerySet[User]:
    """Staff, by name: the people to choose from."""
    return User.objects.exclude(role="customer").order_by("name", "pk")


def _who(word: str) -> Q:
    if word == PORTAL:
        return Q(actor__isnull=True)
    key = as_id(word)
    return Q(actor=key) if key else Q(pk__in=[])


def _about(text: str) -> Q:
    by_type: dict[str, list[UUID]] = {}
    for kind, key in subjects_named(text):
        by_type.setdefault(kind, []).append(key)
    found = Q(pk__in=[])
    for kind, keys in by_type.items():
        found |= Q(subject_type=kind, subject_id__in=keys)
    return found


def _address(entry_id: str) -> list[str]:
    key = as_id(entry_id)
    found = AuditEntry.objects.filter(pk=key).exclude(ip="").values_list("ip", flat=True) if key else ()
    return list(found)


def as_id(text: str) -> UUID | None:
    """The id that a text is, or None."""
    try:
        return UUID(text)
    except ValueError:
        return None


def _older(rows: QuerySet[AuditEntry], place: tuple[datetime, UUID] | None) -> QuerySet[AuditEntry]:
    return (rows if place is None else rows.filter(_beyond(place, newer=False))).order_by("-at", "-pk")


def _beyond(place: tuple[datetime, UUID], *, newer: bool) -> Q:
    """The first half is what an index is entered by; the second leaves out what lies before within one moment."""
    way, (at, key) = ("gt" if newer else "lt"), place
    return Q(**{f"at__{way}e": at}) & (Q(**{f"at__{way}": at}) | Q(**{f"pk__{way}": key}))


def _cursor(row: AuditEntry) -> str:
    return f"{row.at.astimezone(UTC).isoformat()}{SEPARATOR}{row.pk}"


def _place(cursor: str) -> tuple[datetime, UUID] | None:
    moment, separator, key = cursor.rpartition(SEPARATOR)
    try:
        at = datetime.fromisoformat(moment)
        return (at, UUID(key)) if separator and at.tzinfo else None
    except ValueError:
        return None
