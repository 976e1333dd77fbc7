"""The decision that stops an account's money, of all kinds of cases about money."""

from collections.abc import Callable

from compliance import kinds
from funding.subjects import account_id_of
from onboarding.models import AccountHold, ProviderAccount
from onboarding.services.holds import hold_put

Cause = AccountHold.Cause


def put(ruling: kinds.Ruling, cause: Cause) -> str:
    """The effect: nothing moves on the account that the case is about. Says so."""
    account = ProviderAccount.objects.get(pk=account_id_of(ruling.case.subject_id))
    hold_put(
        actor=ruling.actor,
        application_id=account.application_id,
        cause=cause,
        why=ruling.text,
        source="case",
        case_reference=ruling.case.reference,
    )
    return "Nothing goes in or out of the account until the hold is released."


def decision(
    cause: Cause, *, effect: Callable[[kinds.Ruling], str] | None = None, also: str = ""
) -> kinds.Decision:
    """Hold the account for this cause; `effect` where more is done than that, and `also` says what."""
    return kinds.Decision(
        "hold",
        "Hold the account",
        f"Nothing goes in or out any more{also}. Say why, for colleagues alone.",
        effect=effect or (lambda ruling: put(ruling, cause)),
        needs_text=True,
        permission="account.hold",
        verdict="refused",
    )
