"""Whether the login that a bank is linked by still works: read after a webhook, after a new sign-in, and each night."""

from datetime import timedelta
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from funding import bank_flow
from funding.locking import lock_bank, lock_login
from funding.models import BankLogin, LinkedBank, LinkSession
from onboarding.jobs import lock_account
from portal import clock
from portal.doorbell import ring
from providers import clients
from providers.errors import NotFound, ProviderError
from providers.http import about
from providers.plaid.problems import PlaidProblem, problem_of_code

log = structlog.get_logger(__name__)
Status, Login = LinkedBank.Status, BankLogin.Status
#: Problems that a new sign-in mends.
_MENDED = frozenset({PlaidProblem.LOGIN, PlaidProblem.CONSENT, PlaidProblem.LOCKED})
#: A login nobody chose an account of is ended after this.
UNUSED_FOR = timedelta(days=1)
_LOOKED_AT = (Status.ACTIVE, Status.SIGN_IN)


def asks_nothing(code: str) -> bool:
    """Whether the bank's error is none that its customer could mend by signing in."""
    return problem_of_code(code) not in _MENDED


def look_soon(bank: LinkedBank) -> None:
    """Have the login read, after commit."""
    ring("funding.tasks.bank_look", bank.pk, queue="provider")


def look_after_sign_in(bank_id: UUID) -> None:
    """Have it read after its customer signed in: what it warned of is over then."""
    ring("funding.tasks.bank_look_after_sign_in", bank_id, queue="provider")


def look(bank_id: UUID, *, signed_in: bool = False) -> bool:
    """Read the login and let its bank follow; whether Plaid answered.

    A bank that works and only announced an end (PENDING_DISCONNECT) waits for its customer: `signed_in` says they
    did sign in.
    """
    bank = LinkedBank.objects.filter(pk=bank_id, status__in=_LOOKED_AT).first()
    if bank is None or bank.access_token is None:
        return True
    gone, code = False, ""
    try:
        with about(subject_type=bank._meta.label_lower, subject_id=bank.pk):
            health = clients.plaid().item(bank.access_token.reveal())
        problem, code = health.problem, health.error_code
    except NotFound:
        gone, problem = True, None
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("bank_login_not_read", bank=str(bank_id), error=type(error).__name__)
        return False
    with transaction.atomic():
        bank = lock_bank(bank_id)
        if bank.status not in _LOOKED_AT:
            return True
        if gone or problem == PlaidProblem.GONE:
            bank_flow.unlink(bank, actor=None, reason="The login at the bank is gone.", source="poll")
        elif problem in _MENDED:
            bank_flow.sign_in(bank, code, source="poll")
        elif problem is None and (signed_in or not asks_nothing(bank.problem_code)):
            bank_flow.signed_in(bank, source="poll")
    return True


def read_session_soon(session: LinkSession) -> None:
    """Have Plaid asked what came of the session, after commit: its webhook may be late or lost."""
    ring("funding.tasks.link_session_read", session.pk, queue="provider")


def read_session(session_id: UUID) -> bool:
    """Take what Plaid says that the session brought; whether it answered."""
    session = LinkSession.objects.filter(pk=session_id).first()
    if session is None or session.token is None:
        return True
    if session.bank_id is not None:
        return look(session.bank_id)
    try:
        with about(subject_type=session._meta.label_lower, subject_id=session.pk):
            tokens = clients.plaid().link_results(session.token.reveal())
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("link_session_not_read", session=str(session_id), error=type(error).__name__)
        return False
    if tokens:
        with transaction.atomic():
            account = lock_account(session.account_id)
            session = LinkSession.objects.get(pk=session_id)
            session.account = account
            for token in tokens:
                bank_flow.token_came(session, token, actor=None, source="poll")
    return True


def sweep() -> int:
    """The nightly net: have every live login looked at, and end those nobody used; how many it rang for."""
    rung = 0
    rows = LinkedBank.objects.filter(status__in=_LOOKED_AT).exclude(item_id="")
    for bank_id in rows.values_list("pk", flat=True).iterator(chunk_size=1000):
        ring("funding.tasks.bank_look", bank_id, queue="bulk")
        rung += 1
    left = BankLogin.objects.filter(
        status__in=[Login.CHOOSE, Login.FAILED], status_at__lt=clock.now() - UNUSED_FOR
    ).exclude(item_id="")
    for login_id in list(left.values_list("pk", flat=True)[:1000]):
        with transaction.atomic():
            login = lock_login(login_id)
            if login.status in {Login.CHOOSE, Login.FAILED}:
                bank_flow.remove(login, actor=None)
    return rung
