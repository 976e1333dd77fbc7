"""What the provider's words about a party mean to us (contract bakkt-partner.md 7.2). One table, one function.

The provider publishes the words, not their pairs; only ACTIVE with ENROLLMENT is published as one. Words nobody
knows map to nothing and go to quarantine.
"""

from onboarding.models import Application, ProviderAccount

Account = ProviderAccount.Status
Verdict = Application.Status

#: The union of the two published lists; LIQUIDATE_ACCOUNT and LIQUIDATED mean the same (contract, question 7).
REASONS: dict[str, str] = {
    "ENROLLMENT": "The account was created and enrolled.",
    "DOCUMENT_VERIFICATION": "The customer has to prove their identity with a document.",
    "PENDING_REVIEW": "The provider's compliance team looks at it by hand.",
    "RISK_KYC": "The identity check failed.",
    "RISK_OFAC": "The sanctions screening failed.",
    "TAX_ID_MAX_RETRIES": "The tax number could not be verified after too many attempts.",
    "MAX_ACH_RETURNS": "Too many bank transfers were returned.",
    "COMPLIANCE_LOCKED": "The provider's compliance team suspended the account.",
    "ACCOUNT_CLOSURE_REQUESTED": "The customer asked to close the account.",
    "LIQUIDATE_ACCOUNT": "The customer may only sell or withdraw.",
    "LIQUIDATED": "The customer may only sell or withdraw.",
    "CLOSED": "The account was closed.",
    "OTHER": "The provider gave no particular reason.",
}

_BY_STATUS: dict[str, str] = {
    "ACTIVE": Account.ACTIVE,
    "INACTIVE": Account.INACTIVE,
    "SUSPENDED": Account.SUSPENDED,
    "LIQUIDATED": Account.LIQUIDATE_ONLY,
    "UNDER_REVIEW": Account.UNDER_REVIEW,
    "CLOSED": Account.CLOSED,
}
#: Reasons that say more than the status beside them.
_BY_REASON: dict[tuple[str, str], str] = {
    ("UNDER_REVIEW", "DOCUMENT_VERIFICATION"): Account.DOCUMENTS_NEEDED,
    ("INACTIVE", "DOCUMENT_VERIFICATION"): Account.DOCUMENTS_NEEDED,
    ("INACTIVE", "PENDING_REVIEW"): Account.UNDER_REVIEW,
    ("SUSPENDED", "LIQUIDATE_ACCOUNT"): Account.LIQUIDATE_ONLY,
    ("SUSPENDED", "LIQUIDATED"): Account.LIQUIDATE_ONLY,
}

#: What an account's status makes of an application that still waits for its verdict.
VERDICTS: dict[str, str] = {
    Account.ACTIVE: Verdict.APPROVED,
    Account.LIQUIDATE_ONLY: Verdict.APPROVED,
    Account.SUSPENDED: Verdict.APPROVED,
    Account.CLOSED: Verdict.REJECTED,
    Account.INACTIVE: Verdict.REJECTED,
    Account.UNDER_REVIEW: Verdict.IN_REVIEW,
    Account.DOCUMENTS_NEEDED: Verdict.ACTION_REQUIRED,
}

#: Words of the opening phase: after it they may be late, so a reading of the provider's record decides.
OPENING = frozenset({Account.UNDER_REVIEW, Account.DOCUMENTS_NEEDED, Account.INACTIVE})
#: Restrictions that only webhooks reveal (seed 000): they always apply at once, a reading may not show them.
RESTRICTIONS = frozenset({Account.SUSPENDED, Account.LIQUIDATE_ONLY, Account.CLOSED})


#: Accounts that were opened and not ended.
OPENED = frozenset({Account.ACTIVE, Account.SUSPENDED, Account.LIQUIDATE_ONLY})


def listed_statuses(words: str) -> frozenset[str]:
    """Every status of ours that a list's party status may stand for, since a list gives no reason.

    Empty for a word nobody knows: that contradicts whatever we hold, and a person looks.
    """
    word = words.strip().upper()
    found = {status for (known, _), status in _BY_REASON.items() if known == word}
    return frozenset(found | ({_BY_STATUS[word]} if word in _BY_STATUS else set()))


def account_status(party_status: str, reason: str) -> str | None:
    """Our status for the provider's pair of words; None when either word is unknown."""
    if reason not in REASONS or party_status not in _BY_STATUS:
        return None
    return _BY_REASON.get((party_status, reason), _BY_STATUS[party_status])


def needs_reading(known: str, said: str) -> bool:
    """Whether a word contradicts what is known in a way that only the provider's own record settles.

    Events carry no time and no number (contract 7.1), so a late one looks like a new one. Restrictions are
    never doubted. A word of the opening phase after a decision, or "active" after a restriction or a refusal, is.
    """
    if known in {Account.PENDING, said} or said in RESTRICTIONS:
        return False
    if said in OPENING:
        return known not in OPENING or (known == Account.INACTIVE and said != Account.INACTIVE)
    return known in RESTRICTIONS or known == Account.INACTIVE
