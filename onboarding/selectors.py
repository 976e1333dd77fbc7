"""Reads of the onboarding domain. Each takes who asks and gives no row that is not theirs."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.core.cache import caches
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from onboarding import papers_standing, shut_away, standing
from onboarding.models import Application, IdentityCheck, Owner, OwnerInvitation
from onboarding.models.invitations import token_hash
from portal import clock, permissions
from portal.composed import Composed
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page, keyset
from portal.search import among, search_words

Status = Application.Status
#: A filter up to here is no filter, and there is no day after it to compare with.
LAST_DAY = date(9999, 1, 1)

#: The audit entry of a look at the customer's own pages (onboarding/as_customer.py).
VIEWED_AS = "customer.viewed_as"
REMEMBERED_SECONDS = 15
#: Counting for the menu stops here, so that a great backlog costs no page more.
MOST_COUNTED = 1000
#: A choice of the staff list's status filter that is no status of its own.
EXPIRED = "expired"

#: Whom an application waits on, as sets of statuses: the staff list's most asked question.
WAITING_ON: dict[str, tuple[str, ...]] = {
    "customer": (Status.DRAFT, Status.CORRECTION_NEEDED, Status.ACTION_REQUIRED),
    "us": (Status.HELD, Status.SUBMITTED),
    "provider": (Status.RECEIVED, Status.IN_REVIEW),
    "nobody": (Status.APPROVED, Status.REJECTED, Status.WITHDRAWN),
}


def application_for_customer(user: User, application_id: UUID) -> Application:
    """The customer's own application with its account. Raises NotFound, also for another customer's."""
    found = (
        Application.objects.filter(pk=application_id, customer__user=user, customer__restricted_at=None)
        .select_related("account__identity_check", "customer__user", "import_row")
        .first()
    )
    if found is None:
        raise NotFound("There is no such application.")
    return found


def application_with_part(user: User, application_id: UUID) -> Application:
    """An application the user has a part in: their own, or one of whose owners they are. Raises NotFound."""
    theirs = Owner.objects.filter(application=OuterRef("pk"), user=user)
    found = (
        Application.objects.filter(Q(customer__user=user) | Exists(theirs), pk=application_id)
        .exclude(customer__user=user, customer__restricted_at__isnull=False)
        .select_related("account__identity_check", "customer__user", "import_row")
        .first()
    )
    if found is None:
        raise NotFound("There is no such application.")
    return found


def parts_of(user: User) -> QuerySet[Owner]:
    """The parts the user took in applications of others, newest first."""
    return (
        Owner.objects.filter(user=user, is_applicant=False)
        .select_related("application__account__identity_check", "application__customer__user")
        .order_by("-application_id")
    )


def invitation_by(token: str) -> OwnerInvitation:
    """The invitation of a link. Raises NotFound for a link nobody was sent, or whose person was removed."""
    found = (
        OwnerInvitation.objects.filter(token_sha256=token_hash(token))
        .select_related("owner__application__customer__user")
        .first()
    )
    if found is None:
        raise NotFound("There is no such invitation. Ask whoever invited you to send it again.")
    return found


def applications_of(user: User) -> QuerySet[Application]:
    """The customer's own applications, newest first."""
    return (
        Application.objects.filter(customer__user=user, customer__restricted_at=None, erased_at=None)
        .select_related("account__identity_check", "import_row")
        .order_by("-pk")
    )


def application_for_staff(actor: User, application_id: UUID) -> Application:
    """Any application, for staff who may see applications. Raises NotFound, Forbidden, also when it is shut away."""
    permissions.require(actor, "application.view")
    found = (
        Application.objects.filter(pk=application_id)
        .select_related("account__identity_check", "customer__user")
        .first()
    )
    if found is None:
        raise NotFound("There is no such application.")
    shut_away.require_open(actor, found.customer)
    return found


def applications_for_a_person() -> int:
    """How many wait on a person of ours: held for a decision, not passed on by itself in the time that takes, or with
    papers that we asked for and have to look at; MOST_COUNTED at most.

    The staff menu asks on every page, so each process remembers the answer for some seconds.
    """
    found = caches["local"].get("applications_for_a_person")
    if found is None:
        late = Q(status=Status.SUBMITTED, status_at__lt=clock.now() - standing.SLOW_AFTER)
        waiting = Q(status=Status.HELD) | late | papers_standing.by_papers("to_check")
        found = Application.objects.filter(waiting)[:MOST_COUNTED].count()
        caches["local"].set("applications_for_a_person", found, REMEMBERED_SECONDS)
    return int(found)


