"""What testers can do. Each takes plain values, from JSON or a form, and raises Refused with the reason."""

import json
import uuid
from dataclasses import asdict, fields
from typing import Any

from sandbox import config, deliveries, endpoint, engine, faults, people, player, stories
from sandbox.bakkt import accounts, events, ledger, papers, updates
from sandbox.bakkt.outcomes import outcome_of
from sandbox.clock import iso
from sandbox.plaid import banks
from sandbox.state import Account, Document, Fault, Json, Movement, Run, Settings, Webhook
from sandbox.world import World

LONGEST_ADVANCE = 10 * 366 * 86400
FURTHEST_AHEAD = 10 * LONGEST_ADVANCE
LEAST = {"webhook_attempts": 1, "webhook_timeout": 0.1}


class Refused(Exception):
    """The action was not done; the text says why. `status` is the HTTP status for it."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status


def fault_add(world: World, data: Json) -> Fault:
    """Switch a fault on: `kind`; `operation` or `*`; `count` (null: until switched off); `seconds`; `times`;
    `after_effect`."""
    known(data, {"kind", "operation", "count", "seconds", "times", "after_effect"})
    kind = data.get("kind")
    if kind not in faults.KINDS:
        raise Refused(f"kind must be one of: {', '.join(faults.KINDS)}")
    operation = str(data.get("operation") or "*")
    aims = ["*", *(faults.EVENTS if kind in faults.WEBHOOKS else endpoint.OPERATIONS)]
    if operation not in aims:
        raise Refused(f"operation must be one of: {', '.join(aims)}")
    count = data.get("count", 1)
    fault = Fault(
        id=faults.new_id(),
        kind=kind,
        operation=operation,
        left=None if count is None else int(_number("count", count, 1, 10_000)),
        seconds=_number("seconds", data.get("seconds", 0), 0, LONGEST_ADVANCE),
        times=int(_number("times", data.get("times", 2), 2, 100)),
        after_effect=_truth("after_effect", data.get("after_effect", kind in faults.AFTER_EFFECT)),
    )
    with world.change() as state:
        state.faults.append(fault)
    return fault


def faults_clear(world: World, fault_id: str | None = None) -> None:
    """Switch one fault off, or all of them; answers that hang are let go."""
    with world.change() as state:
        if fault_id and not any(fault.id == fault_id for fault in state.faults):
            raise Refused("There is no such fault.", 404)
        state.faults[:] = [fault for fault in state.faults if fault_id and fault.id != fault_id]
        world.release()


def clock_advance(world: World, seconds: Any) -> str:
    """Move the clock forward; what falls due is done before this returns. Returns the new time."""
    amount = _number("seconds", seconds, 0, LONGEST_ADVANCE)
    with world.change():
        if world.clock.advanced + amount > FURTHEST_AHEAD:
            raise Refused("the clock is a hundred years ahead; reset first")
        world.clock.advance(amount)
        engine.fire_due(world)
        return iso(world.clock.now())


def event_send(world: World, ref: str, data: Json) -> None:
    """An event about an account, now: a PARTY_EVENT with `partyStatus`, `reasonCode` and any more fields
    (`link: true` opens a document verification), or with `type: FIAT_EVENT` one of those."""
    with world.change():
        account = account_of(world, ref)
        more = {name: value for name, value in data.items() if name != "type"}
        kind = data.get("type", "PARTY_EVENT")
        if kind == "FIAT_EVENT":
            events.fiat_event(world, account, more)
        elif kind == "PARTY_EVENT":
            _party_event(world, account, more)
        else:
            raise Refused("type must be PARTY_EVENT or FIAT_EVENT")


def _party_event(world: World, account: Account, data: Json) -> None:
    status, reason = data.pop("partyStatus", None), data.pop("reasonCode", None)
    if not isinstance(status, str) or not isinstance(reason, str) or not status:
        raise Refused("partyStatus and reasonCode are required")
    link = bool(data.pop("link", False))
    events.drop_plans(world, account)
    events.party_event(world, account, status, reason, link=link, more=data)


def link_expire(world: World, ref: str) -> None:
    """The account's verification link expires now, without the clock moving."""
    with world.change():
        account = account_of(world, ref)
        if account.link is None or account.link.closed:
            raise Refused("The account has no open link.", 409)
        account.link.expires = min(account.link.expires, world.clock.now())


