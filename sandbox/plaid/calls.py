"""Plaid's calls: all POST, the keys in headers or body, errors as Plaid's error object. Contract plaid.md, 3 and 8."""

import secrets
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.urls import URLPattern, path

from sandbox.clock import iso
from sandbox.endpoint import Answer, Request, endpoint
from sandbox.plaid import banks, signing
from sandbox.state import Item, ItemLink, Json
from sandbox.world import World

FAMILY = "plaid"
REFUSED_CLIENT = "wrong"
PUBLIC_LIVES = 1800.0
LIVES = {"new": 4 * 3600.0, "update": 1800.0}
_FAULTS = {
    429: ("RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED"),
    401: ("INVALID_INPUT", "INVALID_API_KEYS"),
    403: ("INVALID_INPUT", "UNAUTHORIZED_ENVIRONMENT"),
    404: ("INVALID_REQUEST", "NOT_FOUND"),
    405: ("INVALID_REQUEST", "NOT_FOUND"),
    400: ("INVALID_REQUEST", "INVALID_BODY"),
    500: ("API_ERROR", "INTERNAL_SERVER_ERROR"),
}

urlpatterns: list[URLPattern] = []
View = Callable[[World, Json], Json]


def error(status: int, message: str) -> Json:
    """The error body of a status, for faults and malformed calls."""
    kind, code = _FAULTS.get(status, ("API_ERROR", "INTERNAL_SERVER_ERROR"))
    return banks.error_object(code, kind, message) | {"request_id": _request_id()}


def refused(code: str, kind: str = "INVALID_INPUT", message: str = "", display: str | None = None) -> Answer:
    """Plaid answers 400 to nearly everything."""
    return Answer(400, banks.error_object(code, kind, message, display) | {"request_id": _request_id()})


def _request_id() -> str:
    return secrets.token_hex(8)[:15]


def call(operation: str, address: str) -> Callable[[View], View]:
    """Mounts `view(world, body)`, which answers with the reply's own fields."""

    def mount(view: View) -> View:
        @wraps(view)
        def handle(world: World, request: Request) -> Json:
            body = request.body
            if not isinstance(body, dict):
                raise refused("INVALID_BODY", "INVALID_REQUEST", "body could not be parsed as JSON")
            headers = request.plain.headers
            client = headers.get("PLAID-CLIENT-ID") or body.get("client_id")
            secret = headers.get("PLAID-SECRET") or body.get("secret")
            if not client or not secret or client == REFUSED_CLIENT:
                raise refused("INVALID_API_KEYS", message="invalid client_id or secret provided")
            with world.change():
                answer = view(world, body | {"_origin": request.origin})
            return answer | {"request_id": _request_id()}

        served = endpoint(operation, method="POST", family=FAMILY, error=error, token=False)(handle)
        urlpatterns.append(path(f"plaid/{address}", served))
        return view

    return mount


def text(body: Json, name: str) -> str:
    """A required text. Raises Answer."""
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise refused(
            "MISSING_FIELDS", "INVALID_REQUEST", f"the following required fields are missing: {name}"
        )
    return value


def item_of(world: World, body: Json, *, working: bool = True) -> Item:
    """The Item of the access token, and with `working` one that does. Raises Answer."""
    token = text(body, "access_token")
    bank = next((b for b in world.state.items.values() if b.access_token == token), None)
    if bank is None:
        raise refused("INVALID_ACCESS_TOKEN", message="could not find matching access token")
    if bank.removed:
        raise refused("ITEM_NOT_FOUND", "ITEM_ERROR", "the Item was removed")
    if working and bank.institution in world.state.banks_down:
        raise refused(
            "INSTITUTION_DOWN", "INSTITUTION_ERROR", display="This bank is not available right now."
        )
    if working and bank.error:
        raise refused(bank.error, "ITEM_ERROR", display="Sign in at your bank again.")
    return bank


