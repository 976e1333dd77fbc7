"""What becomes of a login at a bank and of the bank linked by it. All of it on locked rows: account, bank, login.

Events, answers, the clock and people end here; each function writes what follows in the caller's transaction.
"""

import hashlib
from datetime import timedelta

from compliance import services as compliance
from funding import asked, bank_given_up, bank_notices, bank_words, operations
from funding.models import BankLogin, LinkedBank, LinkSession
from funding.subjects import subject_of
from portal import audit, clock, ids, outbox
from portal.models import User
from providers import expected
from providers.bakkt.fiat_events import LinkStatus

Status, Login = LinkedBank.Status, BankLogin.Status
#: The kind of case about a bank account in another name.
OWNER_CASE = "funding.bank_owner"
#: A link is told of within minutes (seed 001); later than this it is read about as late.
LINKED_WITHIN = timedelta(hours=1)


def token_hash(token: str) -> str:
    """Under which a token of Plaid's is found again; the token is long and random."""
    return hashlib.sha256(token.encode()).hexdigest()


def token_came(session: LinkSession, public_token: str, *, actor: User | None, source: str) -> BankLogin:
    """A public token of the session: one login and one call for it, however often and by whom it is brought.

    Lock the account before.
    """
    key = token_hash(public_token)
    known = BankLogin.objects.filter(token_hash=key).first()
    if known is not None:
        return known
    login = BankLogin.objects.create(account=session.account, session=session, token_hash=key)
    outbox.enqueue(
        operation=operations.LOGIN_READ, subject=login, body={"public_token": public_token}, actor=actor
    )
    audit.record("bank.login", subject=login, actor=actor, source=source)
    session_over(session, LinkSession.Outcome.SUCCESS)
    return login


def session_over(session: LinkSession, outcome: str) -> None:
    """The customer is through with Link, or left it; what opened it is forgotten. A success stays one."""
    if session.outcome == LinkSession.Outcome.SUCCESS:
        return
    session.finished_at = session.finished_at or clock.now()
    session.outcome, session.token, session.hosted_url = outcome, None, None
    session.save(update_fields=["finished_at", "outcome", "token", "hosted_url"])


def use(login: BankLogin, *, actor: User | None, source: str) -> LinkedBank:
    """Begin to link the chosen account of the login; the account has no live bank."""
    assert login.accounts is not None and login.access_token is not None
    chosen = next(one for one in login.accounts.reveal() if one["id"] == login.plaid_account_id)
    login.move_to(Login.USED, actor=actor, source=source)
    bank = LinkedBank.objects.create(
        account=login.account,
        institution=login.institution,
        name=chosen["name"],
        mask=chosen["mask"],
        subtype=chosen["subtype"],
        item_id=login.item_id,
        plaid_account_id=login.plaid_account_id,
        access_token=login.access_token.reveal(),
        same_account=chosen.get("same_account", ""),
        login=login,
        reference=str(ids.new_id()),
    )
    audit.record(
        "bank.link",
        subject=bank,
        actor=actor,
        source=source,
        after={"institution": bank.institution, "mask": bank.mask, "subtype": bank.subtype},
    )
    outbox.enqueue(operation=operations.OWNER_MATCH, subject=bank, body={}, actor=actor)
    return bank


def goes_on(bank: LinkedBank, *, actor: User | None) -> None:
    """Whose it is is settled: have the token made that the provider links it by."""
    outbox.enqueue(operation=operations.PROCESSOR_TOKEN, subject=bank, body={}, actor=actor)


def hand_over(bank: LinkedBank, processor_token: str, *, actor: User | None) -> None:
    """Write the call that has the provider link it; the token stands in the call's sealed body alone."""
    body = {"processor_token": processor_token}
    outbox.enqueue(operation=operations.LINK, subject=bank, body=body, actor=actor, key=bank.reference)


def to_review(bank: LinkedBank) -> None:
    """The bank's owner has another name: a person looks."""
    bank.move_to(Status.REVIEW, actor=None, reason="The bank's owner has another name.", source="provider")
    compliance.case_open(
        kind=OWNER_CASE,
        subject=subject_of(bank),
        title="A bank account in another name",
        facts={"institution": bank.institution, "mask": bank.mask, "name score": bank.owner_score},
        source="provider",
        dedupe=str(bank.pk),
    )


def said(bank: LinkedBank, status: LinkStatus, *, code: str = "", source: str, word: str = "") -> None:
    """The provider's word on the link, by webhook or by its record."""
    if status == LinkStatus.PENDING:
        pending(bank, source=source)
    elif status == LinkStatus.LINKED:
        linked(bank, source=source)
    elif status == LinkStatus.UNLINKED:
        unlinked(bank, source=source, reason=word)
    else:
        refused(bank, code=code, problem=bank_words.staff_words(code), source=source)


def pending(bank: LinkedBank, *, source: str) -> None:
    """The provider has it, and tells whether it is linked."""
    bank_given_up.over(bank, source=source)
    if bank.status == Status.LINKING:
        bank.move_to(Status.PENDING, actor=None, source=source)
    if bank.status == Status.PENDING:
        expected.expect(bank, operations.BANK_LINK, provider="bakkt", due_in=LINKED_WITHIN)


