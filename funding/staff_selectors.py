"""What staff read of transfers. Lists are paged by key on an index and never counted."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.core.cache import caches
from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from funding import permissions as mine
from funding.models import Transfer
from onboarding import selectors as onboarding
from onboarding import shut_away
from onboarding.models import Application, Owner
from portal import clock, permissions
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page
from portal.search import among

REMEMBERED_SECONDS = 15
SIZE = 50
SEPARATOR = "~"
#: How the list may be sorted: the word in the address, and the column. Newest first where none is named.
SORTS = {"at": "created_at", "amount": "amount_minor"}
#: What waits for a person of ours.
WAITS = {"held": Q(status=Transfer.Status.HELD), "stuck": Q(stuck_at__isnull=False)}
VOLUME_DAYS = 30


@dataclass(frozen=True)
class TransferFilter:
    """The list's filters, as they stand in the address. Amounts are cents."""

    text: str = ""
    status: str = ""
    direction: str = ""
    rail: str = ""
    kind: str = ""
    origin: str = ""
    code: str = ""
    waits: str = ""
    account: UUID | None = None
    amount_from: int | None = None
    amount_to: int | None = None
    since: date | None = None
    until: date | None = None
    sort: str = ""


def transfers(actor: User, chosen: TransferFilter) -> QuerySet[Transfer]:
    """The transfers that match, in no order. Raises Forbidden."""
    permissions.require(actor, mine.VIEW)
    rows = Transfer.objects.filter(account__application__customer__restricted_at=None)
    exact = {
        "status": chosen.status,
        "direction": chosen.direction,
        "rail": chosen.rail,
        "kind": chosen.kind,
        "origin": chosen.origin,
        "reason_code": chosen.code,
        "account": chosen.account,
        "amount_minor__gte": chosen.amount_from,
        "amount_minor__lte": chosen.amount_to,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value not in (None, "")})
    if chosen.waits in WAITS:
        rows = rows.filter(WAITS[chosen.waits])
    if chosen.since:
        rows = rows.filter(created_at__gte=_midnight(chosen.since))
    if chosen.until and chosen.until < onboarding.LAST_DAY:
        rows = rows.filter(created_at__lt=_midnight(chosen.until + timedelta(days=1)))
    if chosen.text:
        rows = rows.filter(_named(chosen.text))
    return rows


def page(
    actor: User, chosen: TransferFilter, *, after: str = "", before: str = "", size: int = SIZE
) -> Page[Transfer]:
    """One page of what matches. A cursor that this did not write is read as none. Raises Forbidden."""
    rows = transfers(actor, chosen).select_related("account")
    falling, column = not chosen.sort or chosen.sort.startswith("-"), _column(chosen.sort)
    follows, precedes = _place(after, column), _place(before, column)
    place, back = (precedes, True) if precedes is not None else (follows, False)
    down = falling != back
    if place is not None:
        rows = rows.filter(_beyond(column, place, down=down))
    sign = "-" if down else ""
    found = list(rows.order_by(f"{sign}{column}", f"{sign}pk")[: size + 1])
    is_more, found = len(found) > size, found[:size]
    if back:
        found.reverse()
    first, last = (_cursor(found[0], column), _cursor(found[-1], column)) if found else ("", "")
    _attach_names(found)
    return Page(
        found,
        newer=first if (is_more if back else follows is not None) else "",
        older=last if (back or is_more) else "",
    )


def each(actor: User, chosen: TransferFilter, *, most: int, chunk: int = 1000) -> Iterator[Transfer]:
    """The first `most` of what matches, read page by page: no statement stays open while a file is sent."""
    after, given = "", 0
    while given < most:
        found = page(actor, chosen, after=after, size=min(chunk, most - given))
        yield from found.rows
        given, after = given + len(found.rows), found.older
        if not after:
            return


