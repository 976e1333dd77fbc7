"""The customer's money: their accounts, and one account with all there is to know and do."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET

from funding import balances, notices, selectors, standing
from funding import permissions as mine
from funding.bank_standing import standing as bank_standing
from funding.models import Transfer
from funding.terms import Order, terms
from onboarding.as_customer import is_look
from onboarding.availability import Stop
from onboarding.models import ProviderAccount
from onboarding.views.shared import customer_page
from portal.models import User
from portal.staff import user_of

Direction, Rail, Account = Transfer.Direction, Transfer.Rail, ProviderAccount.Status
#: Not at the provider yet, or never opened there: it has no balance to read.
WITHOUT_BALANCE = frozenset(
    {Account.PENDING, Account.UNDER_REVIEW, Account.DOCUMENTS_NEEDED, Account.INACTIVE}
)
LATEST = 5


@require_GET
@customer_page
def home(request: HttpRequest) -> HttpResponse:
    """The customer's accounts; who has one comes to it at once."""
    user = user_of(request)
    accounts = list(selectors.accounts_of(user))
    if len(accounts) == 1:
        return redirect("money:account", accounts[0].pk)
    cards = [{"account": row, "money": balances.standing(row)} for row in accounts]
    return render(request, "funding/customer/home.html", {"cards": cards, "nav_section": "money"})


@require_GET
@customer_page
def account(request: HttpRequest, account_id: UUID) -> HttpResponse:
    """Balance, what can be withdrawn and when, the bank, what is on its way, and what happened last."""
    user = user_of(request)
    found = mine.account_for(user, account_id)
    # Whoever looks at the page in the customer's stead sees what is known, and asks the provider nothing.
    is_known = found.status in WITHOUT_BALANCE or is_look(request)
    is_fresh = is_known or balances.refresh_if_old(found)
    context = account_context(user, found) | {
        "is_fresh": is_fresh,
        "several": selectors.accounts_of(user).count() > 1,
        "notices": [{"notice": row, "words": notices.words(row)} for row in notices.latest(user, LATEST)],
        "under_way": rows_of(selectors.under_way(found)[:20]),
        "latest": rows_of(
            selectors.activity(found).exclude(status__in=Transfer.UNDER_WAY).order_by("-pk")[:LATEST]
        ),
    }
    return render(request, "funding/customer/account.html", context)


def account_context(user: User, found: ProviderAccount) -> dict[str, Any]:
    """What every page about an account's money shows: its money, and why it cannot be moved now, if so."""
    add = terms(user, found, Order(Direction.DEPOSIT, Rail.ACH))
    out = withdraw_stops(user, found)
    return {
        "account": found,
        "money": add.money,
        "releases": [standing.release_line(row) for row in add.money.releases],
        "bank": add.bank,
        "bank_stands": bank_standing(found),
        "bank_url": f"{reverse('money:bank')}?account={found.pk}",
        "is_without_way": is_without_way(add.stops, out),
        "add_stops": add.stops,
        "most": add.most,
        "withdraw_stops": out,
        "nav_section": "money",
    }


def is_without_way(add: list[Stop], out: list[Stop]) -> bool:
    """Whether a bank is all that is missing: nothing is wrong then, there is something to begin with."""
    return {stop.code for stop in add} == {"no_bank"} and {stop.code for stop in out} <= {
        "no_bank",
        "no_recipient",
    }


def withdraw_stops(user: User, found: ProviderAccount) -> list[Stop]:
    """Why nothing can be withdrawn now, neither to the bank nor by wire; empty when one of them can."""
    by_ach = terms(user, found, Order(Direction.WITHDRAWAL, Rail.ACH))
    if not by_ach.stops:
        return []
    by_wire = terms(user, found, Order(Direction.WITHDRAWAL, Rail.WIRE))
    if by_wire.stops or selectors.recipients_of(found).exists():
        return by_wire.stops
    return [
        *by_ach.stops,
        Stop("no_recipient", "No bank account for wires is kept.", "Or add one, and withdraw by wire."),
    ]


def rows_of(transfers: Any) -> list[dict[str, Any]]:
    """Movements as lists show them."""
    return [
        {
            "transfer": row,
            "name": standing.name(row),
            "other": standing.other_side(row),
            "amount": standing.signed(row),
            "tone": standing.TONES[row.status],
            "title": standing.explain(row).title,
        }
        for row in transfers
    ]
