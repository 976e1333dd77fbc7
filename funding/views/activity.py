"""What happened with an account's money: the list, one transfer with its story, its receipt, taking it back."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from funding import downloads, receipts, selectors, services, standing, story
from funding import permissions as mine
from funding.forms import ActivityForm
from funding.models import Transfer
from funding.views.money import rows_of
from onboarding.views.shared import customer_page
from portal.errors import DomainError
from portal.pages import keyset
from portal.staff import user_of
from providers.views.paging import cursors, pager

PAGE = 25


@require_GET
@customer_page
def activity(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Every movement, newest first; the filters stand in the address."""
    account = mine.account_for(user_of(request), account_id)
    form = ActivityForm(request.GET)
    page = keyset(selectors.activity(account, form.chosen()), size=PAGE, **cursors(request))
    context = {
        "account": account,
        "form": form,
        "chips": _chips(request, form),
        "rows": rows_of(page.rows),
        "nav_section": "money",
    }
    return render(request, "funding/customer/activity.html", context | pager(request, page))


def _chips(request: HttpRequest, form: ActivityForm) -> list[dict[str, str]]:
    """What is filtered now, each with the address without it."""
    given = {name: value for name, value in request.GET.items() if name in form.cleaned_data and value}
    chips = []
    for name, value in given.items():
        if form.cleaned_data.get(name):
            label = dict(getattr(form.fields[name], "choices", [])).get(value, value)
            rest = urlencode({other: kept for other, kept in given.items() if other != name})
            chips.append({"label": f"{form.fields[name].label}: {label}", "url": f"?{rest}"})
    return chips


@require_GET
@customer_page
def transfer(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """One movement: where it stands, what happened so far, what can be done."""
    return render(request, "funding/customer/transfer.html", _context(request, transfer_id))


@require_GET
@customer_page
def transfer_part(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """The part of that page which changes, for htmx."""
    return render(request, "funding/customer/_transfer.html", _context(request, transfer_id))


def _context(request: HttpRequest, transfer_id: UUID) -> dict[str, Any]:
    found = selectors.transfer_for(user_of(request), transfer_id)
    return {
        "transfer": found,
        "name": standing.name(found),
        "tone": standing.TONES[Transfer.Status(found.status)],
        "words": standing.explain(found),
        "ball": standing.ball(found),
        "rows": receipts.facts(found),
        "timeline": story.of(found),
        "may_cancel": found.status == Transfer.Status.HELD,
        "nav_section": "money",
    }


@require_GET
@customer_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponseBase:
    """The receipt as a PDF."""
    user = user_of(request)
    return downloads.receipt(selectors.transfer_for(user, transfer_id), actor=user, source="page")


@require_POST
@customer_page
def cancel(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """Take back what was not sent yet."""
    found = selectors.transfer_for(user_of(request), transfer_id)
    try:
        services.transfer_cancel(
            actor=user_of(request), transfer_id=found.pk, reason="The customer took it back", source="page"
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "The transfer was cancelled. Nothing was moved.")
    return redirect("money:transfer", found.pk)
