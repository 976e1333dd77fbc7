"""The calls to Plaid on the way to a link, and at its end. Handlers of the outbox; nothing here waits for a person.

Plaid knows no idempotency keys (contract plaid.md, section 1): what a call brought is kept as soon as it is here, and
a repeat begins after it.
"""

from datetime import timedelta
from typing import Any, NotRequired, TypedDict
from uuid import UUID

from funding import bank_flow, bank_given_up, bank_words, lost_logins
from funding.calling import Answered, ask, code_of
from funding.locking import lock_bank, lock_login
from funding.models import BankLogin, LinkedBank
from onboarding.models import Entity, Owner
from portal import clock, outbox
from portal.models import OutboundCall
from providers import clients
from providers.errors import NotFound, NotSent, OutcomeUnknown, ProviderError, Rejected
from providers.plaid.client import PlaidClient
from providers.plaid.types import SUBTYPES, BankAccount, OwnerMatch

Status, Login = LinkedBank.Status, BankLogin.Status
Outcome = outbox.Succeeded | outbox.Refused


#: How long a public token can be exchanged (contract plaid.md, section 1).
PUBLIC_TOKEN_LIVES = timedelta(minutes=30)


class Choice(TypedDict):
    """An account of a login that may be chosen, when `offered`."""

    id: str
    name: str
    mask: str
    subtype: str
    offered: bool
    #: LinkedBank.same_account of it; not there in what was read before that was kept.
    same_account: NotRequired[str]


class LoginRead:
    """The outbox handler of plaid.login_read: exchange the public token, then read which accounts there are.

    An exchange whose answer was lost cannot be repeated: Plaid refuses, and the customer links again. The Item that it
    may hold then can be ended by Plaid alone, so staff have a case.
    """

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Exchange it unless that is done, and read."""
        return ask(lambda: _read(call), call)

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Offer the accounts, or say that it failed."""
        login = lock_login(call.subject_id)
        if login.status not in {Login.READING, Login.CHOOSE}:
            return
        if isinstance(outcome, Answered):
            login.institution, accounts = outcome.reply
            login.accounts = accounts
            login.save(update_fields=["institution", "accounts"])
            if login.status == Login.READING:
                login.move_to(Login.CHOOSE, actor=None, source="provider")
        elif isinstance(outcome, outbox.Refused) and login.status == Login.READING:
            login.problem_code = code_of(outcome)
            login.save(update_fields=["problem_code"])
            login.move_to(Login.FAILED, actor=None, reason=login.problem_code, source="provider")
            if login.item_id:
                bank_flow.remove(login, actor=None)
            if login.problem_code == bank_words.EXCHANGE_LOST:
                lost_logins.tell(login)

    def gave_up(self, call: OutboundCall) -> None:
        """The customer links again; nothing was linked."""
        self.record(call, outbox.Refused("Given up."))


def _read(call: OutboundCall) -> tuple[str, list[Choice]]:
    client = clients.plaid()
    login = BankLogin.objects.get(pk=call.subject_id)
    if login.access_token is None:
        token = _exchanged(client, login, call.body.reveal()["public_token"])
    else:
        token = login.access_token.reveal()
    health = client.item(token)
    accounts = [_choice(one) for one in client.accounts(token) if one.subtype in SUBTYPES]
    return health.institution_name[:120] or "Your bank", accounts


def _exchanged(client: PlaidClient, login: BankLogin, public_token: str) -> str:
    """The access token, kept as soon as it is here: the public token works no second time.

    Raises Rejected with the code EXCHANGE_LOST where the answer to an earlier exchange was lost, and EXPIRED where it
    is too late for one.
    """
    asked_before = login.exchange_asked_at is not None
    over = bank_words.EXCHANGE_LOST if asked_before else bank_words.EXPIRED
    if clock.now() - login.created_at > PUBLIC_TOKEN_LIVES:
        raise Rejected("The public token is over", code=over)
    if not asked_before:
        login.exchange_asked_at = clock.now()
        login.save(update_fields=["exchange_asked_at"])
    try:
        item = client.exchange(public_token)
    except ProviderError as error:
        if asked_before and isinstance(error, Rejected):
            raise Rejected(error.message, status=error.status, code=over) from error
        if not asked_before and (isinstance(error, NotSent) or not isinstance(error, OutcomeUnknown)):
            # It surely had no effect.
            login.exchange_asked_at = None
            login.save(update_fields=["exchange_asked_at"])
        raise
    login.item_id, login.access_token, login.exchange_asked_at = item.item_id, item.access_token, None
    login.save(update_fields=["item_id", "access_token", "exchange_asked_at"])
    return item.access_token


