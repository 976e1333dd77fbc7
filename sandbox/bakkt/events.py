"""What Bakkt tells the partner, and what that makes of the account. Wire contract, section 7."""

import secrets
import uuid
from typing import Any

from sandbox import deliveries
from sandbox.bakkt.outcomes import outcome_of
from sandbox.clock import iso
from sandbox.state import Account, Json, Link, Plan, Webhook
from sandbox.world import World

# Links of one verification: three expirations are allowed, then no further link (seed 000; question 11 of
# the contract).
MOST_LINKS = 3


def plan_review(world: World, account: Account, *, wait: float | None = None) -> Plan:
    """Plan what the account's name brings, in place of anything planned before; after the webhook delay, if
    not `wait` seconds."""
    drop_plans(world, account)
    plan = Plan(account.ref, 0.0, [dict(step) for step in outcome_of(account.name).steps])
    plan.due = world.clock.now() + (world.state.settings.webhook_delay if wait is None else wait)
    account.screened = True
    world.state.plans.append(plan)
    return plan


def drop_plans(world: World, account: Account) -> None:
    world.state.plans[:] = [plan for plan in world.state.plans if plan.account != account.ref]


def fire(world: World, plan: Plan) -> list[Webhook]:
    """Do the plan's first step and set the time of the next."""
    step = plan.steps.pop(0)
    account = world.state.accounts[plan.account]
    if plan.steps:
        wait = plan.steps[0].get("wait", 0.0)
        seconds = getattr(world.state.settings, wait) if isinstance(wait, str) else wait
        plan.due = max(plan.due, world.clock.now()) + seconds
    else:
        world.state.plans.remove(plan)
    return party_event(
        world,
        account,
        step["status"],
        step["reason"],
        link=step.get("link", False),
        announce=step.get("announce", True),
    )


def party_event(
    world: World,
    account: Account,
    status: str,
    reason: str,
    *,
    link: bool = False,
    announce: bool = True,
    more: Json | None = None,
) -> list[Webhook]:
    """The account's standing changes, and a PARTY_EVENT says so. `link` opens a new document verification;
    any other event closes the open one."""
    account.status, account.reason = status, reason
    account.history.append(
        {"at": iso(world.clock.now()), "partyStatus": status, "reasonCode": reason, "announced": announce}
    )
    body = message(account, "PARTY_EVENT", partyStatus=status, reasonCode=reason)
    if link:
        body |= link_details(world, account, open_link(world, account, number=1))
    elif account.link and reason != "DOCUMENT_VERIFICATION":
        account.link.closed = True
    return deliveries.queue(world, body | (more or {}), announce=announce)


def fiat_event(world: World, account: Account, fields: Json) -> list[Webhook]:
    """A FIAT_EVENT about the account. Which fields it has is partly assumed (contract, section 7.4)."""
    details = {
        "partnerTransactionRef": fields.get("partnerTransactionRef") or f"story-{account.id[:8]}",
        "fiatTransactionType": fields.get("fiatTransactionType", "DEPOSIT"),
        "transactionStatus": fields.get("transactionStatus", "COMPLETED"),
        "instrumentType": fields.get("instrumentType", "ACH"),
        "amount": fields.get("amount", 100.0),
        "currency": fields.get("currency", "USD"),
    }
    if fields.get("reasonCode"):
        details["reasonCode"] = fields["reasonCode"]
    return deliveries.queue(world, message(account, "FIAT_EVENT", **details))


def message(account: Account, kind: str, **fields: Any) -> Json:
    """A webhook's body: what all kinds have, and the fields of this one."""
    return {
        "requestId": str(uuid.uuid4()),
        "partnerPartyRef": account.ref,
        "partnerWebhookType": kind,
        **fields,
    }


def open_link(world: World, account: Account, *, number: int) -> Link:
    """A new link of the account's verification; in a story it lives as much shorter as the story is fast."""
    run = world.run_of(account)
    life = world.state.settings.link_life_seconds / (run.speed if run else 1.0)
    expires = world.clock.now() + life
    account.link = Link(token=secrets.token_urlsafe(24), number=number, expires=expires)
    return account.link


def expirations(world: World, link: Link) -> int:
    """How many links of this verification ran out."""
    return link.number if link.expires <= world.clock.now() else link.number - 1


def link_url(account: Account, link: Link) -> str:
    return f"{account.origin}/verify/{link.token}"


def link_details(world: World, account: Account, link: Link) -> Json:
    """The two fields of a link on the wire. The expiry is told in real time, in which the partner lives."""
    return {
        "verificationURL": link_url(account, link),
        "verificationURLExpiry": iso(world.clock.real_moment(link.expires)),
    }


def decline(account: Account) -> None:
    """The customer refused consent at the link: it is of no more use, and nobody is told."""
    if account.link:
        account.link.declined = True


RESULTS = {
    "pass": ("ACTIVE", "ENROLLMENT"),
    "fail": ("INACTIVE", "RISK_KYC"),
    "review": ("UNDER_REVIEW", "PENDING_REVIEW"),
}


def use_link(world: World, account: Account, result: str, *, wait: float) -> None:
    """The customer finished at the link; the outcome follows after `wait` sandbox seconds."""
    if account.link:
        account.link.closed = True
    status, reason = RESULTS[result]
    drop_plans(world, account)
    step = {"status": status, "reason": reason}
    world.state.plans.append(Plan(account.ref, world.clock.now() + wait, [step]))
