"""The dashboard's panel of second reviews: how often people agree, by the first decision and its reason."""

from urllib.parse import urlencode

from django.urls import reverse

from compliance import panels
from compliance.dashboard import share, worded
from compliance.measures import Word
from compliance.models import Review
from compliance.panels import Asked, Cell, Chart, Content, Stat, Table
from compliance.reviewing import Standing, between, made

WORDS = (
    Word(
        "Second review",
        "A share of each week's decisions, drawn by lot, is decided again by somebody who did not work on the case and "
        "does not see what was decided. It has no effect.",
    ),
    Word("Agreed", "The second decided the same, for the same reason."),
)


def quality(asked: Asked) -> Content | None:
    """Agreement by kind, decision and reason; None until a review was made in these days or those before."""
    rows = Review.objects.all()
    if asked.queue:
        rows = rows.filter(case__queue=asked.queue)
    now = made(rows.filter(between(asked.period.first, asked.period.last)))
    was = {_key(one): one for one in made(rows.filter(between(*asked.period.before)))}
    if not now and not was:
        return None
    lines, points = [], []
    for one in sorted(now, key=lambda one: (-one.disagreed, one.kind, one.code, one.reason)):
        kind, decision, reason = worded(one.kind, one.code, one.reason)
        before = was.get(_key(one), Standing(one.kind, one.code, one.reason))
        lines.append(
            (
                Cell(kind),
                Cell(decision),
                Cell(reason or "–"),
                Cell(str(one.made), _behind(asked, one), str(before.made)),
                Cell(_agreed([one]), before=_agreed([before])),
                Cell(str(one.other_decision), _behind(asked, one, "decision"), str(before.other_decision)),
                Cell(str(one.other_reason), _behind(asked, one, "reason"), str(before.other_reason)),
            )
        )
        if one.disagreed:
            points.append((reason or decision, one.disagreed, "warning"))
    total, before_total = sum(one.made for one in now), sum(one.made for one in was.values())
    open_talks = Review.objects.filter(status=Review.Status.DISAGREED).count()
    stats = (
        Stat("Reviewed", f"{total:,}", f"{before_total:,} in the period before", url=_behind(asked)),
        Stat("Agreed", _agreed(now), f"{_agreed(list(was.values()))} in the period before"),
        Stat(
            "To be talked about now",
            f"{open_talks:,}",
            tone="warning" if open_talks else "neutral",
            url=f"{reverse('reviews:list')}?status={Review.Status.DISAGREED}",
        ),
    )
    charts = (
        (Chart("Disagreements, by the first decision's reason", tuple(points), has_words=True),)
        if points
        else ()
    )
    columns = ("Kind", "First decision", "Reason", "Reviewed", "Agreed", "Other decision", "Other reason")
    return Content(Table(columns, tuple(lines), frozenset({3, 4, 5, 6}), texts=3), stats, charts)


def _key(one: Standing) -> tuple[str, str, str]:
    return one.kind, one.code, one.reason


def _agreed(rows: list[Standing]) -> str:
    number = sum(one.made for one in rows)
    return share((number - sum(one.disagreed for one in rows)) / number * 100 if number else None)


def _behind(asked: Asked, one: Standing | None = None, outcome: str = "") -> str:
    given: dict[str, object] = {"first": asked.period.first, "last": asked.period.last, "outcome": outcome}
    if one:
        given |= {"kind": one.kind, "code": one.code, "reason": one.reason}
    return f"{reverse('reviews:list')}?{urlencode({name: value for name, value in given.items() if value})}"


PANEL = panels.Panel("quality", "Second reviews", quality, WORDS, order=70)
