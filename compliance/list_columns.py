"""The columns of the list of cases. The case itself is always the first.

A column says what it prints of a case as plain facts, and draws a cell from these alone: so a row is drawn once for as
long as its facts stay the same (docs/decisions/0032). Python and not a template each: a page has two hundred cells.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString

from compliance import standing
from compliance.approvers import Second
from compliance.models import Case
from portal import clock
from portal.money import Money
from portal.templatetags.ui import badge, compact_ball, moment_html
from portal.ui.drawing import joined, markup
from portal.ui.time import moment, since_words

Facts = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """One column: what it prints of a case, and how; both know the case's key, under which open pages renew a cell."""

    key: str
    label: str
    facts: Callable[[Case, Second | None], Facts]
    draw: Callable[..., SafeString]
    #: The cell's class, if it has one.
    css: str = ""
    #: Whether open lists renew it (compliance/live.py).
    is_live: bool = True

    def cell(self, case_key: str, facts: Facts) -> SafeString:
        """The cell of a row."""
        return markup(
            '<td data-label="{}"{}{}>{}</td>',
            self.label,
            markup(' class="{}"', self.css) if self.css else "",
            markup(' data-live-part="{}-{}"', case_key, self.key) if self.is_live else "",
            self.draw(*facts),
        )


def _text(text: str) -> SafeString:
    return markup("{}", text)


def _status(case: Case, _: Second | None) -> Facts:
    status = (standing.STATUS_WORDS[case.status], standing.TONES[case.status])
    if case.priority <= Case.Priority.NORMAL:
        return (status,)
    return status, (standing.PRIORITY_WORDS[case.priority], standing.PRIORITY_TONES[case.priority])


def _draw_status(*badges: tuple[str, str]) -> SafeString:
    return markup('<div class="row">{}</div>', joined(badge(*each) for each in badges))


def _ball(case: Case, second: Second | None) -> Facts:
    ball = standing.ball(case, second)
    return str(ball.holder), ball.line, bool(ball.due and ball.due < clock.now())


def _age(case: Case, _: Second | None) -> Facts:
    return since_words(case.opened_at), standing.age_tone(case)


def _draw_age(words: str, tone: str) -> SafeString:
    return markup("<div>{}</div>", words if tone == "neutral" else badge(words, tone))


def _due(case: Case, _: Second | None) -> Facts:
    due = standing.due(case)
    return due.words, due.tone, moment(due.at) if due.at else None


def _draw_due(words: str, tone: str, at: Any) -> SafeString:
    exactly = markup('<span class="table__sub">{}</span>', moment_html(at)) if at else ""
    return markup("<div>{}{}</div>", badge(words, tone), exactly)


def _news(case: Case, _: Second | None) -> Facts:
    return (moment(case.last_fact_at),)


def _amount(case: Case, _: Second | None) -> Facts:
    return (str(Money.from_columns(case.amount_minor, case.currency) or "–"),)


COLUMNS = (
    Column("about", "About", lambda case, _: (case.subject_label,), _text, is_live=False),
    Column("queue", "Queue", lambda case, _: (str(case.queue or "None yet"),), _text),
    Column("status", "Status", _status, _draw_status),
    Column("ball", "Who has the ball", _ball, compact_ball),
    Column("age", "Age", _age, _draw_age, "nowrap", is_live=False),
    Column("due", "Due", _due, _draw_due, "nowrap"),
    Column("assignee", "Assigned to", lambda case, _: (str(case.assignee or "Nobody"),), _text),
    Column("news", "Last news", _news, moment_html, "nowrap"),
    Column("country", "Country", lambda case, _: (case.country or "–",), _text, is_live=False),
    Column("amount", "Amount", _amount, _text, "num", is_live=False),
)
BY_KEY = {column.key: column for column in COLUMNS}
USUAL = ("about", "queue", "status", "ball", "age", "due", "assignee")


def among(chosen: Sequence[str] | None) -> list[Column]:
    """The columns that a person chose, the usual ones for who chose none; a key of an earlier release is left out."""
    wanted = set(USUAL if chosen is None else chosen)
    return [column for column in COLUMNS if column.key in wanted]