def transfer(actor: User, transfer_id: UUID) -> Transfer:
    """One transfer with all it belongs to. Raises Forbidden, NotFound."""
    permissions.require(actor, mine.VIEW)
    rows = Transfer.objects.select_related(
        "account__application__customer", "bank", "recipient__added_by", "requested_by", "approved_by"
    )
    found = rows.filter(pk=transfer_id).first()
    if found is None:
        raise NotFound("There is no such transfer.")
    shut_away.require_open(actor, found.account.application.customer)
    return found


def waiting() -> Mapping[str, int]:
    """How many transfers are held and how many stuck; each process remembers it for some seconds."""
    known: dict[str, int] | None = caches["local"].get("transfers_waiting")
    if known is None:
        known = {name: Transfer.objects.filter(where).count() for name, where in WAITS.items()}
        caches["local"].set("transfers_waiting", known, REMEMBERED_SECONDS)
    return known


@dataclass(frozen=True)
class Day:
    """What was asked for on one day and has not come to nothing: in whole dollars, and how many."""

    day: date
    deposited: int = 0
    withdrawn: int = 0
    number: int = 0


def volumes(actor: User) -> list[Day]:
    """The last days, oldest first, each with what was moved. One query. Raises Forbidden."""
    permissions.require(actor, mine.VIEW)
    first = clock.today() - timedelta(days=VOLUME_DAYS - 1)
    rows = Transfer.objects.filter(created_at__gte=_midnight(first), kind=Transfer.Kind.TRANSFER)
    rows = rows.exclude(status__in=Transfer.ENDED_BADLY)
    sums: dict[tuple[date, str], tuple[int, int]] = {
        (day, direction): (minor, number)
        for day, direction, minor, number in rows.annotate(day=TruncDate("created_at"))
        .values_list("day", "direction")
        .annotate(minor=Sum("amount_minor"), number=Count("pk"))
        .order_by()
    }
    found = []
    for number in range(VOLUME_DAYS):
        day = first + timedelta(days=number)
        came, went = (sums.get((day, way), (0, 0)) for way in Transfer.Direction.values)
        found.append(Day(day, came[0] // 100, went[0] // 100, came[1] + went[1]))
    return found


def _named(text: str) -> Q:
    """One transfer by its key or reference, or else those of the people whose words begin so."""
    text = text.strip()
    known = Q(reference=text)
    with suppress(ValueError):
        known |= Q(pk=UUID(text))
    key = Transfer.objects.filter(known).values_list("pk", flat=True).first()
    if key is not None:
        return Q(pk=key)
    return Q(account__application__in=among(Application.objects.all(), onboarding.by_words(text)))


def _attach_names(rows: list[Transfer]) -> None:
    """Give each row its customer's name, as `row.customer_name`."""
    keys = {row.account.application_id for row in rows}
    owners = Owner.objects.filter(application__in=keys, is_applicant=True).defer("date_of_birth", "tax_id")
    names = {owner.application_id: owner.full_name for owner in owners}
    for row in rows:
        row.customer_name = names.get(row.account.application_id, "")  # type: ignore[attr-defined]


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def _column(sort: str) -> str:
    return SORTS.get(sort.lstrip("-"), "created_at")


def _beyond(column: str, place: tuple[object, UUID], *, down: bool) -> Q:
    way, (value, key) = ("lt" if down else "gt"), place
    return Q(**{f"{column}__{way}e": value}) & (Q(**{f"{column}__{way}": value}) | Q(**{f"pk__{way}": key}))


def _cursor(row: Transfer, column: str) -> str:
    value = row.created_at.isoformat() if column == "created_at" else str(row.amount_minor)
    return f"{value}{SEPARATOR}{row.pk}"


def _place(cursor: str, column: str) -> tuple[object, UUID] | None:
    text, separator, key = cursor.rpartition(SEPARATOR)
    if not separator:
        return None
    try:
        if column == "created_at":
            at = datetime.fromisoformat(text)
            return (at, UUID(key)) if at.tzinfo else None
        minor = int(text)
        return (minor, UUID(key)) if abs(minor) < 2**63 else None
    except ValueError:
        return None
