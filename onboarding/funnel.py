"""How far applications come, for the dashboard: by the day they were begun, and the day of the provider's verdict."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from django.db.models import Case, Count, IntegerField, Max, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce, TruncDate
from django.urls import reverse

from compliance import figures, panels
from compliance.dashboard import share
from compliance.measures import Word
from compliance.models import Figure
from compliance.panels import Asked, Cell, Chart, Content, Stat, Table
from compliance.sums import Sums
from onboarding import party
from onboarding.models import Application, ApplicationStep
from onboarding.requirements import StepName, has_entity, several_people
from onboarding.words import AccountType
from portal import permissions
from portal.models import User
from portal.pages import Page, keyset

Status = Application.Status
SOURCE = "onboarding"
FOLLOW_DAYS = 90
STEPS = tuple(StepName)
ENTITY_STEPS = frozenset({StepName.ENTITY, StepName.ENTITY_ADDRESS, StepName.ENTITY_BUSINESS})
#: The places one stands at: 0 for nothing saved, one for each step, then these.
SUBMITTED, APPROVED = len(STEPS) + 1, len(STEPS) + 2
TITLES = {
    StepName.ENTITY: "The organisation",
    StepName.ENTITY_ADDRESS: "Its address",
    StepName.ENTITY_BUSINESS: "Its business",
    StepName.IDENTITY: "Identity",
    StepName.CONTACT: "Contact",
    StepName.ADDRESS: "Address",
    StepName.EMPLOYMENT: "Employment",
    StepName.OWNERS: "People",
    StepName.INVESTMENT: "Investing",
    StepName.TRUSTED_CONTACT: "Trusted contact",
    StepName.AGREEMENTS: "Agreements",
}
STAGE, VERDICT = "stage", "verdict"
WORDS = (
    Word(
        "Begun",
        "Applications begun on these days, by customers themselves or with help; not those that came from an import.",
    ),
    Word(
        "Reached",
        "Of those, so many have come so far or further by now: the step was saved, or one after it. They are "
        f"followed for {FOLLOW_DAYS} days.",
    ),
    Word("Stopped here", "Got no further until now. Who is still filling it in stands here too."),
)
VERDICT_WORDS = (
    Word("Approved, not approved", "What the provider said last of an application, on the day it said so."),
)


@dataclass(frozen=True)
class Stopped:
    """Which applications: begun in these days and stopped at a stage, or told a verdict on these days."""

    first: date
    last: date
    account_type: str = ""
    stage: int | None = None
    verdict: str = ""
    reason: str | None = None


def count(first: date, last: date) -> Iterable[Figure]:
    """The figures of these days."""
    rows = _with_stage(_begun(first, last)).annotate(day=TruncDate("created_at"))
    for day, account_type, stage, number in (
        rows.values_list("day", "account_type", "stage").annotate(number=Count("pk")).order_by()
    ):
        yield Figure(source=SOURCE, day=day, measure=STAGE, kind=account_type, code=stage, number=number)
    told = _told(first, last).annotate(day=TruncDate("status_at"))
    for day, status, reason, number in (
        told.values_list("day", "status", "account__party_reason").annotate(number=Count("pk")).order_by()
    ):
        # The reason is that of the refusal; an approval has none.
        why = reason or "" if status == Status.REJECTED else ""
        yield Figure(source=SOURCE, day=day, measure=VERDICT, kind=status, reason=why, number=number)


def _begun(first: date, last: date) -> QuerySet[Application]:
    begin, end = figures.begin_of(first), figures.begin_of(last + figures.DAY)
    return Application.objects.filter(created_at__gte=begin, created_at__lt=end, batch__isnull=True)


def _told(first: date, last: date) -> QuerySet[Application]:
    begin, end = figures.begin_of(first), figures.begin_of(last + figures.DAY)
    told = Application.objects.filter(status__in=(Status.APPROVED, Status.REJECTED), batch__isnull=True)
    return told.filter(status_at__gte=begin, status_at__lt=end)


def _with_stage(rows: QuerySet[Application]) -> QuerySet[Application]:
    """The rows with how far each has come, as `stage`."""
    place = Case(*[When(name=name, then=at) for at, name in enumerate(STEPS, 1)], output_field=IntegerField())
    saved = ApplicationStep.objects.filter(application=OuterRef("pk")).order_by().values("application")
    furthest = Subquery(saved.annotate(furthest=Max(place)).values("furthest"))
    return rows.annotate(
        stage=Case(
            When(status=Status.APPROVED, then=APPROVED),
            When(submitted_at__isnull=False, then=SUBMITTED),
            default=Coalesce(furthest, 0),
            output_field=IntegerField(),
        )
    )


def applications_behind(actor: User, chosen: Stopped, *, after: str, before: str) -> Page[Application]:
    """The applications a number counts, newest first, paged by key. Raises Forbidden."""
    permissions.require(actor, "application.view")
    if chosen.verdict:
        rows = _told(chosen.first, chosen.last).filter(status=chosen.verdict)
        if chosen.reason is not None:
            rows = rows.filter(account__party_reason=chosen.reason)
    else:
        rows = _begun(chosen.first, chosen.last)
        if chosen.account_type:
            rows = rows.filter(account_type=chosen.account_type)
        if chosen.stage is not None:
            rows = _with_stage(rows).filter(Q(("stage", chosen.stage)))
    return keyset(rows.select_related("account", "customer__user"), after=after, before=before)


def stages(account_type: str) -> list[tuple[int, str]]:
    """What is asked for accounts of the type, in order, with what comes after."""
    found = [(0, "Begun")]
    for at, name in enumerate(STEPS, 1):
        asked = has_entity(account_type) if name in ENTITY_STEPS else True
        if name == StepName.OWNERS:
            asked = several_people(account_type)
        if asked:
            found.append((at, TITLES[name]))
    return [*found, (SUBMITTED, "Handed in"), (APPROVED, "Approved")]


def funnel(asked: Asked) -> Content:
    """How far applications came, by type of account and step."""
    found = asked.sums(SOURCE, [STAGE], by=["kind", "code"])
    rows, charts = [], []
    begun_all = 0
    for account_type in AccountType.values:
        begun = _reached(found, account_type, 0)
        if not begun[0] and not begun[1]:
            continue
        begun_all += begun[0]
        label, points = AccountType(account_type).label, []
        for stage, title in stages(account_type):
            now, was = _reached(found, account_type, stage)
            # Whoever saved a step that is not asked for their type any more stopped at the one before it.
            stopped = now - _reached(found, account_type, _next(account_type, stage))[0]
            points.append((title, now))
            rows.append(
                (
                    Cell(f"{label}: {title}"),
                    Cell(str(now), before=str(was)),
                    Cell(share(now / begun[0] * 100 if begun[0] else None)),
                    Cell(
                        str(stopped),
                        _behind(asked, account_type=account_type, stage=stage) if stopped else "",
                    ),
                )
            )
        charts.append(Chart(f"{label}: how many reached each step", tuple(points), has_words=True))
    was_all = sum(one.number for one in found.before.values())
    stats = (Stat("Begun", f"{begun_all:,}", f"{was_all:,} in the period before", url=_behind(asked)),)
    table = Table(("Step", "Reached", "Of those begun", "Stopped here"), tuple(rows), frozenset({1}))
    return Content(table, stats, tuple(charts))


def _next(account_type: str, stage: int) -> int:
    return next((at for at, _ in stages(account_type) if at > stage), APPROVED + 1)


def _reached(found: Sums, account_type: str, stage: int) -> tuple[int, int]:
    """How many have come to the stage or further, now and of the period before."""
    now, was = (
        sum(one.number for key, one in which.items() if key[1] == account_type and int(key[2]) >= stage)
        for which in (found.now, found.before)
    )
    return now, was


def verdicts(asked: Asked) -> Content:
    """Approved, and not approved by the provider's reason."""
    found = asked.sums(SOURCE, [VERDICT], by=["kind", "reason"])
    rows, points, stats = [], [], []
    for status in (Status.APPROVED, Status.REJECTED):
        keys = sorted({key[2] for key in (*found.now, *found.before) if key[1] == status})
        now = sum(found.of(VERDICT, status, reason).number for reason in keys)
        was = sum(found.was(VERDICT, status, reason).number for reason in keys)
        stats.append(
            Stat(
                str(status.label),
                f"{now:,}",
                f"{was:,} in the period before",
                url=_behind(asked, verdict=status),
            )
        )
        for reason in keys:
            number = found.of(VERDICT, status, reason).number
            words = party.REASONS.get(reason, reason) or "No reason given"
            words = words if status == Status.REJECTED else "–"
            narrowed = {"reason": reason or "none"} if status == Status.REJECTED else {}
            url = _behind(asked, verdict=status, **narrowed)
            before = str(found.was(VERDICT, status, reason).number)
            rows.append((Cell(str(status.label)), Cell(words), Cell(str(number), url, before)))
            if status == Status.REJECTED and number:
                points.append((words, number, "danger"))
    charts = (
        (Chart("Not approved, by the provider's reason", tuple(points), has_words=True),) if points else ()
    )
    table = Table(("Came to", "Reason", "Applications"), tuple(rows), frozenset({2}), texts=2)
    return Content(table, tuple(stats), charts)


def _behind(asked: Asked, **where: object) -> str:
    given = {"first": asked.period.first, "last": asked.period.last, **where}
    return f"{reverse('staff:applications_behind')}?{urlencode(given)}"


def register() -> None:
    """Have applications counted, and put the panels on the dashboard."""
    figures.register(SOURCE_OF_APPLICATIONS)
    for panel in PANELS:
        panels.register(panel)


SOURCE_OF_APPLICATIONS = figures.Source(SOURCE, count, follow_days=FOLLOW_DAYS)
PANELS = (
    panels.Panel("funnel", "Account opening", funnel, WORDS, order=50),
    panels.Panel("verdicts", "Applications decided by the provider", verdicts, VERDICT_WORDS, order=55),
)
