"""Accounts at the stand-in: saved, reviewed, shown. Wire contract, section 4.3."""

import uuid
from typing import Any

from sandbox import deliveries, faults, player
from sandbox.bakkt import events, papers, updates, validation
from sandbox.bakkt.answers import error, find
from sandbox.bakkt.schema import RULE, Failures, Object
from sandbox.clock import iso
from sandbox.endpoint import Answer
from sandbox.state import Account, Json, Webhook
from sandbox.world import World

# The state of the request, the mode and the CIP word that go with each standing; no standing yet is "".
IN_REVIEW = ("IN_PROGRESS", "LOCKED", "IN_PROGRESS")
SHOWN_AS = {
    "": ("PENDING", "LOCKED", "PENDING"),
    "ACTIVE": ("COMPLETE", "OPEN", "ACCEPTED"),
    "SUSPENDED": ("COMPLETE", "LOCKED", "ACCEPTED"),
    "LIQUIDATED": ("COMPLETE", "CLOSING_ONLY", "ACCEPTED"),
    "CLOSED": ("COMPLETE", "CLOSED", "ACCEPTED"),
    "INACTIVE": ("REJECTED", "LOCKED", "REJECTED"),
}

# Suspended parties may not trade or transfer; liquidated ones may still sell and withdraw, and a false answer
# would say that they may not (contract, section 4.3). What else binds them only webhooks tell.
MAY_TRADE = frozenset({"ACTIVE", "LIQUIDATED"})
ENROLLED = frozenset({"ACTIVE", "SUSPENDED", "LIQUIDATED"})
REFUSED_SHARE_TOKEN = "wrong"  # noqa: S105  (a word for testers, as with the log-in)
RECOVERY = Object(required={"shareToken": validation.SHARE_TOKEN})
SETTLEMENT = Object(required={"accountId": validation.TEXT, "settlementMethod": validation.SETTLEMENT_METHOD})


def save(world: World, body: Any, *, origin: str) -> Account:
    """Create the account or update it. Raises Answer 422 with all failures, having changed nothing.

    The same body again changes nothing and sends nothing; any other starts the review of an update.
    """
    early: list[Webhook] = []
    with world.change() as state:
        ref = body.get("clientAccountId") if isinstance(body, dict) else None
        existing = state.accounts.get(ref) if isinstance(ref, str) else None
        failures = validation.check(
            body,
            existing=existing,
            employment_required=state.settings.employment_required,
            migrating=state.settings.migrating,
        )
        if failures:
            raise Answer(422, _refusal(failures))
        if existing:
            if existing.request != body:
                updates.start(world, existing, body)
            return existing
        account = Account(body["clientAccountId"], str(uuid.uuid4()), body, origin, world.clock.now())
        state.accounts[account.ref] = account
        entity = papers.is_entity(account)
        if not player.attach(world, account, by_name=not entity) and not entity:
            early = _review(world, account)
    deliveries.send_early(world, early)
    return account


def _refusal(failures: Failures) -> Json:
    noun = "validation" if len(failures) == 1 else "validations"
    return {**error(422, f"{len(failures)} {noun} failed"), "validationErrors": list(failures)}


def _review(world: World, account: Account) -> list[Webhook]:
    """Start the review; with the fault "early" its first outcome is sent before our caller is answered."""
    plan = events.plan_review(world, account)
    if not faults.take(world, "webhook_early", "PARTY_EVENT"):
        return []
    early = events.fire(world, plan)
    deliveries.keep_for_caller(early)
    return early


def screen_entity(world: World, ref: str) -> None:
    """Start an entity's screening; a second call changes nothing.

    Raises Answer 400 for other accounts, and as long as papers are missing; 404.
    """
    early: list[Webhook] = []
    with world.change():
        account = find(world, ref)
        if not papers.is_entity(account):
            raise Answer(400, error(400, "Only an entity account has a KYB screening"))
        if account.screened:
            return
        if lacking := papers.missing(world, account):
            raise Answer(400, error(400, f"KYB screening needs documents first: {'; '.join(lacking)}"))
        if world.run_of(account) or player.attach(world, account):
            account.screened = True
        else:
            early = _review(world, account)
    deliveries.send_early(world, early)


def recover_transfer(world: World, ref: str, body: Any) -> None:
    """Import a shared KYC result again: who is not enrolled yet is screened anew. Raises Answer 400, 404, 422."""
    failures = Failures()
    RECOVERY.check(body, "", failures)
    if not failures and body["shareToken"] == REFUSED_SHARE_TOKEN:
        failures.add(RULE, "shareToken", "is not known to the KYC provider", body["shareToken"])
    early: list[Webhook] = []
    with world.change():
        account = find(world, ref)
        if failures:
            raise Answer(422, _refusal(failures))
        if papers.is_entity(account):
            raise Answer(400, error(400, "A company or trust has no shared KYC result"))
        if account.status != "ACTIVE" and not world.run_of(account):
            early = _review(world, account)
    deliveries.send_early(world, early)


def change_settlement(world: World, body: Any) -> Json:
    """Change how trades are settled. Fails, with a 200, for who is not enrolled. Raises Answer 404, 422."""
    failures = Failures()
    SETTLEMENT.check(body, "", failures)
    if failures:
        raise Answer(422, _refusal(failures))
    account = find(world, body["accountId"])
    if account.status not in ENROLLED:
        return {"request": body, "status": "FAILED"}
    chosen = {"settlementMethod": body["settlementMethod"]}
    account.request = {**account.request, **chosen}
    for update in updates.pending(world, account):
        # No part of the update, so it stays should that be refused.
        update.before = {**update.before, **chosen}
    return {"request": body, "status": "COMPLETE"}


def shown(world: World, account: Account) -> Json:
    """The account as the provider shows it."""
    status, mode, cip = SHOWN_AS.get(account.status, IN_REVIEW)
    return {
        "id": account.id,
        "request": account.request,
        "createdAt": iso(account.created),
        "status": status,
        "mode": mode,
        "cipClearanceState": cip,
        "pendingUpdateIds": [update.id for update in updates.pending(world, account)],
    }


def opening_status(account: Account) -> Json:
    """The trading status as the provider shows it."""
    return {
        "canTradeCrypto": account.status in MAY_TRADE,
        "cipClearanceState": SHOWN_AS.get(account.status, IN_REVIEW)[2],
        "settlementMethod": account.request.get("settlementMethod") or "NET_SETTLEMENT",
    }
