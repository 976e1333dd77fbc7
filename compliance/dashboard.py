"""The panels about cases: arrivals, backlog, the clock by queue and by person, decisions and their reasons."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Case as When
from django.db.models import CharField, Count, Value
from django.db.models import When as If
from django.urls import reverse

from compliance import kinds, measures, panels, selectors
from compliance.figures import DAY
from compliance.measures import APPROVED, ARRIVED, BACKLOG, DECIDED, OTHER, REFUSED, SETTLED, TOUCHED
from compliance.models import Case, Queue
from compliance.panels import Asked, Cell, Chart, Content, Panel, Stat, Table
from compliance.sums import Scope, Sum, Sums
from portal import clock
from portal.models import User
from portal.ui.time import day_words

MANY_DAYS = 36500
#: How old the cases of the backlog are, in days: from, to, in words, under a bar. The first that holds.
AGES = (
    (0, 1, "Under a day", "< 1 day"),
    (1, 3, "1 to 3 days", "1–3"),
    (3, 7, "3 to 7 days", "3–7"),
    (7, 30, "7 to 30 days", "7–30"),
    (30, MANY_DAYS, "Over 30 days", "> 30"),
)
AGE_TONES = ("success", "success", "warning", "danger", "danger")
#: Up to so many days a bar is a day; above, a week.
MOST_BARS = 45
DECISIONS = (APPROVED, REFUSED, OTHER)
VERDICTS = {APPROVED: "Approved", REFUSED: "Refused", OTHER: "Neither"}
NOTHING = "–"


def arrivals(asked: Asked) -> Content:
    """Arrived and done, by day or week."""
    period = asked.period
    found = asked.sums("cases", [ARRIVED, DECIDED, SETTLED], by=["day"], scope=_scope(asked))
    totals = {name: _total(found, name) for name in (ARRIVED, DECIDED, SETTLED)}
    rows, points = [], []
    for first, last in spans(period.days):
        label = _span_words(first, last)
        days = [first + DAY * number for number in range((last - first).days + 1)]
        counts = {name: sum(found.of(name, day).number for day in days) for name in totals}
        points.append((label, counts[ARRIVED]))
        cells = [
            Cell(str(counts[name]), behind(asked, measure=name, first=first, last=last)) for name in totals
        ]
        rows.append((Cell(label, plain=first.isoformat()), *cells))
    stats = tuple(
        Stat(measures.WORDS[name].word, f"{now:,}", _was(was), url=behind(asked, measure=name))
        for name, (now, was) in totals.items()
    )
    table = Table(("Days", "Arrived", "Decided", "Settled by itself"), tuple(rows))
    return Content(table, stats, (Chart("Cases that arrived", tuple(points)),))


def backlog(asked: Asked) -> Content:
    """What is undecided now, by age, and how it stood before the period."""
    counts = _backlog(asked)
    rows, points = [], []
    for (young, old, label, short), tone in zip(AGES, AGE_TONES, strict=True):
        number = counts.get(label, 0)
        points.append((short, number, tone))
        rows.append(
            (Cell(label), Cell(str(number), behind(asked, measure=BACKLOG, older=young, younger=old)))
        )
    now = sum(counts.values())
    found = asked.sums("cases", [ARRIVED, DECIDED, SETTLED], scope=_scope(asked))
    then = now - found.of(ARRIVED).number + found.of(DECIDED).number + found.of(SETTLED).number
    stats: tuple[Stat, ...] = (Stat("Undecided now", f"{now:,}", url=behind(asked, measure=BACKLOG)),)
    # A case that moved to another queue meanwhile would be counted in neither.
    if asked.period.last >= clock.today() and asked.queue is None:
        stats += (Stat("When the period began", f"{max(0, then):,}"),)
    return Content(Table(("Opened", "Cases"), tuple(rows)), stats, (Chart("Backlog by age", tuple(points)),))


def _backlog(asked: Asked) -> dict[str, int]:
    now = clock.now()
    ages = [If(opened_at__gt=now - timedelta(days=old), then=Value(label)) for _, old, label, _ in AGES]
    rows = Case.objects.filter(selectors.UNDONE)
    if asked.queue:
        rows = rows.filter(queue=asked.queue)
    by_age = rows.annotate(age=When(*ages, output_field=CharField())).values_list("age")
    return dict(by_age.annotate(number=Count("pk")).order_by())


def by_queue(asked: Asked) -> Content:
    """How fast each queue is."""
    found = asked.sums("cases", [ARRIVED, TOUCHED, DECIDED], by=["queue_id"], scope=_scope(asked))
    whole = asked.sums("cases", [TOUCHED, DECIDED], scope=_scope(asked))
    names: dict[UUID | None, str] = {None: "No queue", **dict(Queue.objects.values_list("pk", "name"))}
    groups = sorted(found.groups(), key=lambda group: names.get(group[0], "").lower())
    rows = [
        (
            Cell(names.get(key, "A queue that is gone")),
            _count(asked, found, ARRIVED, key, queue=key),
            *_speed(asked, found, key, queue=key),
        )
        for (key,) in groups
    ]
    decided, was = whole.of(DECIDED), whole.was(DECIDED)
    touched, touched_was = whole.of(TOUCHED), whole.was(TOUCHED)
    late = decided.judged - decided.met
    stats = (
        Stat(
            "In time",
            share(decided.share_met),
            _was(share(was.share_met)),
            "warning" if late else "success" if decided.judged else "neutral",
            behind(asked, measure=DECIDED, met="yes"),
        ),
        Stat(
            "Late",
            f"{late:,}",
            _was(was.judged - was.met),
            "danger" if late else "neutral",
            behind(asked, measure=DECIDED, met="no"),
        ),
        Stat(
            "To the first touch",
            duration(touched.median),
            _took_words(touched, touched_was),
            url=behind(asked, measure=TOUCHED),
        ),
        Stat(
            "To the decision",
            duration(decided.median),
            _took_words(decided, was),
            url=behind(asked, measure=DECIDED),
        ),
    )
    medians = tuple(
        (row[0].text, _hours(found.of(DECIDED, key).median)) for row, (key,) in zip(rows, groups, strict=True)
    )
    charts = (Chart("Median hours to the decision, by queue", medians, has_words=True),) if rows else ()
    return Content(Table(("Queue", "Arrived", *SPEED), tuple(rows), frozenset(range(1, 9))), stats, charts)


def by_person(asked: Asked) -> Content:
    """Who did what, and how fast; whoever may not see others sees their own line."""
    scope = Scope(asked.queue.pk if asked.queue else None, asked.actor.pk if asked.own else None)
    found = asked.sums("cases", [TOUCHED, DECIDED], by=["person_id"], scope=scope)
    keys = {key for (key,) in found.groups()} | ({asked.actor.pk} if asked.own else set())
    people = {person.pk: person for person in User.objects.filter(pk__in=keys)}
    ordered = sorted(people.values(), key=lambda person: (person.name.lower(), person.pk))
    rows = [
        (
            Cell(person.label),
            _count(asked, found, TOUCHED, person.pk, person=person.pk),
            *_speed(asked, found, person.pk, person=person.pk),
        )
        for person in ordered
    ]
    return Content(Table(("Person", "Touched first", *SPEED), tuple(rows), frozenset(range(1, 9))))


def decisions(asked: Asked) -> Content | None:
    """Approvals, refusals by their reason, and everything else that was decided."""
    by = ["kind", "code", "reason"]
    found = asked.sums("cases", DECISIONS, by=by, scope=_scope(asked))
    totals = {name: _total(found, name) for name in DECISIONS}
    stats = tuple(
        Stat(VERDICTS[name], f"{now:,}", _was(was), url=behind(asked, measure=DECIDED, verdict=name))
        for name, (now, was) in totals.items()
    )
    rows, refusals = [], []
    for name in DECISIONS:
        keys = {key[1:] for key in (*found.now, *found.before) if key[0] == name}
        for kind, code, reason in sorted(keys, key=lambda key: (-found.of(name, *key).number, key)):
            kind_title, decision, why = worded(kind, code, reason)
            now, was = found.of(name, kind, code, reason).number, found.was(name, kind, code, reason).number
            url = behind(asked, measure=DECIDED, verdict=name, kind=kind, code=code, reason=reason)
            cells = (Cell(VERDICTS[name]), Cell(kind_title), Cell(decision), Cell(why or NOTHING))
            rows.append((*cells, Cell(str(now), url, str(was))))
            if name == REFUSED and now:
                refusals.append((f"{why or decision}", now, "danger"))
    charts = (Chart("Refused, by reason", tuple(refusals), has_words=True),) if refusals else ()
    columns = ("Came to", "Kind", "Decision", "Reason", "Cases")
    return Content(Table(columns, tuple(rows), frozenset({4}), texts=4), stats, charts)


SPEED = (
    "Touch, median",
    "Touch, 90th",
    "Decided",
    "In time",
    "Late",
    "Decision, median",
    "Decision, 90th",
)


def _speed(asked: Asked, found: Sums, key: UUID | None, **where: Any) -> tuple[Cell, ...]:
    touched, touched_was = found.of(TOUCHED, key), found.was(TOUCHED, key)
    decided, was = found.of(DECIDED, key), found.was(DECIDED, key)
    late_url = behind(asked, measure=DECIDED, met="no", **where)
    return (
        _took(touched.median, touched_was.median, behind(asked, measure=TOUCHED, **where)),
        _took(touched.p90, touched_was.p90, ""),
        _count(asked, found, DECIDED, key, **where),
        Cell(
            share(decided.share_met),
            behind(asked, measure=DECIDED, met="yes", **where) if decided.met else "",
            share(was.share_met),
        ),
        Cell(
            str(decided.judged - decided.met),
            late_url if decided.judged > decided.met else "",
            str(was.judged - was.met),
        ),
        _took(decided.median, was.median, behind(asked, measure=DECIDED, **where)),
        _took(decided.p90, was.p90, ""),
    )


def _count(asked: Asked, found: Sums, measure: str, key: UUID | None, **where: Any) -> Cell:
    now: Sum = found.of(measure, key)
    url = behind(asked, measure=measure, **where) if now.number else ""
    return Cell(str(now.number), url, str(found.was(measure, key).number))


def _took(now: int | None, was: int | None, url: str) -> Cell:
    return Cell(duration(now), url if now is not None else "", duration(was))


def behind(asked: Asked, *, measure: str, **where: Any) -> str:
    """The address of the list behind a number."""
    if asked.queue and "queue" not in where:
        where["queue"] = asked.queue.pk
    elif "queue" in where and where["queue"] is None:
        where["queue"] = "none"
    given = {"measure": measure, "first": asked.period.first, "last": asked.period.last, **where}
    if measure == BACKLOG:
        del given["first"], given["last"]
    kept = {name: value for name, value in given.items() if value not in ("", None)}
    return f"{reverse('dashboard:behind')}?{urlencode(kept)}"


def worded(kind: str, code: str, reason: str) -> tuple[str, str, str]:
    """Kind, decision and reason as they are called now; their codes where they are gone."""
    found = kinds.get(kind)
    decision = found.decision(code)
    label = decision.label if decision else code
    return found.title, label, decision.reasons.get(reason, reason) if decision else reason


def spans(days: list[date]) -> list[tuple[date, date]]:
    """The bars: a day each, or of a long time seven days each; the last ends with the period."""
    step = 1 if len(days) <= MOST_BARS else 7
    return [(days[place], days[min(place + step, len(days)) - 1]) for place in range(0, len(days), step)]


def _span_words(first: date, last: date) -> str:
    if first == last:
        return day_words(first) if first == clock.today() else f"{first:%b} {first.day}"
    return f"{first:%b} {first.day} to {last:%b} {last.day}"


def duration(seconds: int | None) -> str:
    """Seconds as people say it: 40 s, 25 min, 3 h 5 min, 4 d 2 h."""
    if seconds is None:
        return NOTHING
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if hours < 1:
        return f"{minutes} min"
    if days < 2:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"


def share(percent: float | None) -> str:
    """A percentage with one digit; a dash for none of none."""
    return NOTHING if percent is None else f"{percent:.1f} %"


def _took_words(now: Sum, was: Sum) -> str:
    if now.median is None:
        return "Nothing was measured"
    before = f"; median before: {duration(was.median)}" if was.median is not None else ""
    return f"9 of 10 within {duration(now.p90)}{before}"


def _hours(seconds: int | None) -> float:
    return round((seconds or 0) / 3600, 1)


def _was(value: int | str) -> str:
    if value == NOTHING:
        return "None in the period before"
    return f"{value:,} in the period before" if isinstance(value, int) else f"{value} in the period before"


def _scope(asked: Asked) -> Scope:
    return Scope(asked.queue.pk if asked.queue else None)


def _total(found: Sums, measure: str) -> tuple[int, int]:
    now = sum(one.number for key, one in found.now.items() if key[0] == measure)
    return now, sum(one.number for key, one in found.before.items() if key[0] == measure)


PANELS = (
    Panel("arrivals", "Arrivals", arrivals, measures.words(ARRIVED, DECIDED, SETTLED), order=10),
    Panel("backlog", "Backlog", backlog, measures.words(BACKLOG), order=20),
    Panel("queues", "Queues", by_queue, measures.words(TOUCHED, DECIDED, "met", "time"), order=30),
    Panel(
        "people",
        "People",
        by_person,
        measures.words(TOUCHED, DECIDED, "met", "time"),
        needs="dashboard.view_own",
        order=40,
    ),
    Panel("decisions", "Decisions", decisions, measures.words(APPROVED, REFUSED), order=60),
)


def register() -> None:
    """Put them on the dashboard."""
    for panel in PANELS:
        panels.register(panel)
