"""Staff ask for a transfer on a customer's behalf: what, the terms as the customer would read them, and their word."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from funding import balances, services, terms
from funding import permissions as mine
from funding.models import Transfer, WireRecipient
from funding.services.transfers import authorisation_text
from funding.staff_forms import AgreedForm, AskForm
from onboarding import selectors as onboarding
from onboarding.models import ProviderAccount
from portal.errors import Conflict, Invalid
from portal.staff import staff_page, user_of


@require_http_methods(["GET", "POST"])
@staff_page
def ask(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Two steps on one address: what is wanted, then its terms with the text that is read to the customer."""
    actor = user_of(request)
    account = mine.account_for(actor, account_id, needs=mine.CREATE)
    application = onboarding.application_for_staff(actor, account.application_id)
    recipients = WireRecipient.objects.filter(account=account, removed_at=None)
    form = AskForm(request.POST if request.method == "POST" else None, recipients=recipients)
    agreed, found, text = AgreedForm(text=""), None, ""
    if form.is_bound and form.is_valid():
        order = terms.Order(form.direction, form.rail, form.cleaned_data["amount"], form.chosen_recipient)
        found = terms.terms(actor, account, order)
        text = authorisation_text(account, found) if form.rail == Transfer.Rail.ACH else ""
        agreed = AgreedForm(request.POST if "agree" in request.POST else None, text=text)
        if agreed.is_bound and agreed.is_valid() and not found.stops:
            done = _asked(request, account, order, agreed)
            if done is not None:
                return done
            agreed = AgreedForm(text=text)
    context = {
        "application": application,
        "account": account,
        "form": form,
        "agreed": agreed,
        "terms": found,
        "text": text,
        "held_for": [terms.HELD_FOR[code] for code in found.held_for] if found else [],
        "money": balances.standing(account),
        "nav_section": "transfers",
    }
    invalid = form.errors or agreed.errors or (found is not None and found.stops)
    return render(request, "funding/staff/ask.html", context, status=422 if invalid else 200)


def _asked(
    request: HttpRequest, account: ProviderAccount, order: terms.Order, agreed: AgreedForm
) -> HttpResponse | None:
    """The answer once it is asked for; None where the terms have to be looked at again."""
    assert order.amount is not None
    try:
        transfer = services.transfer_request(
            actor=user_of(request),
            account_id=account.pk,
            direction=order.direction,
            rail=order.rail,
            amount=order.amount,
            source="page",
            # Staff signed in with a second factor, and have a second person where the limits ask for one.
            accepted=services.Accepted(agreed.cleaned_data["digest"], second_factor=True),
            recipient_id=order.recipient.pk if order.recipient else None,
        )
    except Invalid:
        messages.error(request, "The text has changed since you read it out. Read it again.")
        return None
    except Conflict as error:
        messages.error(request, error.message)
        return None
    held = transfer.status == Transfer.Status.HELD
    words = "It waits for a second person now." if held else "The transfer is on its way to the provider."
    messages.success(request, words)
    return redirect("funding_staff:transfer", transfer.pk)