@call("plaid_link_token", "link/token/create")
def link_token(world: World, body: Json) -> Json:
    for name in ("client_name", "language", "country_codes"):
        if not body.get(name):
            raise refused("MISSING_FIELDS", "INVALID_REQUEST", f"missing: {name}")
    user = text(body.get("user") or {}, "client_user_id")
    mends = item_of(world, body, working=False) if body.get("access_token") else None
    if mends is None and not body.get("products"):
        raise refused("MISSING_FIELDS", "INVALID_REQUEST", "missing: products")
    if mends is not None and body.get("products"):
        raise refused("INVALID_FIELD", "INVALID_REQUEST", "products are not taken in update mode")
    if "?" in str(body.get("redirect_uri") or ""):
        raise refused(
            "INVALID_FIELD", "INVALID_REQUEST", "OAuth redirect URI must not contain a query string"
        )
    hosted = body.get("hosted_link")
    life = (hosted or {}).get("url_lifetime_seconds") or LIVES["update" if mends else "new"]
    link = ItemLink(
        token=banks.new_token("link"),
        key=secrets.token_urlsafe(24),
        user=user,
        expires=world.clock.now() + life,
        hosted=hosted is not None,
        webhook=mends.webhook if mends else str(body.get("webhook") or ""),
        redirect_uri=str(body.get("redirect_uri") or ""),
        completion=str((hosted or {}).get("completion_redirect_uri") or ""),
        subtypes=_filtered(body),
        item=mends.id if mends else "",
        selection=bool((body.get("update") or {}).get("account_selection_enabled")),
        institution=mends.institution if mends else "",
    )
    world.state.links[link.token] = link
    answer = {"link_token": link.token, "expiration": iso(world.clock.real_moment(link.expires))}
    if link.hosted:
        answer["hosted_link_url"] = f"{body['_origin']}/plaid/link/{link.key}"
    return answer


def _filtered(body: Json) -> list[str]:
    depository = (body.get("account_filters") or {}).get("depository") or {}
    return list(depository.get("account_subtypes") or [])


@call("plaid_link_results", "link/token/get")
def link_results(world: World, body: Json) -> Json:
    link = world.state.links.get(text(body, "link_token"))
    if link is None:
        raise refused("INVALID_LINK_TOKEN", message="the provided link token does not exist")
    results: list[Json] = (
        [{"public_token": link.public_token, "accounts": [], "institution": None}]
        if link.public_token
        else []
    )
    session: Json = {
        "link_session_id": link.key,
        "finished_at": iso(world.clock.now()) if link.ended else None,
        "events": [],
        "results": {"item_add_results": results},
    }
    # Only of hosted sessions is everything known.
    return {"link_token": link.token, "link_sessions": [session] if link.hosted and link.ended else []}


@call("plaid_exchange", "item/public_token/exchange")
def exchange(world: World, body: Json) -> Json:
    given = text(body, "public_token")
    link = next((one for one in world.state.links.values() if one.public_token == given), None)
    over = link is not None and world.clock.now() > link.public_at + PUBLIC_LIVES
    if link is None or link.exchanged or over:
        raise refused("INVALID_PUBLIC_TOKEN", message="could not find matching public token")
    link.exchanged = True
    bank = world.state.items[link.item]
    return {"access_token": bank.access_token, "item_id": bank.id}


@call("plaid_accounts", "accounts/get")
def accounts(world: World, body: Json) -> Json:
    bank = item_of(world, body)
    return {"accounts": [wire(account) for account in _chosen(bank, body)], "item": _item(bank)}


@call("plaid_balance", "accounts/balance/get")
def balance(world: World, body: Json) -> Json:
    return accounts(world, body)


@call("plaid_identity_match", "identity/match")
def identity_match(world: World, body: Json) -> Json:
    bank = item_of(world, body)
    if bank.owner == "off":
        raise refused("PRODUCTS_NOT_SUPPORTED", "ITEM_ERROR", "identity is not supported by this institution")
    asked = body.get("user") or {}
    name = banks.OWNERS[bank.owner] if asked.get("legal_name") else None
    rest = None if bank.owner == "unknown" else 90
    legal = {
        "score": name,
        "is_nickname_match": False,
        "is_first_name_or_last_name_match": bank.owner != "mismatch",
    }
    others = {
        said: {"score": rest if asked.get(said) else None}
        for said in ("phone_number", "email_address", "address")
    }
    none = dict.fromkeys(("available", "current", "limit"))
    matched = [
        wire(account) | {"balances": none, "legal_name": legal, **others} for account in _chosen(bank, body)
    ]
    return {"accounts": matched, "item": _item(bank)}


