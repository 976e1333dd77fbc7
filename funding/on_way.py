"""Banks on their way: linked or unlinked for longer than that takes, and those of which nobody knows how it ended.

A link is told of within minutes (seed 001), and so is the end of one; what takes more than an hour has met something.
"""

from collections.abc import Iterable
from urllib.parse import urlencode

from django.db.models import Min, QuerySet
from django.urls import reverse
from django.utils.timesince import timesince

from funding import bank_given_up, staff_selectors
from funding.bank_flow import LINKED_WITHIN
from funding.models import LinkedBank, Transfer
from funding.permissions import VIEW
from portal import clock
from portal.models import User
from portal.permissions import can_do
from providers.operations_lines import Line

Status = LinkedBank.Status
LINKING = (Status.LINKING, Status.PENDING)


def stuck() -> QuerySet[LinkedBank]:
    """Banks of which nobody knows whether they are linked: a case asks a person to find out."""
    return LinkedBank.objects.filter(status__in=LinkedBank.ON_WAY, stuck_at__isnull=False)


def slow(*statuses: str) -> QuerySet[LinkedBank]:
    """Banks that have been in these states for too long and that no person looks at yet."""
    late = clock.now() - LINKED_WITHIN
    rows = LinkedBank.objects.filter(status__in=LinkedBank.ON_WAY, status_at__lte=late, stuck_at=None)
    return rows.filter(status__in=statuses or LinkedBank.ON_WAY)


def lines(actor: User) -> Iterable[Line]:
    """The figures of the operations page: transfers and banks of which nobody knows, and banks that take long."""
    may_see = can_do(actor, VIEW)
    transfers = Transfer.objects.filter(staff_selectors.WAITS["stuck"])
    yield Line(
        "Transfers nobody knows of",
        number := transfers.count(),
        tone="danger" if number else "neutral",
        url=f"{reverse('funding_staff:transfers')}?waits=stuck" if may_see else "",
    )
    unknown, late = stuck(), slow()
    cases = f"{reverse('cases:list')}?{urlencode({'kind': bank_given_up.KIND})}"
    yield Line(
        "Banks nobody knows of",
        number := unknown.count(),
        hint=_oldest(unknown, "stuck_at"),
        tone="danger" if number else "neutral",
        url=cases if can_do(actor, "case.view") else "",
    )
    yield Line(
        "Banks long on their way",
        number := late.count(),
        hint=_oldest(late, "status_at"),
        tone="warning" if number else "neutral",
    )


def _oldest(rows: QuerySet[LinkedBank], name: str) -> str:
    since = rows.aggregate(since=Min(name))["since"]
    return f"The oldest for {timesince(since, clock.now(), depth=1)}" if since else ""
