"""Which outcome a test name brings. `Maggic Dawn` is Bakkt's own (contract, section 9); the rest is ours."""

from dataclasses import dataclass

from sandbox.state import Json

ENROLLED = {"status": "ACTIVE", "reason": "ENROLLMENT"}


@dataclass(frozen=True)
class TestName:
    """A name, what a tester may expect of it, and its steps. A step's `wait` is a number of sandbox seconds
    or the setting that holds it; the first step waits for the webhook delay. `updates`: how reviews of later
    updates end; empty when only a tester ends them."""

    name: str
    about: str
    steps: tuple[Json, ...]
    updates: str = "accepted"


def _then(status: str, reason: str) -> Json:
    return {"status": status, "reason": reason, "wait": "later_seconds"}


NAMES = (
    TestName("Maggic Dawn", "fails the identity check", ({"status": "INACTIVE", "reason": "RISK_KYC"},)),
    TestName("block block", "is refused by OFAC screening", ({"status": "INACTIVE", "reason": "RISK_OFAC"},)),
    TestName(
        "Review Manual",
        "waits for a manual review, then is enrolled",
        ({"status": "UNDER_REVIEW", "reason": "PENDING_REVIEW"}, {**ENROLLED, "wait": "review_seconds"}),
    ),
    TestName(
        "Verify Document",
        "must prove identity at a link; you choose there how it ends",
        ({"status": "UNDER_REVIEW", "reason": "DOCUMENT_VERIFICATION", "link": True},),
    ),
    TestName(
        "Suspend Later",
        "is enrolled, later suspended by compliance",
        (ENROLLED, _then("SUSPENDED", "COMPLIANCE_LOCKED")),
    ),
    TestName(
        "Returns Later",
        "is enrolled, later suspended for returned bank transfers",
        (ENROLLED, _then("SUSPENDED", "MAX_ACH_RETURNS")),
    ),
    TestName(
        "Liquidate Later",
        "is enrolled, later may only sell and withdraw",
        (ENROLLED, _then("LIQUIDATED", "LIQUIDATE_ACCOUNT")),
    ),
    TestName("Close Later", "is enrolled, later closed", (ENROLLED, _then("CLOSED", "CLOSED"))),
    TestName(
        "Taxid Retries",
        "used up the attempts at a tax ID",
        ({"status": "INACTIVE", "reason": "TAX_ID_MAX_RETRIES"},),
    ),
    TestName(
        "Silent Never",
        "is enrolled, but no webhook ever says so; reading shows it",
        ({**ENROLLED, "announce": False},),
    ),
    TestName(
        "Unknown Word",
        "gets a status and a reason that nobody published",
        ({"status": "HIBERNATING", "reason": "FULL_MOON"},),
    ),
    TestName("Update Refused", "is enrolled; every later update is refused", (ENROLLED,), updates="rejected"),
    TestName(
        "Update Waits", "is enrolled; a later update waits until you end its review", (ENROLLED,), updates=""
    ),
)
ANYONE = TestName("anyone else", "is enrolled", (ENROLLED,))
_BY_NAME = {entry.name.casefold(): entry for entry in NAMES}


def outcome_of(name: str) -> TestName:
    """The outcome for a given name and a family name, blind to case and surplus blanks."""
    return _BY_NAME.get(" ".join(name.split()).casefold(), ANYONE)
