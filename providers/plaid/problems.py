"""What Plaid's error codes mean for the portal (contract plaid.md, section 6).

Codes without a remark stand in the contract; the others are Plaid's as generally known, to be confirmed.
"""

from enum import StrEnum
from typing import Any

from providers.errors import (
    Busy,
    FieldProblem,
    Misconfigured,
    NotFound,
    OutcomeUnknown,
    ProviderError,
)
from providers.http import Problem


class PlaidProblem(StrEnum):
    """What to do about an error."""

    LOGIN = "login"  # Update mode: the customer signs in at the bank again.
    CONSENT = "consent"  # Update mode: the customer has to share what is missing.
    LOCKED = "locked"  # The customer unlocks the access at the bank, then update mode.
    OTHER_ACCOUNT = "other_account"  # Another account or another bank.
    RELINK = "relink"  # Start Link again with a new link token.
    GONE = "gone"  # The Item is gone: mark it unlinked, link anew.
    RETRY = "retry"  # Later, with growing waits.
    OURS = "ours"  # Our set-up or our request; a person must mend it.
    OTHER = "other"  # Nobody has said; show it to a person.


_BY_CODE = {
    "ITEM_LOGIN_REQUIRED": PlaidProblem.LOGIN,
    "INVALID_CREDENTIALS": PlaidProblem.LOGIN,  # known, not in the contract
    "INVALID_MFA": PlaidProblem.LOGIN,  # known
    "ACCESS_NOT_GRANTED": PlaidProblem.CONSENT,
    "ADDITIONAL_CONSENT_REQUIRED": PlaidProblem.CONSENT,  # known
    "ITEM_LOCKED": PlaidProblem.LOCKED,
    "USER_SETUP_REQUIRED": PlaidProblem.LOCKED,  # known
    "NO_AUTH_ACCOUNTS": PlaidProblem.OTHER_ACCOUNT,
    "NO_ACCOUNTS": PlaidProblem.OTHER_ACCOUNT,
    "INVALID_ACCOUNT_ID": PlaidProblem.OTHER_ACCOUNT,  # known; a vanished account is probably closed
    "PRODUCTS_NOT_SUPPORTED": PlaidProblem.OTHER_ACCOUNT,  # known
    "INSTITUTION_NO_LONGER_SUPPORTED": PlaidProblem.OTHER_ACCOUNT,  # known
    "INVALID_PUBLIC_TOKEN": PlaidProblem.RELINK,
    "INVALID_LINK_TOKEN": PlaidProblem.RELINK,
    "ITEM_NOT_FOUND": PlaidProblem.GONE,
    "INVALID_ACCESS_TOKEN": PlaidProblem.GONE,
    "USER_PERMISSION_REVOKED": PlaidProblem.GONE,  # known, as the error of the webhook of that name
    "PRODUCT_NOT_READY": PlaidProblem.RETRY,
    "INVALID_API_KEYS": PlaidProblem.OURS,  # known
    "UNAUTHORIZED_ENVIRONMENT": PlaidProblem.OURS,  # known
    "INVALID_PRODUCT": PlaidProblem.OURS,  # known: not switched on for our team
    "PRODUCT_NOT_ENABLED": PlaidProblem.OURS,  # known: likewise, for this Item
}
_BY_TYPE = {
    "INSTITUTION_ERROR": PlaidProblem.RETRY,
    "API_ERROR": PlaidProblem.RETRY,
    "RATE_LIMIT_EXCEEDED": PlaidProblem.RETRY,
    "RATE_LIMIT_ERROR": PlaidProblem.RETRY,
    "INVALID_REQUEST": PlaidProblem.OURS,
}
#: Codes by which a product is not to be had for this Item, though nothing is wrong with the Item.
NO_SUCH_PRODUCT = frozenset(
    {
        "PRODUCTS_NOT_SUPPORTED",
        "PRODUCT_NOT_ENABLED",
        "INVALID_PRODUCT",
        "ACCESS_NOT_GRANTED",
        "ADDITIONAL_CONSENT_REQUIRED",
    }
)
# Plaid answers 400 to nearly everything; what it means stands in the code. All others are Rejected.
_COMES_TO: dict[PlaidProblem, type[ProviderError]] = {
    PlaidProblem.RETRY: Busy,
    PlaidProblem.OURS: Misconfigured,
    PlaidProblem.GONE: NotFound,
}


def problem_of_code(code: str, error_type: str = "") -> PlaidProblem:
    """What a code means, as answers, an Item's `error` and webhooks bring it."""
    return _BY_CODE.get(code) or _BY_TYPE.get(error_type, PlaidProblem.OTHER)


def problem_of(error: ProviderError) -> PlaidProblem:
    """What an error raised by PlaidClient means."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    if isinstance(error, Busy | OutcomeUnknown):
        return PlaidProblem.RETRY
    return PlaidProblem.OURS if isinstance(error, Misconfigured) else PlaidProblem.OTHER


def read_problem(status: int, body: Any) -> Problem:
    """The code of an error body, and what it comes to whatever the status.

    Plaid's own sentence is taken only where it is meant for users (`display_message`).
    """
    if not isinstance(body, dict) or not isinstance(body.get("error_code"), str):
        return Problem()
    code = body["error_code"][:64]
    means = problem_of_code(code, str(body.get("error_type")))
    shown = body.get("display_message")
    fields = (FieldProblem(code, "", shown[:300]),) if isinstance(shown, str) and shown else ()
    return Problem(code=code, fields=fields, comes_to=_COMES_TO.get(means))
