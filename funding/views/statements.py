"""The months of an account, each as a PDF or as CSV."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from funding import downloads, statements
from funding import permissions as mine
from onboarding.views.shared import customer_page
from portal.staff import user_of


@require_GET
@customer_page
def months(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Which months there are."""
    account = mine.account_for(user_of(request), account_id)
    context = {"account": account, "months": statements.listed(account), "nav_section": "money"}
    return render(request, "funding/customer/statements.html", context)


@require_GET
@customer_page
def pdf(request: HttpRequest, account_id: UUID, month: str) -> HttpResponseBase:
    """One month to keep."""
    user = user_of(request)
    account, part = mine.account_for(user, account_id), request.GET.get("part", "")
    return downloads.statement(account, month, "pdf", actor=user, source="page", part=part)


@require_GET
@customer_page
def csv(request: HttpRequest, account_id: UUID, month: str) -> HttpResponseBase:
    """One month for a spreadsheet."""
    user = user_of(request)
    return downloads.statement(mine.account_for(user, account_id), month, "csv", actor=user, source="page")