def _choice(account: BankAccount) -> Choice:
    return {
        "id": account.account_id,
        "name": (account.name or account.official_name)[:120],
        "mask": account.mask[:4],
        "subtype": account.subtype,
        "offered": account.offered,
        "same_account": LinkedBank.same_account_hash(account.persistent_id),
    }


class OwnerMatching:
    """The outbox handler of plaid.owner_match: does the bank's owner have the customer's name?"""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Compare the name alone: nothing more of the customer is told."""
        bank = LinkedBank.objects.select_related("account").get(pk=call.subject_id)
        if bank.access_token is None:
            return outbox.Refused("The login is gone.")
        token, name = bank.access_token.reveal(), name_of(bank.account.application_id)
        return ask(
            lambda: clients.plaid().identity_match(token, bank.plaid_account_id, legal_name=name), call
        )

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Go on, or have a person look at another name. That the bank tells none is no other name."""
        bank = lock_bank(call.subject_id)
        if bank.status != Status.LINKING:
            return
        if isinstance(outcome, outbox.Refused):
            bank_flow.refused(bank, code="BANK", problem=outcome.problem, source="provider")
            return
        match = outcome.reply if isinstance(outcome, Answered) else OwnerMatch()
        bank.owner, bank.owner_score = match.verdict, match.name_score
        bank.save(update_fields=["owner", "owner_score"])
        if bank.owner == LinkedBank.Owner.MISMATCH:
            bank_flow.to_review(bank)
        else:
            bank_flow.goes_on(bank, actor=None)

    def gave_up(self, call: OutboundCall) -> None:
        """A person looks."""
        bank_given_up.gave_up(call)


def name_of(application_id: UUID) -> str:
    """The name that the bank account must be in: the company's or trust's, or the applicant's."""
    entity = Entity.objects.filter(application=application_id).exclude(legal_name="").first()
    if entity is not None:
        return str(entity.legal_name)
    return str(Owner.objects.get(application=application_id, is_applicant=True).full_name)


class ProcessorToken:
    """The outbox handler of plaid.processor_token: the token that Bakkt reads the account's numbers by, made once."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Have it made."""
        bank = LinkedBank.objects.get(pk=call.subject_id)
        if bank.access_token is None:
            return outbox.Refused("The login is gone.")
        token = bank.access_token.reveal()
        return ask(lambda: clients.plaid().processor_token(token, bank.plaid_account_id), call)

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Write the call that hands it to the provider; the token stands in its sealed body alone."""
        bank = lock_bank(call.subject_id)
        if bank.status != Status.LINKING:
            return
        if isinstance(outcome, Answered):
            bank_flow.hand_over(bank, outcome.reply, actor=call.actor)
        else:
            problem = outcome.problem if isinstance(outcome, outbox.Refused) else ""
            bank_flow.refused(bank, code="BANK", problem=problem, source="provider")

    def gave_up(self, call: OutboundCall) -> None:
        """A person looks."""
        bank_given_up.gave_up(call)


class LoginRemove:
    """The outbox handler of plaid.login_remove: end the login at Plaid, after the provider has unlinked it."""

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """Remove it; one that is gone already is removed."""
        login = BankLogin.objects.get(pk=call.subject_id)
        if login.access_token is None:
            return outbox.Succeeded()
        token = login.access_token.reveal()
        return ask(lambda: _removed(token), call)

    def record(self, call: OutboundCall, outcome: Outcome) -> None:
        """Keep no token of it. What Plaid refuses to remove stays, for an operator to see among the calls."""
        login = lock_login(call.subject_id)
        if login.status != Login.REMOVING:
            return
        if isinstance(outcome, outbox.Refused):
            login.problem_code = code_of(outcome)
            login.save(update_fields=["problem_code"])
            return
        login.access_token, login.accounts = None, None
        login.save(update_fields=["access_token", "accounts"])
        login.move_to(Login.REMOVED, actor=None, source="provider")

    def gave_up(self, call: OutboundCall) -> None:
        """Nothing of the customer's waits for it; the call stands among those that wait for a person."""


def _removed(token: str) -> Any:
    try:
        clients.plaid().remove(token)
    except NotFound:
        return None
