"""The banks, who may sign in there, what they hold, and what they tell. Contract plaid.md, sections 6 to 8."""

import hashlib
import json
import secrets
import uuid
from typing import Any

from sandbox import deliveries
from sandbox.state import Item, ItemLink, Json, Webhook
from sandbox.world import World

#: id: name, and whether the customer signs in on a page of the bank's own. Plaid's published test banks.
INSTITUTIONS = {
    "ins_109508": ("First Platypus Bank", False),
    "ins_109512": ("Houndstooth Bank", False),
    "ins_127287": ("Platypus OAuth Bank", True),
}
PASSWORD = "pass_good"  # noqa: S105  (published)
#: How the bank's owner compares with whoever is asked about: the score of the name, None where the bank has none.
OWNERS: dict[str, int | None] = {"match": 96, "close": 76, "mismatch": 18, "unknown": None, "off": None}
#: `user_good` is published, the others are ours; "off": the bank does not offer the comparison.
USERS = {"user_good": "match", **{f"user_{word}": word for word in OWNERS if word != "match"}}

_CHECKING = ("Plaid Checking", "Plaid Gold Standard 0% Interest Checking", "0000", "depository", "checking")
_SAVING = ("Plaid Saving", "Plaid Silver Standard 0.1% Interest Saving", "1111", "depository", "savings")
_CARD = ("Plaid Credit Card", "Plaid Diamond 12.5% APR Interest Credit Card", "3333", "credit", "credit card")
#: Available and current, in cents.
_HOLDS = {"0000": (100_000, 110_000), "1111": (200_000, 210_000), "3333": (None, 41_000)}


def new_token(kind: str) -> str:
    return f"{kind}-sandbox-{uuid.uuid4()}"


def templates(institution: str) -> list[Json]:
    """What a customer has at the bank, each with the `key` by which the page names it."""
    found = []
    for name, official, mask, kind, subtype in (_CHECKING, _SAVING, _CARD):
        available, current = _HOLDS[mask]
        # Houndstooth still waits for its small deposits on the savings account.
        waits = institution == "ins_109512" and subtype == "savings"
        found.append(
            {
                "key": mask,
                "name": name,
                "official_name": official,
                "mask": mask,
                "type": kind,
                "subtype": subtype,
                "available": available,
                "current": current,
                "verification_status": "pending_automatic_verification" if waits else None,
            }
        )
    return found


def offered(link: ItemLink) -> list[Json]:
    """The accounts the link's filter lets through: a kind that no filter names is dropped whole."""
    return [
        account
        for account in templates(link.institution)
        if not link.subtypes or (account["type"] == "depository" and account["subtype"] in link.subtypes)
    ]


def open_item(
    world: World, *, institution: str, user: str, login: str, keys: list[str], webhook: str
) -> Item:
    """A new Item with the accounts named by `keys`. The caller holds the lock."""
    bank = Item(
        id=secrets.token_urlsafe(24),
        access_token=new_token("access"),
        institution=institution,
        user=user,
        owner=USERS[login],
        accounts=[_account(institution, user, one) for one in templates(institution) if one["key"] in keys],
        webhook=webhook,
    )
    world.state.items[bank.id] = bank
    return bank


def _account(institution: str, user: str, template: Json) -> Json:
    account = {name: value for name, value in template.items() if name != "key"}
    account["account_id"] = secrets.token_urlsafe(24)
    if INSTITUTIONS[institution][1]:
        # As at the large banks: the same account keeps this whenever it is linked.
        named = hashlib.sha256(f"{institution} {user} {account['mask']}".encode())
        account["persistent_account_id"] = named.hexdigest()
    return account


def finish(world: World, link: ItemLink, *, ok: bool) -> None:
    """The customer is through with Link, or left it. The caller holds the lock."""
    link.ended = "success" if ok else "exited"
    if ok and link.item:
        _mend(world, link)
    elif ok:
        bank = open_item(
            world,
            institution=link.institution,
            user=link.user,
            login=link.login,
            keys=link.accounts,
            webhook=link.webhook,
        )
        link.item, link.public_token, link.public_at = bank.id, new_token("public"), world.clock.now()
    if link.hosted and link.webhook:
        _tell_of(world, link)


def _mend(world: World, link: ItemLink) -> None:
    """Update mode: the Item works again under the same tokens, perhaps with other accounts."""
    bank = world.state.items[link.item]
    bank.error = ""
    if link.selection:
        kept = [account for account in bank.accounts if account["mask"] in link.accounts]
        had = {account["mask"] for account in kept}
        more = [
            one
            for one in templates(bank.institution)
            if one["key"] in link.accounts and one["key"] not in had
        ]
        bank.accounts = kept + [_account(bank.institution, bank.user, one) for one in more]