def tokens_revoke(world: World) -> int:
    """All tokens stop working; how many there were."""
    with world.change():
        count = len(world.tokens)
        world.tokens.clear()
        return count


def webhooks_flush(world: World) -> int:
    """Bring every account's next outcome now and send all that waits, held and retrying messages too.

    Waits for the sending; returns how many are still unsent.
    """
    with world.change() as state:
        engine.fire_outcomes(world)
        deliveries.release_held(world)
        for hook in state.webhooks:
            if hook.state == "queued":
                hook.due = min(hook.due, world.clock.now())
    return deliveries.settle(world)


def webhook_resend(world: World, webhook_id: str) -> None:
    """Send a finished message again, as a copy: what arrives is a duplicate."""
    with world.change() as state:
        found = next((hook for hook in state.webhooks if hook.id == webhook_id), None)
        if found is None:
            raise Refused("There is no such webhook.", 404)
        copy = type(found)(**{**asdict(found), "id": str(uuid.uuid4()), "attempts": [], "state": "queued"})
        copy.note, copy.due, copy.unsigned = "sent again by hand", world.clock.now(), False
        state.webhooks.append(copy)


def settings_change(world: World, data: Json) -> Settings:
    """Change settings by their names."""
    kinds = {f.name: f.type for f in fields(Settings)}
    known(data, set(kinds))
    changed: Json = {}
    for name, value in data.items():
        if kinds[name] is str:
            changed[name] = _web_address(name, value)
        elif kinds[name] is bool:
            changed[name] = _truth(name, value)
        else:
            number = _number(name, value, LEAST.get(name, 0), LONGEST_ADVANCE)
            changed[name] = int(number) if kinds[name] is int else number
    with world.change() as state:
        for name, value in changed.items():
            setattr(state.settings, name, value)
        return state.settings


def story_run(world: World, name: str, data: Json) -> Run:
    """Play a story on `clientAccountId` (an account that exists), on the next account created for `givenName`
    and `familyName`, or, with neither, on an account that it opens itself. `speed` overrides the file's."""
    known(data, {"clientAccountId", "givenName", "familyName", "speed"})
    try:
        story = stories.load(name)
    except stories.Unknown as problem:
        raise Refused(str(problem), 404) from None
    except ValueError as problem:
        raise Refused(str(problem)) from None
    speed = _number("speed", data.get("speed") or story.speed, 1, 1e9)
    run = Run(id=faults.new_id(), story=name, speed=speed, state="waiting", steps=list(story.steps))
    with world.change() as state:
        if data.get("clientAccountId"):
            account = account_of(world, str(data["clientAccountId"]))
            state.runs.append(run)
            player.begin(world, run, account)
            return run
        wanted = " ".join(str(data.get(part) or "").strip() for part in ("givenName", "familyName")).strip()
        state.runs.append(run)
        if wanted:
            run.name = " ".join(wanted.split())
            return run
        run.account, run.name = str(uuid.uuid4()), people.name_of(story.person)
        body = people.account_request(story.person, run.account)
        accounts.save(world, body, origin=world.config.origin)
        return run


def stories_listed() -> Json:
    """Every story that can be read, with the person it is written for, and what is wrong with the others."""
    read, problems = stories.load_all()
    return {
        "stories": [
            {
                "name": story.name,
                "title": story.title,
                "about": story.about,
                "speed": story.speed,
                **people.described(story.person),
            }
            for story in read
        ],
        "problems": problems,
    }


def run_stop(world: World, run_id: str) -> None:
    """Stop a story where it is."""
    with world.change() as state:
        run = next((item for item in state.runs if item.id == run_id), None)
        if run is None:
            raise Refused("There is no such run.", 404)
        run.state = "stopped"


