"""The staff page of returned ACH transfers: the rates against Nacha's thresholds, by code, and the newest."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from funding import panels, returns, standing
from funding import permissions as mine
from funding import staff_selectors as selectors
from funding.models import Transfer
from portal import permissions
from portal.staff import staff_page, user_of
from providers.bakkt.assumptions import MOST_ACH_RETURNS

NEWEST = 25


@require_GET
@staff_page
def page(request: HttpRequest) -> HttpResponse:
    """What came back in 60 days, how near the thresholds that is, and what each code asks for."""
    actor = user_of(request)
    permissions.require(actor, mine.VIEW)
    rates = returns.rates()
    chosen = selectors.TransferFilter(status=Transfer.Status.RETURNED, rail=Transfer.Rail.ACH)
    newest = selectors.page(actor, chosen, size=NEWEST).rows
    return render(
        request,
        "funding/staff/returns.html",
        {
            "rates": rates,
            "back": rates.number("overall"),
            "gauges": panels.gauges(rates),
            "codes": [{"row": row, "url": panels.behind(row.code.code)} for row in rates.codes],
            "newest": [
                {
                    "transfer": row,
                    "name": getattr(row, "customer_name", ""),
                    "reason": standing.reason_of(row),
                }
                for row in newest
            ],
            "most": MOST_ACH_RETURNS,
            "nav_section": "transfers",
        },
    )