def _tell_of(world: World, link: ItemLink) -> None:
    """What Hosted Link sends: no Item id, and the same public token twice."""
    common = {"link_token": link.token, "link_session_id": str(uuid.uuid4()), "environment": "sandbox"}
    tokens = [link.public_token] if link.public_token else []
    if tokens:
        send(world, link.webhook, "LINK", "ITEM_ADD_RESULT", common | {"public_token": tokens[0]})
    finished = common | {"status": link.ended.upper(), "public_tokens": tokens}
    send(world, link.webhook, "LINK", "SESSION_FINISHED", finished)


def tell(world: World, bank: Item, kind: str, code: str, more: Json | None = None) -> list[Webhook]:
    """A webhook about the Item; none where it has no address. The caller holds the lock."""
    if not bank.webhook:
        return []
    return send(
        world, bank.webhook, kind, code, {"item_id": bank.id, "environment": "sandbox"} | (more or {})
    )


def send(world: World, address: str, kind: str, code: str, fields: Json) -> list[Webhook]:
    body = {"webhook_type": kind, "webhook_code": code, **fields}
    now = world.clock.now()
    hook = Webhook(
        id=str(uuid.uuid4()),
        account=str(fields.get("item_id", "")),
        # Two spaces, as Plaid writes it: the signature speaks of these very bytes.
        text=json.dumps(body, indent=2),
        created=now,
        due=now,
        url=address,
    )
    return deliveries.queue_message(world, hook, kind)


def reset_login(world: World, bank: Item) -> None:
    """The login stops working, and an ITEM ERROR webhook says so."""
    bank.error = "ITEM_LOGIN_REQUIRED"
    tell(world, bank, "ITEM", "ERROR", {"error": error_object(bank.error) | {"status": 400}})


#: Webhooks that can be fired, with what follows for the Item and their further fields.
FIRED = {
    "DEFAULT_UPDATE": "AUTH",
    "AUTOMATICALLY_VERIFIED": "AUTH",
    "VERIFICATION_EXPIRED": "AUTH",
    "SMS_MICRODEPOSITS_VERIFICATION": "AUTH",
    "NEW_ACCOUNTS_AVAILABLE": "ITEM",
    "PENDING_DISCONNECT": "ITEM",
    "LOGIN_REPAIRED": "ITEM",
    "USER_PERMISSION_REVOKED": "ITEM",
    "USER_ACCOUNT_REVOKED": "ITEM",
    "WEBHOOK_UPDATE_ACKNOWLEDGED": "ITEM",
}


def fire(world: World, bank: Item, code: str) -> bool:
    """Send one of FIRED about the Item, with what it means done first. Whether there was an address."""
    first = str(bank.accounts[0]["account_id"]) if bank.accounts else ""
    more: Json = {}
    if code == "DEFAULT_UPDATE":
        more = {"account_ids_with_new_auth": [], "account_ids_with_updated_auth": [first]}
    elif code == "PENDING_DISCONNECT":
        more = {"reason": "INSTITUTION_TOKEN_EXPIRATION"}
    elif code in ("USER_ACCOUNT_REVOKED", "AUTOMATICALLY_VERIFIED", "VERIFICATION_EXPIRED"):
        more = {"account_id": first}
    elif code == "SMS_MICRODEPOSITS_VERIFICATION":
        more = {"account_id": first, "status": "MANUALLY_VERIFIED"}
    elif code == "USER_PERMISSION_REVOKED":
        bank.error = code
        more = {"error": error_object(code) | {"status": 400}}
    elif code == "LOGIN_REPAIRED":
        bank.error = ""
    return bool(tell(world, bank, FIRED[code], code, more))


def error_object(code: str, kind: str = "ITEM_ERROR", message: str = "", display: str | None = None) -> Json:
    """Plaid's error object."""
    return {
        "error_type": kind,
        "error_code": code,
        "error_message": message or code.replace("_", " ").lower(),
        "display_message": display,
    }


def shown(bank: Item) -> dict[str, Any]:
    """What testers see of an Item: no token."""
    return {
        "item_id": bank.id,
        "user": bank.user,
        "institution_id": bank.institution,
        "institution": INSTITUTIONS[bank.institution][0],
        "owner": bank.owner,
        "error": bank.error,
        "removed": bank.removed,
        "webhook": bank.webhook,
        "accounts": bank.accounts,
        "processor_tokens": len(bank.processors),
    }
