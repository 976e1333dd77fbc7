"""Updates of an account and their review. Wire contract, section 4.3; how a review ends is ours.

While an update is in review the account shows what was submitted. Accepted, it stays; refused, what stood there
before comes back. No event is published for the end of a review: reading the account tells it.
"""

import re
import uuid
from copy import deepcopy
from typing import Any

from sandbox.bakkt import events
from sandbox.bakkt.outcomes import outcome_of
from sandbox.state import Account, Json, Update
from sandbox.world import World

ACCEPTED, REJECTED = "accepted", "rejected"


def start(world: World, account: Account, body: Json) -> Update:
    """Take the body as the account's data and review it for the usual delay."""
    before, name = account.request, account.name
    account.request = body
    update = Update(
        id=str(uuid.uuid4()),
        account=account.ref,
        due=world.clock.now() + world.state.settings.webhook_delay,
        outcome=outcome_of(account.name).updates,
        before=before,
        renamed=account.name != name,
    )
    world.state.updates.append(update)
    return update


def with_changes(request: Json, changes: Json) -> Json:
    """The request with other values at paths as `owners[0].phoneNumber`; null removes what stands there.

    Raises ValueError for a path that leads nowhere.
    """
    changed = deepcopy(request)
    for path, value in changes.items():
        *steps, last = re.findall(r"[^.\[\]]+", path) or [""]
        spot: Any = changed
        try:
            for step in steps:
                spot = spot[int(step) if isinstance(spot, list) else step]
            if isinstance(spot, list):
                spot[int(last)] = value
            elif value is None:
                del spot[last]
            else:
                spot[last] = value
        except (LookupError, ValueError, TypeError):
            raise ValueError(f"{path[:100]} leads nowhere in this account") from None
    return changed


def pending(world: World, account: Account) -> list[Update]:
    """The account's updates in review, oldest first."""
    return [update for update in world.state.updates if update.account == account.ref]


def held(world: World, update: Update) -> bool:
    """Whether the review waits for somebody: a tester, or the story that plays the account."""
    run = world.run_of(world.state.accounts[update.account])
    told = run is not None and any(step["do"] == "end_update" for step in run.steps[run.step :])
    return told or not update.outcome


def end(world: World, update: Update, outcome: str) -> None:
    """End the review. An accepted update, being the complete data set, takes earlier ones in review with it; a
    new name is screened anew."""
    account, waiting = (
        world.state.accounts[update.account],
        pending(world, world.state.accounts[update.account]),
    )
    place = waiting.index(update)
    if outcome == ACCEPTED:
        for over in waiting[: place + 1]:
            world.state.updates.remove(over)
        if update.renamed and account.screened:
            events.plan_review(world, account, wait=0.0)
        return
    world.state.updates.remove(update)
    if place + 1 < len(waiting):
        waiting[place + 1].before = update.before
    else:
        account.request = update.before
