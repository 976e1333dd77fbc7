"""The staff list of applications: its filters and its rows, each drawn once for what they say (docs/decisions/0032)."""

from collections.abc import Iterable
from functools import lru_cache
from uuid import UUID

from django.http import QueryDict
from django.utils.safestring import SafeString

from onboarding import standing
from onboarding.forms import ApplicationFilterForm
from onboarding.models import Application
from onboarding.selectors import ApplicationFilter
from portal import clock
from portal.templatetags.ui import badge, compact_ball, moment_html
from portal.templatetags.ui_forms import field
from portal.ui.addresses import address
from portal.ui.drawing import component, joined, markup, remembered
from portal.ui.time import Moment, moment

#: A field's name and what the address gives for it.
Pairs = tuple[tuple[str, str], ...]


def given(address: QueryDict) -> Pairs:
    """What the address says of the filters."""
    return tuple((name, str(address[name])) for name in ApplicationFilterForm.base_fields if name in address)


@lru_cache(maxsize=512)
def chosen(pairs: Pairs) -> ApplicationFilter:
    """The filters that hold."""
    return ApplicationFilterForm(dict(pairs)).chosen()


@remembered(256)
def panel(*, pairs: Pairs, url: str) -> SafeString:
    """The form of the filters; `url` is the list without any."""
    fields = joined(field(bound) for bound in ApplicationFilterForm(dict(pairs)))
    return component("filter_panel", content=fields, is_open=True, action="", clear_url=url)


def drawn(applications: Iterable[Application]) -> SafeString:
    """The rows of these applications, as the list reads them."""
    rows = []
    for each in applications:
        ball = standing.ball(each)
        rows.append(
            _row(
                key=each.pk,
                name=getattr(each, "account_name", "") or "Name not given yet",
                reference=each.reference,
                status=tuple(str(word) for word in standing.shown_status(each)),
                ball=(str(ball.holder), ball.line, bool(ball.due and ball.due < clock.now())),
                submitted=moment(each.submitted_at) if each.submitted_at else None,
            )
        )
    return joined(rows)


@remembered(4096)
def _row(
    *,
    key: UUID,
    name: str,
    reference: str,
    status: tuple[str, str],
    ball: tuple[str, str, bool],
    submitted: Moment | None,
) -> SafeString:
    return markup(
        '<tr><td data-label="Customer"><a href="{}">{}</a></td><td data-label="Reference" class="nowrap">{}</td>'
        '<td data-label="Status">{}</td><td data-label="Who has the ball">{}</td>'
        '<td data-label="Handed in" class="nowrap">{}</td></tr>\n',
        address("staff:application", key),
        name,
        reference,
        badge(*status),
        compact_ball(*ball),
        moment_html(submitted),
    )
