"""Wires: where a customer sends one, and the accounts of their own to which one may go."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funding import instructions, selectors, services
from funding import permissions as mine
from funding.errors import TransferRefused
from funding.forms import RecipientForm
from onboarding.views.shared import customer_page
from portal.errors import ProviderAway
from portal.staff import user_of


@require_GET
@customer_page
@cache_control(no_store=True)
def wire_in(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Where to send a wire, as the provider says at this moment."""
    user = user_of(request)
    account = mine.account_for(user, account_id)
    context = {"account": account, "rules": instructions.RULES, "nav_section": "money"}
    status = 200
    try:
        found = instructions.wire_instructions(user, account)
    except TransferRefused as error:
        context["stops"] = error.stops
    except ProviderAway as error:
        context["away"], status = error.message, error.status
    else:
        context |= {
            "reference": found.reference,
            "rows": [
                ("Beneficiary", found.beneficiary_name),
                ("Beneficiary's address", found.beneficiary_address),
                ("Bank", found.bank_name),
                ("Bank's address", found.bank_address),
                ("Routing number", found.routing_number),
                ("Account number", found.account_number),
                ("SWIFT code", found.swift_code),
            ],
        }
    return render(request, "funding/customer/wire_in.html", context, status=status)


@require_http_methods(["GET", "POST"])
@customer_page
def recipients(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """The bank accounts kept for wires, and one more."""
    user = user_of(request)
    account = mine.account_for(user, account_id)
    form = RecipientForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        given = {name: value for name, value in form.cleaned_data.items() if name != "own"}
        services.wire_recipient_add(actor=user, account_id=account.pk, **given)
        messages.success(request, "The bank account is kept. You can withdraw to it by wire now.")
        return redirect("money:recipients", account.pk)
    context = {
        "account": account,
        "form": form,
        "recipients": selectors.recipients_of(account),
        "nav_section": "money",
    }
    return render(request, "funding/customer/recipients.html", context, status=422 if form.errors else 200)


@require_POST
@customer_page
def recipient_remove(request: HttpRequest, recipient_id: UUID) -> HttpResponse:
    """Offer it no more."""
    recipient = services.wire_recipient_remove(actor=user_of(request), recipient_id=recipient_id)
    messages.success(request, "The bank account was removed.")
    return redirect("money:recipients", recipient.account_id)
