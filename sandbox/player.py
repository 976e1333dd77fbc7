"""Plays stories: each step when its time has come. A story's speed shortens its own waits and its account's
links; the clock and everybody else keep their pace."""

import uuid

from sandbox import stories
from sandbox.bakkt import documents, events, papers, transfers, updates
from sandbox.state import Account, Json, Run
from sandbox.world import World

MADE_UP = b"%PDF-1.4\n% a made-up paper of a story\n"


def attach(world: World, account: Account, *, by_name: bool = True) -> bool:
    """Let the story that waits for this account (by key, or by its person's name) take it over.

    Returns whether one did; then no outcome is planned for it.
    """
    name = account.name.casefold()
    for run in world.state.runs:
        if run.state == "waiting" and (
            run.account == account.ref or (by_name and not run.account and run.name.casefold() == name)
        ):
            begin(world, run, account)
            return True
    return False


def begin(world: World, run: Run, account: Account) -> None:
    """Start playing on an account that exists; its own outcome no longer comes."""
    events.drop_plans(world, account)
    # An entity is screened when KYB is triggered, by its story or by the partner.
    account.screened = account.screened or not papers.is_entity(account)
    for other in world.state.runs:
        if other.state == "playing" and other.account == account.ref:
            other.state = "stopped"
    run.account, run.name, run.state, run.due = account.ref, account.name, "playing", world.clock.now()


def play(world: World, run: Run) -> None:
    """Do the run's next step and set when the one after it is due."""
    step, account = run.steps[run.step], world.state.accounts[run.account]
    run.said.append(step["say"])
    # From when it was due and not from now: in a fast story a late thread would stretch the waits.
    run.due += _do(world, account, run, step)
    run.step += 1
    if run.step == len(run.steps):
        run.state = "done"


def _do(world: World, account: Account, run: Run, step: Json) -> float:
    """The step's effect; how many seconds of the sandbox's clock it takes."""
    fields = {name: value for name, value in step.items() if name not in ("do", "say")}
    if step["do"] == "event":
        events.party_event(
            world, account, fields["partyStatus"], fields["reasonCode"], link=fields.get("link", False)
        )
    elif step["do"] == "fiat":
        events.fiat_event(world, account, fields)
    elif step["do"] == "transfer":
        _transfer(world, account, fields)
    elif step["do"] == "wire_in":
        transfers.unrequested(world, account, "WIRE", "DEPOSIT", fields["amount"] * 100)
    elif step["do"] == "use_link":
        _use_link(world, account, fields["result"])
    elif step["do"] == "decline_consent":
        events.decline(account)
    elif step["do"] == "upload":
        _upload(world, account, fields)
    elif step["do"] == "kyb":
        account.screened = True
    elif step["do"] == "update":
        _update(world, account, run, fields["changes"])
    elif step["do"] == "end_update":
        for update in updates.pending(world, account)[-1:]:
            updates.end(world, update, fields["outcome"])
    elif step["do"] == "expire_link" and account.link:
        return max(0.0, account.link.expires - run.due)
    return stories.wait_seconds(step) / run.speed


def _transfer(world: World, account: Account, fields: Json) -> None:
    """The partner's latest transfer that can still come to that; nothing when it ordered none."""
    status = fields["status"]
    for movement in reversed(world.state.movements):
        if (
            movement.account == account.ref
            and movement.reference
            and status in transfers.MOVES.get(movement.status, ())
        ):
            transfers.end(world, movement, status, fields.get("reasonCode", ""))
            return


def _upload(world: World, account: Account, fields: Json) -> None:
    """A made-up paper, unless KYB screening was triggered: then the partner uploaded its own."""
    owners = account.request["owners"]
    if account.screened or fields.get("owner", 0) >= len(owners):
        return
    request: Json = {
        "clientDocumentId": str(uuid.uuid4()),
        "account": account.ref,
        "documentType": fields["documentType"],
        "documentSide": fields.get("documentSide", "FRONT"),
        "issueCountry": "USA",
    }
    if "owner" in fields:
        request["clientOwnerId"] = owners[fields["owner"]].get("clientOwnerId", "")
    documents.keep(world, request, "application/pdf", [MADE_UP])


def _update(world: World, account: Account, run: Run, changes: Json) -> None:
    if updates.pending(world, account):
        return  # the partner sent one of its own
    try:
        updates.start(world, account, updates.with_changes(account.request, changes))
    except ValueError as problem:
        run.said.append(f"Not done: {problem}.")


def _use_link(world: World, account: Account, result: str) -> None:
    link = account.link
    if link is None or link.closed:
        return  # someone used it by hand before the story did
    if events.expirations(world, link) == link.number and link.number < events.MOST_LINKS:
        events.open_link(world, account, number=link.number + 1)
    events.party_event(world, account, *events.RESULTS[result])
