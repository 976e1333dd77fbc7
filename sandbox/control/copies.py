"""What testers do to the stand-in's copy of an account, so that the portal finds it other than it left it.

The real provider has no such calls: there it is people at the provider, or a mishap.
"""

import uuid

from sandbox import people
from sandbox.bakkt import accounts, documents, events, ledger, updates, validation
from sandbox.control.actions import Refused, account_of, known
from sandbox.state import Account, Json
from sandbox.world import World


def drift(world: World, ref: str, data: Json) -> None:
    """Change the copy's fields behind the portal's back: `changes`, a value for each path such as
    `owners[0].phoneNumber`; null removes. No review, no event; restricted fields change too."""
    known(data, {"changes"})
    changes = data.get("changes")
    if not isinstance(changes, dict) or not changes:
        raise Refused("changes must be an object of paths and values")
    with world.change():
        account = account_of(world, ref)
        try:
            request = updates.with_changes(account.request, changes)
        except ValueError as problem:
            raise Refused(str(problem)) from None
        if request["clientAccountId"] != ref:
            raise Refused("clientAccountId is the key of the copy and stays")
        _check(request)
        account.request = request


def _check(request: Json) -> None:
    """The copy must stay one that the provider could hold. Raises Refused."""
    if failures := validation.check(request, existing=None, employment_required=False, migrating=True):
        raise Refused("; ".join(failure["message"] for failure in failures))


def delete(world: World, ref: str) -> None:
    """Forget the account, its documents, its money and whatever was to come of it."""
    with world.change() as state:
        account = account_of(world, ref)
        documents.forget(world, account)
        events.drop_plans(world, account)
        ledger.forget(world, account)
        state.updates[:] = [update for update in state.updates if update.account != ref]
        for run in state.runs:
            if run.account == ref and run.state in ("playing", "waiting"):
                run.state = "stopped"
        del state.accounts[ref]


def open_unknown(world: World, data: Json) -> Account:
    """An account the portal never asked for, enrolled and not announced: of the built-in `person` (stella), or
    with the whole `request`; under `clientAccountId` or a key of its own."""
    known(data, {"person", "request", "clientAccountId"})
    person, request = data.get("person") or "stella", data.get("request")
    if person not in people.NAMES:
        raise Refused(f"person must be one of: {', '.join(people.NAMES)}")
    ref = str(data.get("clientAccountId") or uuid.uuid4())
    body = (
        {**request, "clientAccountId": ref}
        if isinstance(request, dict)
        else people.account_request(person, ref)
    )
    _check(body)
    with world.change() as state:
        if ref in state.accounts:
            raise Refused("There is an account of that key.", 409)
        account = Account(ref, str(uuid.uuid4()), body, world.config.origin, world.clock.now(), screened=True)
        state.accounts[ref] = account
        events.party_event(world, account, "ACTIVE", "ENROLLMENT", announce=False)
        return account


def update_end(world: World, ref: str, data: Json) -> None:
    """End the review of the account's oldest update, or of the one with this `id`; `outcome`: accepted or
    rejected."""
    known(data, {"id", "outcome"})
    if data.get("outcome") not in (updates.ACCEPTED, updates.REJECTED):
        raise Refused("outcome must be accepted or rejected")
    with world.change():
        waiting = updates.pending(world, account_of(world, ref))
        found = next((update for update in waiting if data.get("id") in (None, update.id)), None)
        if found is None:
            raise Refused("The account has no such update in review.", 409)
        updates.end(world, found, data["outcome"])


def shown(world: World, account: Account) -> Json:
    """The copy as the provider shows it."""
    with world.look():
        return accounts.shown(world, account)
