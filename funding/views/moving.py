"""Adding money and withdrawing it: the amount, the page that says what will happen, and what happens next."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from funding import authorising, balances, selectors, services, standing
from funding import permissions as mine
from funding.errors import SecondFactorNeeded, TransferRefused
from funding.forms import AcceptForm, DepositForm, WithdrawForm, places_of
from funding.models import Transfer, TransferDraft
from funding.services.transfers import authorisation_text
from funding.terms import ABOUT_AMOUNT, Order, Terms, live_bank, terms
from funding.views.money import account_context
from onboarding.models import ProviderAccount
from onboarding.views.shared import customer_page
from portal import clock
from portal.auth.factors import confirm_url, has_second_factor, shown_lately
from portal.errors import Invalid
from portal.staff import user_of

Direction, Rail = Transfer.Direction, Transfer.Rail
#: An equal order so shortly before is named on the review page, in case this one is it once more.
SAME_AGAIN = timedelta(minutes=15)


@require_http_methods(["GET", "POST"])
@customer_page
def deposit(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """How much to take from the linked bank."""
    found = mine.account_for(user_of(request), account_id)
    form = DepositForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        order = Order(Direction.DEPOSIT, Rail.ACH, form.cleaned_data["amount"])
        draft = _started(request, found, form, order)
        if draft is not None:
            return redirect("money:review", draft.pk)
    context = account_context(user_of(request), found)
    context |= {"form": form, "stops": context["add_stops"]}
    return render(request, "funding/customer/deposit.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@customer_page
def withdraw(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """How much goes where: to the linked bank, or by wire to an account of one's own."""
    user = user_of(request)
    found = mine.account_for(user, account_id)
    recipients = list(selectors.recipients_of(found))
    bank = live_bank(found)
    places = places_of(bank, recipients)
    form = WithdrawForm(
        request.POST if request.method == "POST" else None,
        places=places,
        initial={"to": places[0][0] if places else ""},
    )
    if form.is_bound and form.is_valid():
        to = form.cleaned_data["to"]
        recipient = next((row for row in recipients if str(row.pk) == to), None)
        rail = Rail.WIRE if recipient else Rail.ACH
        order = Order(Direction.WITHDRAWAL, rail, form.cleaned_data["amount"], recipient)
        draft = _started(request, found, form, order)
        if draft is not None:
            return redirect("money:review", draft.pk)
    if request.method == "GET":
        balances.refresh_if_old(found)
    context = account_context(user, found)
    context |= {"form": form, "stops": context["withdraw_stops"], "places": places}
    return render(request, "funding/customer/withdraw.html", context, status=422 if form.errors else 200)


def _started(
    request: HttpRequest, found: ProviderAccount, form: DepositForm, order: Order
) -> TransferDraft | None:
    """The order for its review page, or None with every reason against it on the form."""
    try:
        return services.draft_start(actor=user_of(request), account_id=found.pk, order=order)
    except TransferRefused as error:
        for stop in error.stops:
            form.add_error("amount" if stop.code in ABOUT_AMOUNT else None, str(stop))
        return None


@require_http_methods(["GET", "POST"])
@customer_page
def review(request: HttpRequest, draft_id: UUID) -> HttpResponse:
    """What will happen and what is agreed to; accepting it asks for the transfer, once."""
    user = user_of(request)
    draft = selectors.draft_for(user, draft_id)
    if draft.transfer_id is not None:
        return redirect("money:done", draft.transfer_id)
    form = AcceptForm(request.POST if request.method == "POST" else None)
    problems: list[str] = []
    if request.method == "POST" and (draft.rail == Rail.WIRE or form.is_valid()):
        accepted = services.Accepted(
            text_sha256="" if draft.rail == Rail.WIRE else form.cleaned_data["text_sha256"],
            second_factor=shown_lately(request.session),
        )
        try:
            transfer = services.draft_accept(actor=user, draft_id=draft.pk, accepted=accepted)
        except TransferRefused as error:
            problems = [str(stop) for stop in error.stops]
        except (Invalid, SecondFactorNeeded) as error:
            # A day has begun since the text was shown, or the second factor is too long ago.
            problems = [error.message]
        else:
            return redirect("money:done", transfer.pk)
    context = _review_context(request, draft) | {"problems": problems}
    again = AcceptForm(initial={"text_sha256": context["text_sha256"]})
    context["form"] = form if form.is_bound and form.errors and draft.rail == Rail.ACH else again
    is_wrong = problems or context["form"].errors
    return render(request, "funding/customer/review.html", context, status=422 if is_wrong else 200)


def _review_context(request: HttpRequest, draft: TransferDraft) -> dict[str, Any]:
    user = user_of(request)
    account = mine.account_for(user, draft.account_id)
    order = Order(draft.direction, draft.rail, draft.amount, draft.recipient)
    found = terms(user, account, order)
    text = authorisation_text(account, found) if draft.rail == Rail.ACH else ""
    needs_factor = found.second_factor and not shown_lately(request.session)
    is_deposit = draft.direction == Direction.DEPOSIT
    return {
        "account": account,
        "draft": draft,
        "is_deposit": is_deposit,
        "rows": _rows(draft, found),
        "stops": found.stops,
        "held_for": found.held_for,
        "text": text,
        "text_sha256": authorising.digest(text),
        "needs_factor": needs_factor,
        "has_factor": has_second_factor(user),
        "confirm_url": confirm_url(user, request.path) if needs_factor else "",
        "again": _lately(draft),
        "back": reverse("money:deposit" if is_deposit else "money:withdraw", args=[account.pk]),
        "nav_section": "money",
    }


def _rows(draft: TransferDraft, found: Terms) -> list[dict[str, str]]:
    """The order in words, with its days."""
    other = f"{found.bank.institution} ending in {found.bank.mask}" if found.bank else ""
    if draft.recipient is not None:
        other = f"{draft.recipient.bank_name} {draft.recipient.account_number}"
    rows = [
        {"label": "Amount", "value": draft.amount.format()},
        {"label": "From" if draft.direction == Direction.DEPOSIT else "To", "value": other},
        {"label": "How", "value": "ACH" if draft.rail == Rail.ACH else "Wire"},
        {"label": "Expected by", "value": standing.day(found.expected_on)},
    ]
    if found.release_on is not None:
        rows.append({"label": "Can be withdrawn from", "value": standing.day(found.release_on)})
    return rows


def _lately(draft: TransferDraft) -> Transfer | None:
    """An equal order of the last minutes."""
    since = clock.now() - SAME_AGAIN
    rows = Transfer.objects.filter(
        account_id=draft.account_id,
        direction=draft.direction,
        amount_minor=draft.amount_minor,
        kind=Transfer.Kind.TRANSFER,
        created_at__gt=since,
    )
    return rows.exclude(status__in=Transfer.ENDED_BADLY).order_by("-pk").first()


@require_GET
@customer_page
def done(request: HttpRequest, transfer_id: UUID) -> HttpResponse:
    """It was asked for: what happens next, and when."""
    transfer = selectors.transfer_for(user_of(request), transfer_id)
    context = {
        "transfer": transfer,
        "name": standing.name(transfer),
        "other": standing.other_side(transfer),
        "words": standing.explain(transfer),
        "expected": standing.day(transfer.expected_on),
        "release": standing.day(transfer.release_on) if transfer.is_deposit else "",
        "nav_section": "money",
    }
    return render(request, "funding/customer/done.html", context)