def papers_counts(actor: User) -> dict[str, int]:
    """How many applications each choice of the list's papers filter holds, remembered for some seconds."""
    permissions.require(actor, "application.view")
    found = caches["local"].get("papers_counts")
    if found is None:
        found = _papers_counts()
        caches["local"].set("papers_counts", found, REMEMBERED_SECONDS)
    return dict(found)


def _papers_counts() -> dict[str, int]:
    counts = {name: Count("pk", filter=papers_standing.by_papers(name)) for name in papers_standing.FILTERS}
    waiting = Application.objects.filter(Q(papers_asked__gt=0) | Q(papers_to_check__gt=0))
    return waiting.aggregate(**counts)


def staff_page(application_id: UUID) -> str:
    """The address of an application's staff page."""
    return reverse("staff:application", args=[application_id])


def staff_page_of_account(account_id: UUID) -> str:
    """The address of the staff page of an account's application, "" when there is no such account."""
    application_id = Application.objects.filter(account=account_id).values_list("pk", flat=True).first()
    return reverse("staff:application", args=[application_id]) if application_id else ""


@dataclass(frozen=True)
class ApplicationFilter:
    """The staff list's filters, as they stand in the address."""

    text: str = ""
    status: str = ""
    waiting_on: str = ""
    papers: str = ""
    submitted_from: date | None = None
    submitted_to: date | None = None


def applications_for_staff(
    actor: User, chosen: ApplicationFilter, *, after: str = "", before: str = "", size: int = 25
) -> Page[Application]:
    """One page of applications, newest first, paged by key on an index; never counted."""
    permissions.require(actor, "application.view")
    # What is searched for is looked up first, and what is overdue depends on the day.
    key = None if chosen.text or chosen.papers else ("applications", chosen)
    page = keyset(lambda: _listed(chosen), after=after, before=before, size=size, key=key)
    _attach_names(page.rows)
    return page


def _listed(chosen: ApplicationFilter) -> QuerySet[Application]:
    rows = Application.objects.select_related("account__identity_check").defer("search", "corrections")
    rows = rows.filter(customer__restricted_at=None)
    if chosen.status == EXPIRED:
        rows = rows.filter(status=Status.WITHDRAWN, expired_at__isnull=False)
    elif chosen.status:
        rows = rows.filter(status=chosen.status)
    if chosen.waiting_on in WAITING_ON:
        by_status = _waits_on(chosen.waiting_on)
        rows = rows.filter(papers_standing.waits_on(chosen.waiting_on, by_status))
    if chosen.papers in papers_standing.FILTERS:
        rows = rows.filter(papers_standing.by_papers(chosen.papers))
    if chosen.submitted_from:
        rows = rows.filter(submitted_at__gte=_midnight(chosen.submitted_from))
    if chosen.submitted_to and chosen.submitted_to < LAST_DAY:
        rows = rows.filter(submitted_at__lt=_midnight(chosen.submitted_to + timedelta(days=1)))
    if chosen.text:
        rows = among(rows, by_words(chosen.text))
    return rows


def _waits_on(holder: str) -> Q:
    """Applications by who has the ball. An identity check that a person of ours took over is not the customer's."""
    taken_over = IdentityCheck.objects.filter(Q(status="exhausted") | Q(refused_at__isnull=False))
    with_us = Q(status=Status.ACTION_REQUIRED, account__in=taken_over.values("account"))
    waits = Q(status__in=WAITING_ON[holder])
    return waits | with_us if holder == "us" else waits & ~with_us if holder == "customer" else waits


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def by_words(text: str) -> Q:
    """Applications of whose names, e-mail addresses and references words begin so; none for a text without words."""
    terms = search_words(text)[:8]
    if not terms:
        return Q(pk__isnull=True)
    query = " & ".join(f"'{word}':*" for word in terms)
    return Q(search=SearchQuery(query, config="simple", search_type="raw"))


def _attach_names(rows: list[Application]) -> None:
    """Give each row the name its account goes by, as `row.account_name`: the company's, or the applicant's."""
    found = _NAMES([row.pk for row in rows]) if rows else []
    names = {key: legal or " ".join(part for part in parts if part) for key, legal, *parts in found}
    for row in rows:
        row.account_name = names.get(row.pk, "")  # type: ignore[attr-defined]


_NAMES = Composed(
    lambda key: Owner.objects.filter(application__in=[key], is_applicant=True).values_list(
        "application_id", "application__entity__legal_name", "given_name", "middle_names", "family_name"
    )
)