def _word_came(bank: LinkedBank, *, source: str) -> None:
    """What was expected of the provider is there, and nothing waits for a person any more."""
    (expected.recovered if source == "poll" else expected.met)(bank, operations.BANK_LINK)
    bank_given_up.over(bank, source=source)


def linked(bank: LinkedBank, *, actor: User | None = None, reason: str = "", source: str) -> None:
    """It is linked at the provider."""
    bank.linked_at, bank.problem, bank.problem_code = clock.now(), "", ""
    bank.save(update_fields=["linked_at", "problem", "problem_code"])
    bank.move_to(Status.ACTIVE, actor=actor, reason=reason, source=source)
    _word_came(bank, source=source)
    bank_notices.linked(bank)
    asked.bank_linked(bank, source=source)


def refused(bank: LinkedBank, *, code: str, problem: str, actor: User | None = None, source: str) -> None:
    """It is not linked, and the login is of no more use."""
    bank.problem, bank.problem_code = problem[:300], code[:64]
    bank.save(update_fields=["problem", "problem_code"])
    bank.move_to(Status.REFUSED, actor=actor, reason=code, source=source)
    _word_came(bank, source=source)
    forget(bank)
    bank_notices.refused(bank)


def unlink(bank: LinkedBank, *, actor: User | None, reason: str, source: str) -> None:
    """Stop using it and have the provider unlink it; Plaid hears of it when that is done."""
    bank.move_to(Status.UNLINKING, actor=actor, reason=reason, source=source)
    bank_given_up.over(bank, source=source)
    outbox.enqueue(operation=operations.UNLINK, subject=bank, body={}, actor=actor)


def drop_reviewed(bank: LinkedBank, *, actor: User | None, source: str) -> None:
    """A bank that waits for a person is wanted no more: its case ends too."""
    refused(bank, code="DROPPED", problem="Taken back before it was looked at.", actor=actor, source=source)
    compliance.case_settle(
        kind=OWNER_CASE, subject=subject_of(bank), reason="It is not wanted any more.", source=source
    )


def unlinked(bank: LinkedBank, *, actor: User | None = None, reason: str = "", source: str) -> None:
    """The provider has it no more. The one that was to take its place is linked now."""
    bank.move_to(Status.UNLINKED, actor=actor, reason=reason, source=source)
    _word_came(bank, source=source)
    following = (
        BankLogin.objects.select_for_update().filter(account=bank.account, status=Login.REPLACING).first()
    )
    if following is None or following.pk != bank.login_id:
        forget(bank)
    if following is None:
        (bank_notices.refused if bank.problem_code == bank_words.GIVEN_UP else bank_notices.unlinked)(bank)
        return
    following.account = bank.account
    use(following, actor=None, source=source)


def not_unlinked(bank: LinkedBank, *, code: str, problem: str) -> None:
    """The provider keeps it: as before, with what it said. What was to take its place waits for the customer."""
    bank.problem, bank.problem_code = problem[:300], code[:64]
    bank.save(update_fields=["problem", "problem_code"])
    bank.move_to(Status.ACTIVE, actor=None, reason=code or "refused", source="provider")
    bank_given_up.over(bank, source="provider")
    bank_notices.still_linked(bank)
    following = (
        BankLogin.objects.select_for_update().filter(account=bank.account, status=Login.REPLACING).first()
    )
    if following is None:
        return
    if following.pk == bank.login_id:
        # Its numbers changed: money must not be moved by the old ones.
        following.move_to(Login.USED, actor=None, source="provider")
        sign_in(bank, "DEFAULT_UPDATE", source="provider")
    else:
        following.move_to(Login.CHOOSE, actor=None, source="provider")


def replace(bank: LinkedBank, login: BankLogin, *, actor: User | None, reason: str, source: str) -> None:
    """Unlink the bank and then link the login's chosen account, which may be the same one anew."""
    login.move_to(Login.REPLACING, actor=actor, reason=reason, source=source)
    unlink(bank, actor=actor, reason=reason, source=source)


def forget(bank: LinkedBank) -> None:
    """End the login that a bank was linked by, at Plaid too."""
    if bank.access_token is not None:
        bank.access_token = None
        bank.save(update_fields=["access_token"])
    if bank.login_id is not None:
        remove(BankLogin.objects.select_for_update().get(pk=bank.login_id), actor=None)


def remove(login: BankLogin, *, actor: User | None) -> None:
    """End the login at Plaid: its tokens, and the token the provider had."""
    if not login.may_move_to(Login.REMOVING):
        return
    login.move_to(Login.REMOVING, actor=actor)
    outbox.enqueue(operation=operations.LOGIN_REMOVE, subject=login, body={}, actor=actor)


def sign_in(bank: LinkedBank, code: str, *, source: str) -> None:
    """The bank asks its customer to sign in anew; nothing is moved until then."""
    bank.problem_code = code[:64]
    bank.save(update_fields=["problem_code"])
    if bank.status == Status.ACTIVE:
        bank.move_to(Status.SIGN_IN, actor=None, reason=code, source=source)
        bank_notices.sign_in(bank)


def signed_in(bank: LinkedBank, *, source: str) -> None:
    """The bank answers again, under the same tokens: nothing is exchanged and nobody is told."""
    if bank.status != Status.SIGN_IN:
        return
    bank.problem_code = ""
    bank.save(update_fields=["problem_code"])
    bank.move_to(Status.ACTIVE, actor=None, source=source)
