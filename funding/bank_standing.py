"""Where an account stands with its bank, for the customer's page and the API alike."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import TextChoices

from funding import bank_words
from funding.login_jobs import Choice
from funding.models import BankLogin, LinkedBank, LinkSession
from onboarding.models import ProviderAccount
from portal import clock
from portal.models import User

Status, Login = LinkedBank.Status, BankLogin.Status
#: What came of Link is of no more interest after this.
FRESH = timedelta(days=1)


class State(TextChoices):
    """What the customer can do now follows from it."""

    NONE = "none", "No bank is linked"
    READING = "reading", "Your bank is being asked"
    CHOOSE = "choose", "Choose an account"
    REVIEW = "review", "We look at your bank"
    LINKING = "linking", "Your bank is being linked"
    LINKED = "linked", "Your bank is linked"
    SIGN_IN = "sign_in", "Sign in at your bank again"
    UNLINKING = "unlinking", "Your bank is being unlinked"
    FAILED = "failed", "Your bank was not linked"


_BY_BANK = {
    Status.REVIEW: State.REVIEW,
    Status.LINKING: State.LINKING,
    Status.PENDING: State.LINKING,
    Status.ACTIVE: State.LINKED,
    Status.SIGN_IN: State.SIGN_IN,
    Status.UNLINKING: State.UNLINKING,
}


@dataclass(frozen=True)
class Standing:
    """The state, the bank it is about, and the login to choose an account of. `why`: why it was not linked."""

    state: State
    bank: LinkedBank | None = None
    login: BankLogin | None = None
    why: str = ""
    choices: list[Choice] = field(default_factory=list)


def standing(account: ProviderAccount) -> Standing:
    """Where the account stands now."""
    rows = LinkedBank.objects.filter(account=account).order_by("-created_at")
    bank = rows.filter(status__in=LinkedBank.LIVE).first()
    login = (
        BankLogin.objects.filter(account=account, created_at__gt=clock.now() - FRESH)
        .exclude(status__in=[Login.REMOVING, Login.REMOVED, Login.USED])
        .order_by("-created_at")
        .first()
    )
    if login is not None and login.status == Login.READING:
        return Standing(State.READING, bank, login)
    if login is not None and login.status == Login.CHOOSE and login.accounts is not None:
        return Standing(State.CHOOSE, bank, login, choices=login.accounts.reveal())
    if bank is not None:
        return Standing(_BY_BANK[Status(bank.status)], bank, login)
    last = rows.first()
    if (
        login is not None
        and login.status == Login.FAILED
        and (last is None or last.created_at < login.created_at)
    ):
        return Standing(State.FAILED, None, login, why=bank_words.login_failed(login))
    if last is not None and bank_words.was_refused(last):
        return Standing(State.FAILED, last, why=bank_words.refusal(last))
    return Standing(State.NONE)


def open_session(user: User) -> LinkSession | None:
    """The newest opening of Link on our own page that the customer may still go on with."""
    rows = LinkSession.objects.filter(
        started_by=user,
        finished_at=None,
        expires_at__gt=clock.now(),
        token__isnull=False,
        hosted_url__isnull=True,
        account__application__customer__restricted_at=None,
    )
    return rows.select_related("account__application").order_by("-created_at").first()
