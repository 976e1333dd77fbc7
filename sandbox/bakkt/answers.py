"""What every call of the crypto family may answer: its error body, and that an account is not there."""

from sandbox.endpoint import Answer
from sandbox.state import Account, Json
from sandbox.world import World


def error(code: int, message: str) -> Json:
    """The crypto family's error body."""
    return {"code": code, "message": message}


def find(world: World, ref: str) -> Account:
    """The account. Raises Answer 404."""
    account = world.state.accounts.get(ref)
    if account is None:
        raise Answer(404, error(404, "Account not found"))
    return account