def snapshot(world: World) -> Json:
    """Everything a tester may see: accounts, request log, webhooks, faults, runs, settings, clock."""
    with world.look() as state:
        settings = asdict(state.settings)
        settings["webhook_url"] = deliveries.address(state.settings.webhook_url, shown=True)
        clock = world.clock
        return {
            "stand_in": "sandbox; not Bakkt, not Plaid",
            "clock": {
                "now": iso(clock.now()),
                "ahead_seconds": round(clock.advanced, 3),
            },
            "settings": settings,
            "accounts": [_shown(world, account) for account in state.accounts.values()],
            "webhooks": [_delivery(world, hook) for hook in state.webhooks],
            "faults": [asdict(fault) for fault in state.faults],
            "items": [banks.shown(item) for item in state.items.values()],
            "banks_down": list(state.banks_down),
            "runs": [asdict(run) | {"steps": len(run.steps)} for run in state.runs],
            "requests": list(world.requests),
        }


def _shown(world: World, account: Account) -> Json:
    state = world.state
    link, plan = account.link, next((p for p in state.plans if p.account == account.ref), None)
    return {
        "clientAccountId": account.ref,
        "id": account.id,
        "name": account.name,
        "expected": outcome_of(account.name).about,
        "partyStatus": account.status,
        "reasonCode": account.reason,
        "status": accounts.shown(world, account)["status"],
        "canTradeCrypto": accounts.opening_status(account)["canTradeCrypto"],
        "createdAt": iso(account.created),
        "history": account.history,
        "accountType": account.request["accountType"],
        "entity": (account.request.get("entity") or {}).get("entityLegalName", ""),
        "pendingUpdates": [
            {"id": update.id, "ends": update.outcome, "held": updates.held(world, update)}
            for update in updates.pending(world, account)
        ],
        "books": ledger.shown(world, account.ref),
        "banks": [asdict(bank) for bank in state.banks if bank.account == account.ref],
        "movements": [_movement(movement) for movement in state.movements if movement.account == account.ref],
        "documents": [_paper(document) for document in papers.of_account(world, account)],
        "missing": papers.missing(world, account) if papers.is_entity(account) else [],
        "next": {"at": iso(plan.due), **plan.steps[0]} if plan else None,
        "link": {
            "url": events.link_url(account, link),
            "number": link.number,
            "expires": iso(link.expires),
            "expirations": events.expirations(world, link),
            "open": not link.closed and link.expires > world.clock.now(),
        }
        if link
        else None,
    }


def _movement(movement: Movement) -> Json:
    """A movement with its amount as exact text, and when its next step is due."""
    return asdict(movement) | {
        "amount": ledger.text(movement.cents),
        "created": iso(movement.created),
        "due": None if movement.due is None else iso(movement.due),
    }


def _paper(document: Document) -> Json:
    """What is shown of a document; what people wrote about it is not."""
    shown = ("clientDocumentId", "documentType", "clientOwnerId", "issueCountry", "documentExpiration")
    return {
        **{name: document.request.get(name) for name in shown},
        "documentSide": document.side,
        "mediaType": document.media_type,
        "size": document.size,
        "sha256": document.sha256,
    }


def _delivery(world: World, hook: Webhook) -> Json:
    ahead = hook.due - world.clock.now()
    shown = asdict(hook)
    body = json.loads(shown.pop("text"))
    for name in ("verificationURL", "link_token", "public_token", "public_tokens"):
        if name in body:
            body[name] = "•••"
    return shown | {
        "created": iso(hook.created),
        "due": round(ahead, 1) if hook.state == "queued" else None,
        "body": body,
    }


def account_of(world: World, ref: str) -> Account:
    """The account. Raises Refused 404."""
    account = world.state.accounts.get(ref)
    if account is None:
        raise Refused("There is no such account.", 404)
    return account


def known(data: Json, names: set[str]) -> None:
    """Raises Refused for a name that is not among these."""
    if unknown := sorted(set(data) - names):
        raise Refused(f"unknown: {', '.join(unknown)}; known: {', '.join(sorted(names))}")


def _web_address(name: str, value: Any) -> str:
    if value and not (isinstance(value, str) and config.is_web_address(value)):
        raise Refused(f"{name} must be a full http or https address, or empty")
    return str(value or "")


def _truth(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(f"{name} must be true or false")
    return value


def _number(name: str, value: Any, least: float, most: float) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise Refused(f"{name} must be a number") from None
    if not least <= number <= most:
        raise Refused(f"{name} must lie between {least:g} and {most:g}")
    return number
