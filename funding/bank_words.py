"""What customers read about a bank that was not linked."""

from datetime import timedelta

from funding.models import BankLogin, LinkedBank
from portal import clock
from providers.bakkt import fiat_problems

#: After that long nobody is told of minutes any more.
USUALLY_WITHIN = timedelta(minutes=30)
#: Nobody found out whether it was linked, so it was taken back.
GIVEN_UP = "GIVEN_UP"
#: Codes of our own and of Plaid's; the provider's are in providers/bakkt/fiat_problems.py.
_OURS = {
    "OWNER": "The bank account is not in your name. Link one that is.",
    "DROPPED": "You took it back before it was linked.",
    GIVEN_UP: "We asked for it to be linked and never got a clear answer, so we took it back. Link your bank again.",
    "BANK": "Your bank did not let us in. Link it again, or choose another bank.",
}


def was_refused(bank: LinkedBank) -> bool:
    """Whether it was never linked, so that there is a reason to tell."""
    taken_back = bank.status == LinkedBank.Status.UNLINKED and bank.problem_code == GIVEN_UP
    return bank.status == LinkedBank.Status.REFUSED or taken_back


def refusal(bank: LinkedBank) -> str:
    """Why it was not linked and what to do, in a sentence or two."""
    return _OURS.get(bank.problem_code) or fiat_problems.look_up(bank.problem_code).customer


def staff_words(code: str) -> str:
    """What the provider's code means, for staff."""
    return _OURS.get(code) or fiat_problems.look_up(code).staff


def what_next(bank: LinkedBank) -> str:
    """What happens next with a bank that is being linked or unlinked; "" with any other."""
    linking = bank.status in {LinkedBank.Status.LINKING, LinkedBank.Status.PENDING}
    if not linking and bank.status != LinkedBank.Status.UNLINKING:
        return ""
    if bank.stuck_at is None and clock.now() - bank.status_at < USUALLY_WITHIN:
        return "This usually takes some minutes. We write to you when it is done; you need not wait here."
    if bank.stuck_at is None:
        return (
            "This takes longer than usual: we have no answer yet and keep asking. We write to you when it is done; you "
            "need not wait here."
        )
    looked_at = "One of us finds out, usually within a business day, and we write to you."
    if linking:
        return (
            "This takes longer than it should: we asked for it to be linked and have no clear answer. "
            f"{looked_at} No money is moved from or to it until then. You need do nothing; you can unlink it."
        )
    return (
        "This takes longer than it should: we asked for it to be unlinked and have no clear answer. "
        f"{looked_at} No money is moved from or to it any more. After that you can link another bank."
    )


#: Why a login came to nothing: an answer of Plaid's that comes once was lost; it could not be asked for in time.
EXCHANGE_LOST, EXPIRED = "EXCHANGE_LOST", "EXPIRED"
_LOGINS = {
    EXCHANGE_LOST: "The answer about your bank was lost on its way, so nothing is linked. Link your bank again. Your "
    "bank, or my.plaid.com, may show a connection from this try: nobody can use it, and you can end it there.",
    EXPIRED: "The service that links banks could not be reached in time, so nothing is linked. Link your bank again.",
}


def login_failed(login: BankLogin) -> str:
    """Why nothing came of a login, and what to do."""
    otherwise = "The answer of your bank was lost on its way, or it did not let us in. Link it again."
    return _LOGINS.get(login.problem_code, otherwise)
