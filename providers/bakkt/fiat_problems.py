"""The business errors of the transfer API (contract bakkt-partner.md, section 5.6): what each means to the customer, to
staff, and what the portal does about it. The provider's table goes on beyond what could be read: an unknown type is
kept, shown to staff as it came, and decided by a person. Words are our own.
"""

from dataclasses import dataclass
from enum import StrEnum


class Step(StrEnum):
    """What the portal does about a refusal."""

    SHOW = "show"  # tell the customer which answer to change
    RELINK = "relink"  # the customer links a bank account, this one again or another
    REFRESH_BALANCE = "refresh_balance"
    BLOCK = "block"  # no transfers until a person has looked at the customer's standing
    CONFIGURATION = "configuration"  # our set-up or our data are wrong: operators, not the customer
    REPLAYED = "replayed"  # the order had arrived before; nothing to do
    REVIEW = "review"  # a person decides


@dataclass(frozen=True)
class FiatProblem:
    """One type. `customer` and `staff` are sentences to show."""

    type: str
    customer: str
    staff: str
    step: Step


_TRY_LATER = "We cannot move money at the moment. We are looking into it."
_BLOCKED = "Money cannot be moved on this account at the moment. We will get in touch with you."
_RELINK = "Your bank account is no longer connected. Connect it again."

_ROWS = (
    FiatProblem("PARTY_SUSPENDED", _BLOCKED, "Bakkt has suspended the customer.", Step.BLOCK),
    FiatProblem("PARTY_INVALID_OPERATION", _BLOCKED, "The customer is not active at Bakkt.", Step.BLOCK),
    FiatProblem(
        "PARTY_ACCOUNT_NOT_FOUND",
        _TRY_LATER,
        "Bakkt does not know our reference of the customer: compare the account with theirs.",
        Step.CONFIGURATION,
    ),
    FiatProblem(
        "INVALID_PARTNER_ID",
        _TRY_LATER,
        "Bakkt does not accept our partner id: check BAKKT_PARTNER_ID.",
        Step.CONFIGURATION,
    ),
    FiatProblem(
        "PARTNER_INVALID_OPERATION",
        _TRY_LATER,
        "Bakkt has not enabled this service for us. Ask them to.",
        Step.CONFIGURATION,
    ),
    FiatProblem(
        "OPERATION_NOT_ALLOWED", _BLOCKED, "Bakkt does not let the customer move money this way.", Step.BLOCK
    ),
    FiatProblem(
        "IDEMPOTENCY_KEY_IN_USE",
        "This transfer was received before.",
        "The order had reached Bakkt before; its events tell what became of it.",
        Step.REPLAYED,
    ),
    FiatProblem(
        "INVALID_FIELD_VALUE",
        "Something in this request was not accepted. Check the amount.",
        "Bakkt refused a value; its message names the field. Withdrawals under USD 10 are one cause.",
        Step.SHOW,
    ),
    FiatProblem(
        "INSUFFICIENT_BALANCE",
        "There is not enough money available for this.",
        "The settled balance at Bakkt is too small.",
        Step.REFRESH_BALANCE,
    ),
    FiatProblem(
        "PLAID_ACCOUNT_NOT_FOUND", _RELINK, "The link through Plaid is missing at Bakkt.", Step.RELINK
    ),
    FiatProblem(
        "BANK_LINK_ITEM_NOT_FOUND", _RELINK, "The link through Plaid is missing at Bakkt.", Step.RELINK
    ),
    FiatProblem(
        "STORED_AUTH_INVALID", _RELINK, "The bank's consent has expired or was withdrawn.", Step.RELINK
    ),
    FiatProblem(
        "BANK_INSTITUTION_NOT_FOUND",
        _RELINK,
        "Bakkt holds no record of the bank behind the link.",
        Step.RELINK,
    ),
    FiatProblem(
        "BANK_ACCOUNT_NOT_FOUND",
        "Connect a bank account first.",
        "Bakkt holds no bank account of the customer.",
        Step.RELINK,
    ),
    FiatProblem(
        "LINKED_BANK_ACCOUNT_NOT_FOUND",
        "Connect a bank account first.",
        "Bakkt holds no active link of the customer.",
        Step.RELINK,
    ),
    FiatProblem(
        "UNSUPPORTED_FINANCIAL_INSTITUTION",
        "This bank is not supported. Connect an account at another bank, or send a wire.",
        "Bakkt does not support the bank.",
        Step.RELINK,
    ),
    FiatProblem(
        "BANK_ACCOUNT_BLOCKED",
        _BLOCKED,
        "Bakkt has blocked the bank account; its explanation is not public. Ask them.",
        Step.BLOCK,
    ),
)
PROBLEMS = {row.type: row for row in _ROWS}


def look_up(kind: str) -> FiatProblem:
    """The row of the type (`code` of the Rejected). An unknown one is shown to staff as it came and reviewed."""
    return PROBLEMS.get(kind) or FiatProblem(
        kind,
        "This was not accepted. We are looking into it.",
        f"Bakkt refused with {kind or 'no type'}, which is not in our table.",
        Step.REVIEW,
    )
