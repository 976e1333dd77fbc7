"""The staff list of transfers: its filters and its rows, each drawn once for what they say (docs/decisions/0032)."""

from collections.abc import Iterable
from uuid import UUID

from django.http import QueryDict
from django.urls import reverse
from django.utils.safestring import SafeString

from funding import standing
from funding.models import Transfer
from funding.staff_forms import TransferFilterForm
from portal import clock
from portal.templatetags.ui import badge, compact_ball, moment_html
from portal.templatetags.ui_forms import field
from portal.ui.drawing import component, joined, markup, remembered
from portal.ui.time import Moment, moment

#: A field's name and what the address gives for it.
Pairs = tuple[tuple[str, str], ...]


def given(address: QueryDict) -> Pairs:
    """What the address says of the filters."""
    return tuple((name, str(address[name])) for name in TransferFilterForm.base_fields if name in address)


@remembered(256)
def panel(*, pairs: Pairs, url: str, is_open: bool) -> SafeString:
    """The form of the filters; `url` is the list without any."""
    fields = joined(field(bound) for bound in TransferFilterForm(dict(pairs)))
    return component("filter_panel", content=fields, is_open=is_open, action="", clear_url=url)


def drawn(transfers: Iterable[Transfer]) -> SafeString:
    """The rows of these transfers, as the list reads them."""
    rows = []
    for each in transfers:
        ball = standing.ball(each)
        rows.append(
            _row(
                key=each.pk,
                short=each.short,
                name=getattr(each, "customer_name", "") or each.account.client_account_id,
                what=standing.name(each),
                code=each.reason_code,
                amount=standing.signed(each).format(),
                status=(str(each.get_status_display()), standing.TONES[Transfer.Status(each.status)]),
                ball=(str(ball.holder), ball.line, bool(ball.due and ball.due < clock.now())),
                asked=moment(each.created_at),
            )
        )
    return joined(rows)


@remembered(4096)
def _row(
    *,
    key: UUID,
    short: str,
    name: str,
    what: str,
    code: str,
    amount: str,
    status: tuple[str, str],
    ball: tuple[str, str, bool],
    asked: Moment,
) -> SafeString:
    return markup(
        '<tr><td data-label="Customer"><a href="{}">{}<span class="visually-hidden">, transfer {}</span></a></td>'
        '<td data-label="What">{}{}</td><td data-label="Amount" class="num nowrap">{}</td>'
        '<td data-label="Status">{}</td><td data-label="Who has the ball">{}</td>'
        '<td data-label="Asked for" class="nowrap">{}</td></tr>\n',
        reverse("funding_staff:transfer", args=[key]),
        name,
        short,
        what,
        markup(' <span class="muted">{}</span>', code) if code else "",
        amount,
        badge(*status),
        compact_ball(*ball),
        moment_html(asked),
    )
