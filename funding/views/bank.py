"""The customer's page of their bank: link one, choose an account, sign in again, unlink.

Link opens on one page of ours by a script, or without JavaScript on a page of Plaid's that leads back here.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from funding import bank_words, services
from funding.bank_standing import Standing, State, open_session, standing
from funding.models import LinkedBank, LinkSession
from funding.selectors import accounts_of
from funding.services import Way
from onboarding.models import ProviderAccount
from onboarding.views.shared import customer_page
from portal.errors import Conflict, DomainError, Invalid, NotFound, ProviderAway
from portal.models import User
from portal.staff import user_of
from providers.plaid.page import allow_bank_link, bank_link

#: Reasons against unlinking that the page says anyhow, so it has no link there.
_MOVING = frozenset({"bank_linking", "bank_unlinking"})
#: States that end by themselves: the page looks again.
PASSING = frozenset({State.READING, State.LINKING, State.UNLINKING})


def account_of(user: User, wanted: str = "") -> ProviderAccount:
    """The customer's account that the page is about: the one named, else the newest. Raises NotFound."""
    rows = accounts_of(user)
    try:
        found = rows.filter(pk=UUID(wanted)).first() if wanted else rows.last()
    except ValueError:
        found = None
    if found is None:
        raise NotFound("There is no account yet. Open one first.")
    return found


class ChooseForm(forms.Form):
    """Which account to link."""

    account = forms.ChoiceField(
        label="Account",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose an account.", "invalid_choice": "Choose one of these accounts."},
    )

    def __init__(self, *args: Any, found: Standing, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account"].choices = [  # type: ignore[attr-defined]
            (one["id"], f"{one['name']}, ending in {one['mask']}" if one["mask"] else one["name"])
            for one in found.choices
            if one["offered"]
        ]
        if len(self.fields["account"].choices) == 1:  # type: ignore[attr-defined]
            # At the bank the customer has chosen it already.
            self.initial["account"] = self.fields["account"].choices[0][0]  # type: ignore[attr-defined]


@require_GET
@never_cache
@customer_page
def bank(request: HttpRequest) -> HttpResponse:
    """Where it stands, and what to do now."""
    return _page(request, account_of(user_of(request), request.GET.get("account", "")))


def _page(request: HttpRequest, account: ProviderAccount, *, form: ChooseForm | None = None) -> HttpResponse:
    user = user_of(request)
    found = standing(account)
    others = accounts_of(user).exclude(pk=account.pk)
    stops = services.why_not_link(user, account)
    unlink_stops = services.why_not_unlink(found.bank) if found.bank else []
    context = {
        "account": account,
        "others": others,
        "found": found,
        "form": form or (ChooseForm(found=found) if found.state == State.CHOOSE else None),
        "unfit": [one for one in found.choices if not one["offered"]],
        "stops": stops,
        "may_link": not stops,
        "history": LinkedBank.objects.filter(account=account)
        .defer("access_token")
        .order_by("-created_at")[:20],
        "what_next": bank_words.what_next(found.bank) if found.bank else "",
        "may_unlink": found.bank is not None and not any(stop.code in _MOVING for stop in unlink_stops),
        "passing": found.state in PASSING and not (found.bank and found.bank.stuck_at),
        "nav_section": "money",
    }
    status = 422 if form is not None and form.errors else 200
    return render(request, "funding/customer/bank.html", context, status=status)


@require_POST
@never_cache
@customer_page
def start(request: HttpRequest) -> HttpResponse:
    """Begin to link a bank, or to sign in at it again: on to the page where Link opens."""
    user = user_of(request)
    account = account_of(user, request.POST.get("account", ""))
    purpose = request.POST.get("purpose", LinkSession.Purpose.NEW)
    if purpose not in LinkSession.Purpose.values:
        raise Invalid("There is no such way to link.")
    # The bank's own sign-in leads back to that page, which Plaid knows beforehand (docs/operate.md).
    way = Way(redirect_uri=settings.PORTAL_URL + reverse("money:bank_link"))
    try:
        services.link_start(actor=user, account_id=account.pk, purpose=purpose, way=way, source="page")
    except (Conflict, ProviderAway) as error:
        messages.error(request, error.message)
        return _back(account)
    return redirect("money:bank_link")


