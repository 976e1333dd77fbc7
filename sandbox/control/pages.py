"""The pages: the control page, and the one a verification link leads to."""

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from sandbox import endpoint, faults, people, stories
from sandbox.bakkt import events, linking, transfers
from sandbox.bakkt.outcomes import ANYONE, NAMES
from sandbox.clock import iso
from sandbox.control import actions, bank_actions, copies, money
from sandbox.plaid import banks
from sandbox.state import Account, Json
from sandbox.world import World, world

STYLE = Path(__file__).resolve().parent.parent / "static" / "sandbox.css"
BUTTONS = (
    ("Active", "ACTIVE", "ENROLLMENT"),
    ("Ask for papers", "UNDER_REVIEW", "DOCUMENT_VERIFICATION"),
    ("Manual review", "UNDER_REVIEW", "PENDING_REVIEW"),
    ("Fail KYC", "INACTIVE", "RISK_KYC"),
    ("Fail OFAC", "INACTIVE", "RISK_OFAC"),
    ("Fail the tax ID", "INACTIVE", "TAX_ID_MAX_RETRIES"),
    ("Suspend", "SUSPENDED", "COMPLIANCE_LOCKED"),
    ("Too many returns", "SUSPENDED", "MAX_ACH_RETURNS"),
    ("Liquidate", "LIQUIDATED", "LIQUIDATE_ACCOUNT"),
    ("Close", "CLOSED", "CLOSED"),
    ("Unknown words", "HIBERNATING", "FULL_MOON"),
)
# The published words (contract, section 7.2), as suggestions: anything may be sent.
STATUSES = ("ACTIVE", "INACTIVE", "SUSPENDED", "LIQUIDATED", "UNDER_REVIEW", "CLOSED")
REASONS = (
    "ENROLLMENT",
    "DOCUMENT_VERIFICATION",
    "PENDING_REVIEW",
    "RISK_KYC",
    "RISK_OFAC",
    "TAX_ID_MAX_RETRIES",
    "MAX_ACH_RETURNS",
    "COMPLIANCE_LOCKED",
    "ACCOUNT_CLOSURE_REQUESTED",
    "LIQUIDATE_ACCOUNT",
    "LIQUIDATED",
    "CLOSED",
    "OTHER",
)
SETTABLE = (
    "webhook_delay",
    "review_seconds",
    "later_seconds",
    "link_life_seconds",
    "token_seconds",
    "webhook_attempts",
    "webhook_backoff",
)
MONEY_SETTABLE = (
    "ach_deposit_seconds",
    "ach_withdraw_seconds",
    "ach_return_seconds",
    "wire_seconds",
    "wire_unmatched_seconds",
    "return_fee_cents",
    "max_ach_returns",
)
WAITS = (("1 minute", 60), ("1 hour", 3600), ("1 day", 86400), ("3 days (a link's life)", 259200))
SHOWN = 30


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The control page."""
    state = actions.snapshot(world())
    told, broken = stories.load_all()
    context = {
        "state": state,
        "accounts": state["accounts"][::-1][:SHOWN],
        "webhooks": state["webhooks"][::-1][:SHOWN],
        "requests": state["requests"][::-1][:SHOWN],
        "runs": state["runs"][::-1][:SHOWN],
        "names": [*NAMES, ANYONE],
        "stories": told,
        "broken": broken,
        "kinds": faults.KINDS,
        "operations": ["*", *endpoint.OPERATIONS, *faults.EVENTS],
        "buttons": BUTTONS,
        "statuses": STATUSES,
        "reasons": REASONS,
        "people": [(name, people.name_of(name)) for name in people.NAMES],
        "waits": WAITS,
        "settings": [(name, state["settings"][name]) for name in (*SETTABLE, *MONEY_SETTABLE)],
        "moneyed": [account for account in state["accounts"][::-1] if _has_money(account)][:SHOWN],
        "ends": transfers.ENDS,
        "unrequested": transfers.UNREQUESTED,
        "troubles": linking.TROUBLES,
        "items": state["items"][::-1][:SHOWN],
        "institutions": [
            (key, name, key in state["banks_down"]) for key, (name, _) in banks.INSTITUTIONS.items()
        ],
        "owners": list(banks.OWNERS),
        "fired": list(banks.FIRED),
        "refused": request.GET.get("refused", "")[:300],
    }
    return render(request, "sandbox/home.html", context)


def _has_money(account: Json) -> bool:
    """Whether the account may have money, or had."""
    return bool(account["movements"] or account["banks"]) or account["partyStatus"] in (
        "ACTIVE",
        "LIQUIDATED",
    )


def _form(request: HttpRequest) -> Json:
    return {
        name: value
        for name, value in request.POST.items()
        if name != "csrfmiddlewaretoken" and value not in ("", "none")
    }


def _fault(here: World, data: Json) -> None:
    if data.pop("until_off", None):
        data["count"] = None
    actions.fault_add(here, data)


def _event(here: World, data: Json) -> None:
    ref = data.pop("ref")
    if data.get("reasonCode") == "DOCUMENT_VERIFICATION":
        data["link"] = True
    actions.event_send(here, ref, data)


def _drift(here: World, data: Json) -> None:
    text = data.get("value", "")
    try:
        value = json.loads(text) if text else None
    except ValueError:
        value = text
    copies.drift(here, data["ref"], {"changes": {data["path"]: value}})


def _end_update(here: World, data: Json) -> None:
    copies.update_end(here, data.pop("ref"), data)


def _end_transfer(here: World, data: Json) -> None:
    money.end(here, data.pop("id"), data)


def _wire(here: World, data: Json) -> None:
    named = data.pop("reference", "") == "named"
    money.wire_in(here, data.pop("ref"), data | {"reference": named})


def _adjust(here: World, data: Json) -> None:
    money.adjust(here, data.pop("ref"), data)


def _trouble(here: World, data: Json) -> None:
    money.bank_trouble(here, data.pop("ref"), data)


def _story(here: World, data: Json) -> None:
    actions.story_run(here, data.pop("story"), data)


def _bank(here: World, data: Json) -> None:
    item = data["item"]
    if "owner" in data:
        bank_actions.owner_set(here, item, data)
    elif "code" in data:
        bank_actions.webhook_fire(here, item, data)
    elif "mask" in data:
        amounts = {name: data.get(name) for name in ("available", "current")}
        bank_actions.balance_set(here, item, {"mask": data["mask"], **amounts})
    else:
        bank_actions.login_reset(here, item)


def _institution(here: World, data: Json) -> None:
    bank_actions.institution_down(here, data["institution"], down=data.get("down") == "yes")


DEEDS: dict[str, tuple[str, Callable[[World, Json], object]]] = {
    "fault": ("faults", _fault),
    "fault-off": ("faults", lambda here, data: actions.faults_clear(here, data.get("id"))),
    "event": ("accounts", _event),
    "drift": ("accounts", _drift),
    "end-update": ("accounts", _end_update),
    "end-transfer": ("money", _end_transfer),
    "wire-in": ("money", _wire),
    "adjust": ("money", _adjust),
    "bank-trouble": ("money", _trouble),
    "delete-account": ("accounts", lambda here, data: copies.delete(here, data["ref"])),
    "open-account": ("accounts", copies.open_unknown),
    "expire-link": ("accounts", lambda here, data: actions.link_expire(here, data["ref"])),
    "advance": ("clock", lambda here, data: actions.clock_advance(here, data.get("seconds"))),
    "settings": ("settings", actions.settings_change),
    "flush": ("webhooks", lambda here, _: actions.webhooks_flush(here)),
    "resend": ("webhooks", lambda here, data: actions.webhook_resend(here, data["id"])),
    "revoke": ("faults", lambda here, _: actions.tokens_revoke(here)),
    "story": ("stories", _story),
    "story-stop": ("stories", lambda here, data: actions.run_stop(here, data["id"])),
    "bank": ("banks", _bank),
    "institution": ("banks", _institution),
    "reset": ("top", lambda here, _: here.reset()),
}


@require_POST
def do(request: HttpRequest, deed: str) -> HttpResponse:
    """A pressed button; back to the section it stands in."""
    if deed not in DEEDS:
        return not_found(request)
    section, act = DEEDS[deed]
    try:
        act(world(), _form(request))
    except (actions.Refused, KeyError) as refusal:
        return HttpResponseRedirect(f"/?refused={quote(str(refusal))}#top")
    return HttpResponseRedirect(f"/#{section}")


@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, token: str) -> HttpResponse:
    """Where a verification link leads: the tester says how the check ends."""
    here = world()
    with here.change() as state:
        account = next((a for a in state.accounts.values() if a.link and a.link.token == token), None)
        condition = _condition(here, account)
        if request.method == "POST" and condition == "open" and account:
            result = request.POST.get("result", "")
            if result == "decline":
                events.decline(account)
                condition = "declined"
            if result in events.RESULTS:
                events.use_link(here, account, result, wait=state.settings.webhook_delay)
                condition = "done"
        context = {
            "condition": condition,
            "name": account.name if account else "",
            "expires": iso(account.link.expires) if account and account.link else "",
            "delay": state.settings.webhook_delay,
        }
    return render(
        request,
        "sandbox/verify.html",
        context,
        status=200 if condition in ("open", "done", "declined") else 410,
    )


def _condition(here: World, account: Account | None) -> str:
    if account is None or account.link is None:
        return "unknown"
    if account.link.closed:
        return "used"
    if account.link.declined:
        return "declined"
    return "open" if account.link.expires > here.clock.now() else "expired"


@require_GET
def style(request: HttpRequest) -> HttpResponse:
    return HttpResponse(STYLE.read_bytes(), content_type="text/css; charset=utf-8")


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "sandbox/missing.html", status=404)


urlpatterns = [
    path("", home, name="home"),
    path("do/<str:deed>", do, name="do"),
    path("verify/<str:token>", verify, name="verify"),
    path("sandbox.css", style, name="style"),
    path("favicon.ico", lambda _: HttpResponse(status=204)),
]