@call("plaid_processor_token", "processor/token/create")
def processor_token(world: World, body: Json) -> Json:
    bank = item_of(world, body)
    account, processor = text(body, "account_id"), text(body, "processor")
    if processor not in ("bakkt", "apex_clearing"):
        raise refused("INVALID_FIELD", "INVALID_REQUEST", "processor is not enabled for this client")
    _chosen(bank, {"options": {"account_ids": [account]}})
    token = banks.new_token("processor")
    bank.processors[token] = account
    return {"processor_token": token}


@call("plaid_item", "item/get")
def item(world: World, body: Json) -> Json:
    return {"item": _item(item_of(world, body, working=False)), "status": None}


@call("plaid_remove", "item/remove")
def remove(world: World, body: Json) -> Json:
    bank = item_of(world, body, working=False)
    bank.removed, bank.processors = True, {}
    return {}


@call("plaid_webhook_update", "item/webhook/update")
def webhook_update(world: World, body: Json) -> Json:
    bank = item_of(world, body, working=False)
    bank.webhook = str(body.get("webhook") or "")
    banks.fire(world, bank, "WEBHOOK_UPDATE_ACKNOWLEDGED")
    return {"item": _item(bank)}


@call("plaid_webhook_key", "webhook_verification_key/get")
def webhook_key(world: World, body: Json) -> Json:
    if text(body, "key_id") != signing.KEY_ID:
        raise refused("INVALID_WEBHOOK_VERIFICATION_KEY_ID", message="invalid key_id provided")
    return {"key": signing.public_key()}


@call("plaid_sandbox_public_token", "sandbox/public_token/create")
def sandbox_public_token(world: World, body: Json) -> Json:
    institution, options = text(body, "institution_id"), body.get("options") or {}
    login = options.get("override_username") or "user_good"
    if institution not in banks.INSTITUTIONS:
        raise refused("INVALID_INSTITUTION", message="invalid institution_id provided")
    if login not in banks.USERS:
        raise refused("INVALID_CREDENTIALS", "ITEM_ERROR")
    link = ItemLink(token=banks.new_token("link"), key=secrets.token_urlsafe(24), user="sandbox", expires=0)
    link.institution, link.login, link.webhook = institution, login, str(options.get("webhook") or "")
    link.accounts = [account["key"] for account in banks.offered(link)]
    world.state.links[link.token] = link
    banks.finish(world, link, ok=True)
    return {"public_token": link.public_token}


@call("plaid_sandbox_reset_login", "sandbox/item/reset_login")
def sandbox_reset_login(world: World, body: Json) -> Json:
    banks.reset_login(world, item_of(world, body, working=False))
    return {"reset_login": True}


@call("plaid_sandbox_fire_webhook", "sandbox/item/fire_webhook")
def sandbox_fire_webhook(world: World, body: Json) -> Json:
    bank, code = item_of(world, body, working=False), text(body, "webhook_code")
    if code not in banks.FIRED:
        raise refused("INVALID_FIELD", "INVALID_REQUEST", "webhook_code cannot be fired")
    return {"webhook_fired": banks.fire(world, bank, code)}


def wire(account: Json) -> Json:
    """An account as Plaid writes it: amounts as decimals."""
    shown: dict[str, Any] = {
        name: value for name, value in account.items() if name not in ("available", "current")
    }
    money = {
        name: None if account[name] is None else account[name] / 100 for name in ("available", "current")
    }
    return shown | {
        "balances": {**money, "limit": None, "iso_currency_code": "USD", "unofficial_currency_code": None}
    }


def _chosen(bank: Item, body: Json) -> list[Json]:
    """The accounts asked for, or all. Raises Answer for one that is not there."""
    wanted = (body.get("options") or {}).get("account_ids")
    if not wanted:
        return bank.accounts
    found = [account for account in bank.accounts if account["account_id"] in wanted]
    if len(found) != len(set(wanted)):
        raise refused("INVALID_ACCOUNT_ID", message="one of the provided account IDs does not exist")
    return found


def _item(bank: Item) -> Json:
    name, _ = banks.INSTITUTIONS[bank.institution]
    return {
        "item_id": bank.id,
        "institution_id": bank.institution,
        "institution_name": name,
        "webhook": bank.webhook or None,
        "error": banks.error_object(bank.error) | {"request_id": ""} if bank.error else None,
        "products": ["auth"] if bank.owner == "off" else ["auth", "identity"],
        "consent_expiration_time": None,
        "update_type": "background",
    }
