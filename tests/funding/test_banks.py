"""Linking a bank from the first page to the provider's word, and everything that may come in between."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from compliance.models import Case
from funding import bank_flow, bank_health, operations, services
from funding.bank_events import BankLinkEvents
from funding.bank_standing import State, standing
from funding.errors import BankRefused
from funding.models import BankLogin, LinkedBank, LinkSession, Transfer
from funding.terms import Order, terms
from portal import clock, ids, outbox
from portal.errors import Conflict, Forbidden, Invalid, NotFound, ProviderAway
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from providers import clients, inbox
from providers.inbox import Verdict
from providers.models import ExpectedEvent, InboundEvent
from sandbox.testing import SandboxProcess
from tests.deciding import decide
from tests.faults.way import deliver, exchanges
from tests.flow import drain
from tests.funding.linking import HOUNDSTOOTH, chosen, items, known_account, link, started, through, user_of
from tests.funding.people import link_bank, open_account
from tests.people import make_staff
from tests.providers.inbox_support import stored

pytestmark = pytest.mark.django_db(transaction=True)
Status = LinkedBank.Status


def subjects() -> list[str]:
    return list(MailMessage.objects.order_by("pk").values_list("subject", flat=True))


def call(operation: str) -> OutboundCall:
    return OutboundCall.objects.filter(operation=operation).latest("created_at")


def fire(box: SandboxProcess, bank: LinkedBank, code: str) -> None:
    box.api("POST", f"items/{bank.item_id}/fire", {"code": code})
    deliver(box)


def test_a_bank_is_linked_and_unlinked_at_the_provider_first(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account)
    assert (bank.status, bank.owner, bank.mask) == ("active", "match", "0000")
    assert standing(account).state == State.LINKED
    assert not terms(user_of(account), account, Order("deposit", "ach")).stops
    # Both LINK webhooks brought the one public token.
    assert set(InboundEvent.objects.filter(kind__startswith="LINK.").values_list("status", flat=True)) == {
        "processed",
        "ignored",
    }
    for operation in ("plaid_exchange", "plaid_processor_token", "link_plaid"):
        assert len(exchanges(bank_box, operation)) <= 1, operation
    assert BankLogin.objects.count() == 1 and LinkSession.objects.get().token is None
    body = call(operations.LINK).body
    assert body.reveal()["processor_token"].startswith("processor-") and "processor" not in repr(body)
    assert not ExpectedEvent.objects.filter(kind=operations.BANK_LINK, state="waiting").exists()

    services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    unlink = call(operations.UNLINK)
    assert not OutboundCall.objects.filter(operation=operations.LOGIN_REMOVE).exists()
    outbox.perform(unlink.pk)
    assert not items(bank_box)[0]["removed"], "Plaid hears of it when the provider has unlinked it"
    drain()
    bank.refresh_from_db()
    assert items(bank_box)[0]["removed"] and bank.status == "unlinked" and bank.access_token is None
    login = BankLogin.objects.get()
    assert (login.status, login.access_token, login.accounts) == ("removed", None, None)
    deliver(bank_box)
    bank.refresh_from_db()
    assert bank.status == "unlinked" and subjects() == [
        "Your bank is linked",
        "Your bank is no longer linked",
    ]
    letters = "".join(str(row.content.reveal()) for row in MailMessage.objects.all())
    assert "0000" in letters and "processor" not in letters


@pytest.mark.parametrize("decision", ["link", "refuse"])
def test_another_name_waits_for_a_person(bank_box: SandboxProcess, decision: str) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account, user="user_mismatch")
    assert (bank.status, bank.owner, bank.owner_score) == ("review", "mismatch", 18)
    assert not OutboundCall.objects.filter(operation=operations.PROCESSOR_TOKEN).exists()
    assert terms(user_of(account), account, Order("deposit", "ach")).stops[0].code == "bank_review"
    case = Case.objects.get(kind=bank_flow.OWNER_CASE)
    decide(make_staff("compliance_manager"), case, decision, text="Maiden name, seen on a statement")
    drain()
    deliver(bank_box)
    bank.refresh_from_db()
    if decision == "link":
        assert bank.status == "active"
        return
    assert bank.status == "refused" and items(bank_box)[0]["removed"]
    assert standing(account).state == State.FAILED and "in your name" in standing(account).why


@pytest.mark.parametrize(
    ("user", "owner"), [("user_unknown", "unknown"), ("user_off", "unknown"), ("user_close", "close")]
)
def test_a_bank_that_tells_no_name_goes_on_and_is_marked(
    bank_box: SandboxProcess, user: str, owner: str
) -> None:
    bank = link(bank_box, known_account(bank_box), user=user)
    assert (bank.status, bank.owner) == ("active", owner) and not Case.objects.exists()


def test_an_account_whose_number_is_not_verified_gets_no_token(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    through(started(account), institution=HOUNDSTOOTH, accounts=("0000", "1111"))
    deliver(bank_box)
    found = standing(account)
    assert [(one["mask"], one["offered"]) for one in found.choices] == [("0000", True), ("1111", False)]
    assert found.login is not None
    for wanted in (found.choices[1]["id"], "made-up"):
        with pytest.raises(Invalid):
            services.account_choose(
                actor=user_of(account), login_id=found.login.pk, plaid_account_id=wanted, source="page"
            )
    # The small deposits arrive: the accounts are read again.
    item = items(bank_box)[0]["item_id"]
    bank_box.api("POST", f"items/{item}/verification", {"mask": "1111", "status": "automatically_verified"})
    deliver(bank_box)
    assert all(one["offered"] for one in standing(account).choices)


def test_the_same_token_by_browser_app_and_webhooks_at_once_is_exchanged_once(
    bank_box: SandboxProcess,
) -> None:
    account = known_account(bank_box)
    session = started(account)
    through(session)
    session.refresh_from_db()
    assert session.token is not None
    (token,) = clients.plaid().link_results(session.token.reveal())
    found: list[Any] = []

    def bring() -> None:
        try:
            login = services.link_bring(
                actor=user_of(account), session_id=session.pk, public_token=token, source="api"
            )
            found.append(login.pk)
        finally:
            connection.close()

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deliver(bank_box)
    assert len(found) == 4 and len(set(found)) == 1
    assert OutboundCall.objects.filter(operation=operations.LOGIN_READ).count() == 1
    assert BankLogin.objects.get().status == "choose" and len(items(bank_box)) == 1


def test_a_worker_killed_after_the_exchange_goes_on_from_there(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    through(started(account))
    bank_box.fault("500_before", "plaid_accounts", count=9)
    deliver(bank_box)
    login = BankLogin.objects.get()
    assert login.status == "reading" and login.item_id, "kept before anything else is asked"
    bank_box.api("DELETE", "faults")
    OutboundCall.objects.update(next_attempt_at=login.created_at)
    drain()
    login.refresh_from_db()
    assert login.status == "choose" and len(exchanges(bank_box, "plaid_exchange")) == 1


def test_the_provider_s_word_is_awaited_and_one_nobody_knows_changes_nothing(
    bank_box: SandboxProcess,
) -> None:
    account = known_account(bank_box)
    chosen(bank_box, account)
    drain()
    bank = LinkedBank.objects.get()
    assert bank.status == "pending" and standing(account).state == State.LINKING
    assert ExpectedEvent.objects.filter(kind=operations.BANK_LINK, state="waiting").exists()
    for status in ("WHO_KNOWS", "LINKED", "LINKED", "FAILED"):
        body = {
            "partnerWebhookType": "BANK_ACCOUNT_LINK",
            "partnerPartyRef": account.client_account_id,
            "partnerTransactionRef": bank.reference,
            "status": status,
            "requestId": str(ids.new_id()),
        }
        event = stored(body)
        inbox.process(event.pk)
        bank.refresh_from_db()
        event.refresh_from_db()
        assert bank.status == ("pending" if status == "WHO_KNOWS" else "active"), status
        assert (event.status == "quarantined") == (status in {"WHO_KNOWS", "FAILED"}), status
    assert subjects() == ["Your bank is linked"]


@pytest.mark.parametrize(
    ("known", "said", "verdict"),
    [
        ("linking", "linked", "apply"),  # the word before the answer
        ("active", "pending", "no_effect"),
        ("unlinked", "linked", "no_effect"),
        ("unlinked", "linked later", "quarantine"),  # linked there after it was unlinked
        ("unlinking", "linked", "no_effect"),
        ("unlinking", "unlinked", "apply"),
        ("refused", "linked", "quarantine"),
    ],
)
def test_words_out_of_order(customer_user: User, known: str, said: str, verdict: str) -> None:
    account = open_account(customer_user)
    bank = link_bank(account, status=known)
    words = {
        "partnerPartyRef": account.client_account_id,
        "partnerTransactionRef": bank.reference,
        "status": said.removesuffix(" later"),
    }
    if "later" in said:
        words["timestamp"] = (clock.now() + timedelta(minutes=2)).isoformat()
    event = stored({"partnerWebhookType": "BANK_ACCOUNT_LINK", **words})
    with transaction.atomic():
        assert BankLinkEvents().plan(event).verdict == Verdict(verdict)


def test_a_refused_bank_says_why(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    chosen(bank_box, account)
    bank = LinkedBank.objects.get()
    outbox.perform(call(operations.OWNER_MATCH).pk)
    OutboundCall.objects.filter(operation=operations.PROCESSOR_TOKEN).delete()
    with transaction.atomic():
        bank_flow.hand_over(bank, "processor-sandbox-unsupported", actor=None)
    drain()
    deliver(bank_box)
    bank.refresh_from_db()
    assert bank.status == "refused" and bank.problem_code == "UNSUPPORTED_FINANCIAL_INSTITUTION"
    assert "This bank is not supported" in standing(account).why and subjects() == [
        "Your bank was not linked"
    ]
    assert items(bank_box)[0]["removed"]


def test_a_new_sign_in_keeps_all_tokens(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account)
    bank_box.api("POST", f"items/{bank.item_id}/reset-login", {})
    deliver(bank_box)
    bank.refresh_from_db()
    assert bank.status == "sign_in" and subjects()[-1] == "Please sign in at your bank again"
    assert bank_health.look(bank.pk) and LinkedBank.objects.get().status == "sign_in"
    session = started(account, purpose="update")
    through(session)
    deliver(bank_box)
    bank_health.look(bank.pk, signed_in=True)
    bank.refresh_from_db()
    assert bank.status == "active" and len(exchanges(bank_box, "plaid_exchange")) == 1
    with pytest.raises(Conflict):
        services.link_bring(
            actor=user_of(account), session_id=session.pk, public_token="public-x", source="api"
        )


def test_an_announced_end_waits_for_the_customer(bank_box: SandboxProcess) -> None:
    bank = link(bank_box, known_account(bank_box))
    fire(bank_box, bank, "PENDING_DISCONNECT")
    bank_health.look(bank.pk)
    assert LinkedBank.objects.get().status == "sign_in", "it still works, and not for long"
    fire(bank_box, bank, "LOGIN_REPAIRED")
    assert LinkedBank.objects.get().status == "active"


def test_changed_numbers_are_unlinked_and_linked_anew(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account)
    fire(bank_box, bank, "DEFAULT_UPDATE")
    drain()
    deliver(bank_box)
    old, new = LinkedBank.objects.order_by("created_at")
    assert (old.status, new.status) == ("unlinked", "active") and old.item_id == new.item_id
    assert not items(bank_box)[0]["removed"] and items(bank_box)[0]["processor_tokens"] == 2


@pytest.mark.parametrize("code", ["USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED"])
def test_withdrawn_consent_unlinks(bank_box: SandboxProcess, code: str) -> None:
    bank = link(bank_box, known_account(bank_box))
    fire(bank_box, bank, code)
    drain()
    assert LinkedBank.objects.get().status == "unlinked" and BankLogin.objects.get().status == "removed"


def test_an_unlink_that_is_refused_is_told(bank_box: SandboxProcess, settings: Any) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account)
    settings.BAKKT_PARTNER_ID = "no-id"
    services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    drain()
    bank.refresh_from_db()
    assert (bank.status, bank.problem_code) == ("active", "INVALID_FIELD_VALUE")
    assert subjects()[-1] == "Your bank is still linked"


def test_another_bank_takes_its_place_after_the_first_is_unlinked(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    first = link(bank_box, account)
    with pytest.raises(Conflict, match="linked already"):
        chosen(bank_box, account)
    services.login_drop(actor=user_of(account), login_id=standing(account).login.pk, source="page")  # type: ignore[union-attr]
    second = link(bank_box, account, institution=HOUNDSTOOTH)
    first.refresh_from_db()
    assert (first.status, second.status) == ("unlinked", "active")
    operations_made = [
        entry["operation"]
        for entry in bank_box.state()["requests"]
        if entry["operation"] in {"unlink_bank", "link_plaid", "plaid_remove"}
    ]
    assert operations_made.index("unlink_bank") < len(operations_made) - 1


def test_a_deposit_under_way_holds_the_bank_unless_staff_insist(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    bank = link(bank_box, account)
    Transfer.objects.create(
        account=account,
        bank=bank,
        status="pending",
        direction="deposit",
        rail="ach",
        origin="customer",
        amount_minor=5000,
        currency="USD",
        reference=str(ids.new_id()),
    )
    with pytest.raises(BankRefused, match="deposit") as refusal:
        services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    assert refusal.value.stops[0].code == "deposit_under_way"
    operator = make_staff("funding_operator")
    with pytest.raises(Invalid):
        services.bank_unlink(actor=operator, account_id=account.pk, source="page", insist=True)
    with pytest.raises(Forbidden):
        services.bank_unlink(
            actor=make_staff("auditor"), account_id=account.pk, source="page", reason="x", insist=True
        )
    services.bank_unlink(actor=operator, account_id=account.pk, source="page", reason="Fraud", insist=True)
    drain()
    bank.refresh_from_db()
    assert bank.status == "unlinked"
    assert AuditEntry.objects.filter(action="bank.unlink", actor=operator).exists()


def test_unlinking_what_the_provider_does_not_have_ends_all_the_same(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    link(bank_box, account)
    services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    bank_box.fault("drop_after", "unlink_bank")
    outbox.perform(call(operations.UNLINK).pk)
    OutboundCall.objects.update(next_attempt_at=LinkedBank.objects.get().created_at)
    drain()
    assert LinkedBank.objects.get().status == "unlinked" and items(bank_box)[0]["removed"]


def test_an_unlink_whose_answer_was_lost_never_meets_the_bank_that_followed(bank_box: SandboxProcess) -> None:
    """The provider unlinks by the kind of account: sent once more, it would end the new bank."""
    account = known_account(bank_box)
    link(bank_box, account)
    services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    unlink = call(operations.UNLINK).pk
    bank_box.fault("drop_after", "unlink_bank")
    outbox.perform(unlink)
    deliver(bank_box)
    second = link(bank_box, account, institution=HOUNDSTOOTH)
    assert second.status == "active"
    OutboundCall.objects.filter(pk=unlink).update(next_attempt_at=second.created_at)
    outbox.perform(unlink)
    assert OutboundCall.objects.get(pk=unlink).status == "succeeded"
    assert len(exchanges(bank_box, "unlink_bank")) == 1


def test_a_link_whose_answer_was_lost_is_not_made_again_once_it_is_unlinked(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    chosen(bank_box, account)
    bank_box.fault("drop_after", "link_plaid")
    drain()
    deliver(bank_box)
    bank = LinkedBank.objects.get()
    assert bank.status == "active", "the provider's word came"
    services.bank_unlink(actor=user_of(account), account_id=account.pk, source="page")
    drain()
    OutboundCall.objects.filter(operation=operations.LINK).update(next_attempt_at=bank.created_at)
    drain()
    assert call(operations.LINK).status == "succeeded"
    assert len(exchanges(bank_box, "link_plaid")) == 1


def test_plaid_away_is_said_and_nothing_is_kept(bank_box: SandboxProcess, settings: Any) -> None:
    account = known_account(bank_box)
    settings.PLAID_URL = ""
    with pytest.raises(ProviderAway):
        started(account)
    assert not LinkSession.objects.exists()


def test_the_nightly_look_ends_what_nobody_used(bank_box: SandboxProcess) -> None:
    account = known_account(bank_box)
    through(started(account))
    deliver(bank_box)
    login = BankLogin.objects.get()
    with transaction.atomic():
        BankLogin.objects.update(status_at=login.created_at - 2 * bank_health.UNUSED_FOR)
    bank_health.sweep()
    drain()
    assert BankLogin.objects.get().status == "removed" and items(bank_box)[0]["removed"]


def test_a_stranger_s_account_is_not_there(bank_box: SandboxProcess, customer_user: User) -> None:
    account = known_account(bank_box)
    session = started(account)
    with pytest.raises(NotFound):
        services.link_bring(actor=customer_user, session_id=session.pk, public_token="public-x", source="api")
    with pytest.raises(Forbidden):
        services.link_start(
            actor=make_staff("funding_operator"),
            account_id=account.pk,
            purpose="new",
            way=services.Way(),
            source="page",
        )
