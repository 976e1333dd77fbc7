"""Staff pages of limits: what stands for everyone, what stands for one account, and changing either."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funding import limits, services
from funding import permissions as mine
from funding.models import TransferLimit
from funding.staff_forms import LimitForm
from onboarding import shut_away
from onboarding.models import Owner, ProviderAccount
from portal import permissions
from portal.errors import Invalid, NotFound
from portal.forms_ui import add_errors
from portal.money import Money
from portal.staff import staff_page, user_of

NAMES = ("least", "single", "day", "month", "second_factor", "second_person")
#: So many accounts with limits of their own are listed.
MOST = 200


@require_GET
@staff_page
def everyone(request: HttpRequest) -> HttpResponse:
    """The limits that stand for everyone, and the accounts that have their own."""
    permissions.require(user_of(request), mine.VIEW)
    own = TransferLimit.objects.exclude(account=None).select_related("account").order_by("account", "pk")
    accounts = {row.account_id: row.account for row in own[:MOST]}
    context = _context(request, None) | {"accounts": accounts.values()}
    return render(request, "funding/staff/limits.html", context)


@require_GET
@staff_page
def of_account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The limits that stand for one account, and how much of each is used."""
    permissions.require(user_of(request), mine.VIEW)
    account = _account(account_id)
    shut_away.require_open(user_of(request), account.application.customer)
    return render(request, "funding/staff/limits.html", _context(request, account))


@require_http_methods(["GET", "POST"])
@staff_page
def change(
    request: HttpRequest, asker: str, rail: str, direction: str, account_id: UUID | None = None
) -> HttpResponse:
    """One rule, for everyone or one account."""
    actor = user_of(request)
    permissions.require(actor, mine.LIMITS)
    if (asker, rail, direction) not in limits.FIRST:
        raise NotFound("There is no such limit.")
    account = _account(account_id) if account_id else None
    rule = {"asker": asker, "rail": rail, "direction": direction}
    form = LimitForm(
        request.POST if request.method == "POST" else None,
        asker=asker,
        initial=_typed(_now(account, **rule)),
    )
    back = _page(account.pk if account else None)
    if form.is_bound and form.is_valid():
        try:
            services.limit_save(actor=actor, account_id=account_id, wanted=form.wanted(), **rule)
        except Invalid as error:
            add_errors(form, error.fields)
        else:
            messages.success(request, "The limit is kept and counts from now on.")
            return redirect(back)
    context = {
        "form": form,
        "back": back,
        "title": _title(**rule),
        "whose": account.client_account_id if account else "Everyone without limits of their own",
        "nav_section": "transfers",
    }
    return render(request, "funding/staff/limit.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page
def remove(request: HttpRequest, limit_id: UUID) -> HttpResponse:
    """What stands for everyone counts for the account again."""
    actor = user_of(request)
    permissions.require(actor, mine.LIMITS)
    account_id = TransferLimit.objects.filter(pk=limit_id).values_list("account_id", flat=True).first()
    services.limit_remove(actor=actor, limit_id=limit_id)
    messages.success(request, "What stands for everyone counts again.")
    return redirect(_page(account_id))


def _context(request: HttpRequest, account: ProviderAccount | None) -> dict[str, Any]:
    owner = None
    if account is not None:
        owner = Owner.objects.filter(application=account.application_id, is_applicant=True).first()
    return {
        "rows": [_row(account, *key) for key in limits.FIRST],
        "account": account,
        "name": owner.full_name if owner else "",
        "may_change": permissions.can_do(user_of(request), mine.LIMITS),
        "nav_section": "transfers",
    }


def _row(account: ProviderAccount | None, asker: str, rail: str, direction: str) -> dict[str, Any]:
    key = {"asker": asker, "rail": rail, "direction": direction}
    kept = TransferLimit.objects.filter(account=account, **key).select_related("changed_by").first()
    rule = _now(account, **key)
    used = limits.used(account, rail, direction) if account else None
    whose = {"account_id": account.pk} if account else {}
    by_customer = asker == TransferLimit.Asker.CUSTOMER
    confirmed = rule.second_factor if by_customer else rule.second_person
    return {
        "title": _title(**key),
        "limit": kept,
        "least": _words(rule.least),
        "single": _words(rule.single),
        "day": _words(rule.day),
        "month": _words(rule.month),
        "confirmed": f"{'Second factor' if by_customer else 'Second person'} above {_words(confirmed)}"
        if confirmed is not None
        else ("Nothing besides the sign-in" if by_customer else "One person is enough"),
        "used_day": _words(used.day) if used else "",
        "used_month": _words(used.month) if used else "",
        "url": reverse(
            "funding_staff:account_limit" if account else "funding_staff:limit", kwargs=key | whose
        ),
    }


def _now(account: ProviderAccount | None, asker: str, rail: str, direction: str) -> limits.Limits:
    if account is None:
        return limits.limits_for_all(asker, rail, direction)
    return limits.limits_for(account, asker, rail, direction)


def _title(asker: str, rail: str, direction: str) -> str:
    who = {"customer": "Customers", "staff": "Staff, for a customer"}[asker]
    what = {"deposit": "deposits", "withdrawal": "withdrawals"}[direction]
    return f"{who}: {what} by {'ACH' if rail == 'ach' else rail}"


def _words(minor: int | None) -> str:
    return "No limit" if minor is None else Money(minor, "USD").format()


def _typed(rule: limits.Limits) -> dict[str, Money | None]:
    return {name: Money.from_columns(getattr(rule, name), "USD") for name in NAMES}


def _page(account_id: UUID | None) -> str:
    if account_id is None:
        return reverse("funding_staff:limits")
    return reverse("funding_staff:account_limits", args=[account_id])


def _account(account_id: UUID) -> ProviderAccount:
    found = ProviderAccount.objects.select_related("application__customer").filter(pk=account_id).first()
    if found is None:
        raise NotFound("There is no such account.")
    return found
