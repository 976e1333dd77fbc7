"""The parts of a case's page that say how it stands and of whom it is: plain facts, so each is drawn once
(docs/decisions/0032). What may be revealed to the reader stays in the page's own template."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.utils.safestring import SafeString

from compliance import kinds, standing
from compliance.dossier import Dossier, Link, Signal
from compliance.models import Case
from compliance.permissions import Reason
from compliance.timeline import Fact
from portal.ball import Ball
from portal.templatetags.ui import ball as ball_html
from portal.templatetags.ui import fact_rows, sharing_graph, when
from portal.ui.addresses import KEY
from portal.ui.drawing import drawn, drawn_of_row, remembered, with_key, with_token
from portal.ui.graph import sharing
from portal.ui.time import moment_words


def head(
    case: Case, kind: kinds.CaseKind, token: str, *, list_url: str, may_take: bool, may_work: bool
) -> SafeString:
    """The page's heading, with what is pressed most."""
    html = drawn_of_row(
        template="compliance/_head.html",
        key=case.pk,
        title=kind.title,
        reference=case.reference,
        back_url=list_url,
        status=standing.STATUS_WORDS[case.status],
        tone=standing.TONES[case.status],
        may_take=may_take,
        is_taken=case.assignee_id is not None,
        may_work=may_work,
    )
    return with_token(html, token)


def form(key: UUID, token: str, template: str, *, is_kept: bool = True, **facts: Any) -> SafeString:
    """A form or link of the case with this key for a reader with this CSRF token: drawn once for all cases, whose key
    the template knows as `key`. What carries somebody's words is not kept."""
    draw = drawn if is_kept else drawn.__wrapped__  # type: ignore[attr-defined]
    return with_token(with_key(draw(template=f"compliance/{template}.html", key=KEY, **facts), key), token)


def reasons(found: Sequence[Reason]) -> tuple[tuple[str, str], ...]:
    """What is in the way, and what helps."""
    return tuple((reason.text, reason.fix) for reason in found)


def hold_words(kind: kinds.CaseKind, due: standing.Due) -> str:
    """What putting the case on hold means."""
    until = f": due {moment_words(due.at)}" if due.at else ""
    letter = (
        " The customer gets a letter: that it takes longer, until this day, and nothing of why."
        if kind.tells_held
        else ""
    )
    return f"It stays yours, and its clock runs{until}.{letter}"


def to_decide(kind: kinds.CaseKind, ball: Ball) -> SafeString:
    """What the kind is about, and who has the ball."""
    return drawn_of_row(template="compliance/_to_decide.html", purpose=kind.purpose, ball=ball_html(ball))


def the_case(case: Case, due: standing.Due, subject_url: str) -> SafeString:
    """The case in a few lines."""
    return drawn_of_row(
        template="compliance/_the_case.html",
        about=(case.subject_label, subject_url),
        assignee=str(case.assignee.label) if case.assignee else "",
        priority=(standing.PRIORITY_WORDS[case.priority], standing.PRIORITY_TONES[case.priority]),
        opened_by=str(case.opened_by.label) if case.opened_by else "",
        opened_at=when(case.opened_at),
        last_fact_at=when(case.last_fact_at),
        queue=str(case.queue) if case.queue else "",
        due=(due.words, due.tone, moment_words(due.at) if due.at else ""),
        reference=case.reference,
    )


def about(dossier: Dossier | None) -> SafeString:
    """Whom it is about, and the worst that is known of them."""
    if dossier is None or dossier.summary is None:
        return SafeString("")
    summary = dossier.summary
    return drawn_of_row(
        template="compliance/_about.html",
        who=(str(summary.title), summary.url),
        rows=tuple((row.label, str(row.value)) for row in summary.rows),
        risk=dossier.risk,
        ball=ball_html(summary.ball),
        pages=tuple((page.url, page.label, str(page.value)) for page in dossier.pages),
    )


def signals(dossier: Dossier) -> SafeString:
    """What speaks for a risk."""
    return drawn_of_row(
        template="compliance/_signals.html", signals=tuple(_signal(row) for row in dossier.signals)
    )


def _signal(row: Signal) -> tuple[str, ...]:
    at = when(row.at) if row.at else ""
    return str(row.text), row.url, row.weight.label, row.weight.tone, str(row.source), at


def linked(dossier: Dossier) -> SafeString:
    """With whom something is shared: a drawing, and the table that says the same."""
    if not (dossier.links or dossier.common):
        return SafeString("")
    return _linked(
        links=tuple(_link(row) for row in dossier.links),
        more=dossier.more_links,
        common=tuple(dossier.common),
    )


def _link(row: Link) -> tuple[str, str, tuple[str, ...], str, int]:
    return str(row.who), row.url, tuple(row.shares), str(row.standing), row.cases


@remembered(256)
def _linked(
    *, links: tuple[tuple[str, str, tuple[str, ...], str, int], ...], more: int, common: tuple[str, ...]
) -> SafeString:
    graph = SafeString("")
    if links:
        found = sharing("This customer", [(who, shares) for who, _, shares, _, _ in links])
        graph = sharing_graph(found, "Who shares what with this customer")
    return drawn_of_row(
        template="compliance/_linked.html", graph=graph, links=links, more_links=more, common=common
    )


def fact(found: Fact) -> SafeString:
    """What triggered the case, or was added."""
    return drawn_of_row(
        template="compliance/_fact.html",
        title=found.fact.title,
        source=found.fact.source,
        at=when(found.fact.at),
        rows=fact_rows(found.rows) if found.rows else "",
    )


def others(rows: Sequence[Case]) -> SafeString:
    """Other cases about the same."""
    if not rows:
        return SafeString("")
    return drawn_of_row(
        template="compliance/_others.html",
        others=tuple(
            (
                row.pk,
                row.reference,
                kinds.get(row.kind).title,
                standing.STATUS_WORDS[row.status],
                standing.TONES[row.status],
            )
            for row in rows
        ),
    )
