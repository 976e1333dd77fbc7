"""A customer's statements and receipts for staff: the same files as the customer gets."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from funding import downloads, statements
from funding import permissions as mine
from funding import staff_selectors as selectors
from onboarding import shut_away
from onboarding.models import ProviderAccount
from portal.models import User
from portal.staff import staff_page, user_of


def _account(actor: User, account_id: UUID) -> ProviderAccount:
    account = mine.account_for(actor, account_id)
    shut_away.require_open(actor, account.application.customer)
    return account


@require_GET
@staff_page
def months(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Which months there are."""
    account = _account(user_of(request), account_id)
    context = {"account": account, "months": statements.listed(account), "nav_section": "transfers"}
    return render(request, "funding/staff/statements.html", context)


@require_GET
@staff_page
def pdf(request: HttpRequest, account_id: UUID, month: str) -> HttpResponseBase:
    """One month to keep."""
    actor = user_of(request)
    account, part = _account(actor, account_id), request.GET.get("part", "")
    return downloads.statement(account, month, "pdf", actor=actor, source="page", part=part)


@require_GET
@staff_page
def csv(request: HttpRequest, account_id: UUID, month: str) -> HttpResponseBase:
    """One month for a spreadsheet."""
    actor = user_of(request)
    return downloads.statement(_account(actor, account_id), month, "csv", actor=actor, source="page")


@require_GET
@staff_page
def receipt(request: HttpRequest, transfer_id: UUID) -> HttpResponseBase:
    """The receipt of one transfer."""
    actor = user_of(request)
    return downloads.receipt(selectors.transfer(actor, transfer_id), actor=actor, source="page")