@require_GET
@never_cache
@customer_page
def link(request: HttpRequest) -> HttpResponse:
    """The one page where Link opens, by the newest token; a bank's own sign-in comes back here."""
    session = open_session(user_of(request))
    if session is None or session.token is None:
        return redirect("money:bank")
    context = {
        "session": session,
        "account": session.account,
        "bank_link": bank_link(session.token.reveal()),
        "is_update": session.purpose == LinkSession.Purpose.UPDATE,
        "nav_section": "money",
    }
    return allow_bank_link(render(request, "funding/customer/bank_link.html", context))


@require_POST
@never_cache
@customer_page
def linked(request: HttpRequest, session_id: UUID) -> HttpResponse:
    """What Link brought by the page's script; without one, off to Plaid's own page."""
    user = user_of(request)
    session = LinkSession.objects.select_related("account").filter(pk=session_id, started_by=user).first()
    if session is None:
        raise NotFound("There is no such link.")
    try:
        if not request.POST.get("done"):
            return _hosted(user, session)
        if session.purpose == LinkSession.Purpose.UPDATE:
            services.link_end(actor=user, session_id=session.pk, source="page")
            messages.info(request, "Thank you. We ask your bank whether all is well again.")
        else:
            token = request.POST.get("public_token", "")
            services.link_bring(actor=user, session_id=session.pk, public_token=token, source="page")
    except (Conflict, Invalid, ProviderAway) as error:
        messages.error(request, error.message)
    return _back(session.account)


def _hosted(user: User, session: LinkSession) -> HttpResponse:
    back = settings.PORTAL_URL + reverse("money:bank_done")
    way = Way(hosted=True, completion_redirect=back)
    made = services.link_start(
        actor=user, account_id=session.account_id, purpose=session.purpose, way=way, source="page"
    )
    assert made.hosted_url is not None, "a page of Plaid's was asked for"
    response = HttpResponseRedirect(made.hosted_url.reveal())
    response.status_code = 303
    response["Referrer-Policy"] = "no-referrer"
    return allow_bank_link(response)


@require_http_methods(["GET", "POST"])
@never_cache
@customer_page
def done(request: HttpRequest) -> HttpResponse:
    """Back from Plaid's page: what came of it is read, should its webhook be late."""
    user = user_of(request)
    session = (
        LinkSession.objects.filter(started_by=user, hosted_url__isnull=False).order_by("-created_at").first()
    )
    if session is None:
        return redirect("money:bank")
    if session.is_open:
        services.link_end(actor=user, session_id=session.pk, source="page")
        messages.info(request, "Thank you. We ask your bank; this page shows in a moment what comes next.")
    return _back(session.account)


@require_POST
@never_cache
@customer_page
def choose(request: HttpRequest, login_id: UUID) -> HttpResponse:
    """Link the chosen account, or none of them."""
    user = user_of(request)
    account = account_of(user, request.POST.get("for", ""))
    try:
        if request.POST.get("do") == "none":
            services.login_drop(actor=user, login_id=login_id, source="page")
            return _back(account)
        found = standing(account)
        form = ChooseForm(request.POST, found=found)
        if found.state == State.CHOOSE and not form.is_valid():
            return _page(request, account, form=form)
        wanted = request.POST.get("account", "")
        services.account_choose(actor=user, login_id=login_id, plaid_account_id=wanted, source="page")
    except (Conflict, Invalid) as error:
        messages.error(request, error.message)
    return _back(account)


@require_http_methods(["GET", "POST"])
@never_cache
@customer_page
def unlink(request: HttpRequest) -> HttpResponse:
    """Ask once more, then unlink."""
    user = user_of(request)
    account = account_of(user, request.POST.get("account") or request.GET.get("account", ""))
    if request.method == "POST":
        try:
            services.bank_unlink(actor=user, account_id=account.pk, source="page")
        except DomainError as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The bank is being unlinked.")
        return _back(account)
    found = standing(account)
    if found.bank is None or found.bank.status not in LinkedBank.LIVE:
        raise NotFound("No bank is linked.")
    context = {
        "account": account,
        "bank": found.bank,
        "stops": services.why_not_unlink(found.bank),
        "nav_section": "money",
    }
    return render(request, "funding/customer/bank_unlink.html", context)


def _back(account: ProviderAccount) -> HttpResponse:
    return redirect(f"{reverse('money:bank')}?account={account.pk}")
