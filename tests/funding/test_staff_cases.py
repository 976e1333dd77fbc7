"""Cases about money: each opens by itself, is decided once, and its effect happens once."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction
from django.test import Client
from django.urls import reverse

from compliance import services as compliance
from compliance.models import Case
from funding import after, given_up, held, records, second_person, services, watching
from funding.authorising import digest
from funding.contradictions import KIND as CONTRADICTION
from funding.models import Transfer
from funding.services.transfers import authorisation_text
from funding.terms import Order, terms
from onboarding.models import AccountHold, InvestmentProfile, ProviderAccount
from portal import clock
from portal.errors import Conflict, DomainError, Forbidden
from portal.models import MailMessage, OutboundCall, User
from portal.money import Money
from providers import inbox
from tests.deciding import decide
from tests.funding.people import at_provider, link_bank, open_account
from tests.funding.test_returns import available, deposit
from tests.providers.inbox_support import stored

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def asked(actor: User, account: ProviderAccount, cents: int) -> Transfer:
    """A deposit by ACH, asked for with its authorisation."""
    amount = Money(cents, "USD")
    text = authorisation_text(account, terms(actor, account, Order("deposit", "ach", amount)))
    return services.transfer_request(
        actor=actor, account_id=account.pk, direction="deposit", rail="ach", amount=amount, source="page",
        accepted=services.Accepted(digest(text), second_factor=True),
    )  # fmt: skip


def held_one(operator: User, customer: User) -> Transfer:
    account = open_account(customer)
    link_bank(account)
    transfer = asked(operator, account, 1_500_000)
    assert transfer.status == "held"
    return transfer


def status(transfer: Transfer) -> str:
    return Transfer.objects.get(pk=transfer.pk).status


@pytest.mark.parametrize(("decision", "ends"), [("approve", "requested"), ("refuse", "cancelled")])
def test_a_held_transfer_is_decided_by_a_second_person(
    customer_user: User, staff: Staff, decision: str, ends: str
) -> None:
    operator, manager = staff("funding_operator"), staff("compliance_manager")
    transfer = held_one(operator, customer_user)
    [case] = Case.objects.filter(kind=held.HELD)
    assert second_person.why_not(operator.pk, transfer.pk) == second_person.ASKED
    with pytest.raises(Forbidden):
        services.transfer_approve(actor=operator, transfer_id=transfer.pk, source="page")
    decide(manager, case, decision, text="Spoke with the customer")
    assert status(transfer) == ends
    assert Case.objects.get(pk=case.pk).status == "closed"
    assert OutboundCall.objects.filter(subject_id=transfer.pk).count() == (decision == "approve")


def test_the_case_of_a_held_transfer_shows_whom_it_is_about_and_a_hold_tells_them(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    manager = staff("compliance_manager")
    held_one(staff("funding_operator"), customer_user)
    [case] = Case.objects.filter(kind=held.HELD)
    compliance.case_assign(actor=manager, case_id=case.pk, to=manager)
    page = reverse("cases:detail", args=[case.pk])
    text = signed_in(manager).get(f"{page}?show=all").content.decode()
    for words in (
        "Whom it is about",
        "on its way in",
        "Risk signals",
        "Customer and staff",
        "The customer gets a letter",
    ):
        assert words in text, words
    until = clock.now() + timedelta(days=2)
    compliance.case_hold(actor=manager, case_id=case.pk, until=until, reason="The bank is closed")
    letter = MailMessage.objects.get(subject="It takes a little longer").content.reveal()
    assert "A transfer of yours takes longer" in letter["text"]
    assert customer_user.email in letter["to"]
    assert "15,000" not in letter["text"]


def test_approving_on_the_page_ends_the_case(customer_user: User, staff: Staff) -> None:
    transfer = held_one(staff("funding_operator"), customer_user)
    services.transfer_approve(actor=staff("funding_operator"), transfer_id=transfer.pk, source="page")
    assert Case.objects.get(kind=held.HELD).status == "closed"


@pytest.mark.django_db(transaction=True)
def test_two_people_at_once_approve_once(customer_user: User, staff: Staff) -> None:
    transfer = held_one(staff("funding_operator"), customer_user)
    people = [staff("funding_operator"), staff("compliance_manager")]
    gate, said = threading.Barrier(2), []

    def approve(person: User) -> None:
        gate.wait()
        try:
            services.transfer_approve(actor=person, transfer_id=transfer.pk, source="page")
            said.append("approved")
        except DomainError as error:
            said.append(type(error).__name__)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=approve, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(said) == ["IllegalMove", "approved"]
    assert OutboundCall.objects.filter(subject_id=transfer.pk).count() == 1


def large_wire(customer: User, **more: Any) -> Case:
    """The case of a wire of half a million."""
    facts = {
        "rail": "wire", "origin": "customer", "amount_minor": 50_000_000, "reference": "large", "release_on": None
    }  # fmt: skip
    account = open_account(customer)
    with transaction.atomic():
        transfer = Transfer.objects.create(account=account, **facts, **more)
        transfer.enter()
        held.asked(transfer)
        held.arrived(transfer, source="webhook")
    return Case.objects.get(kind=held.ENHANCED)


@pytest.mark.parametrize(
    ("decision", "ends", "holds"),
    [("clear", "requested", 0), ("refuse", "cancelled", 0), ("hold", "cancelled", 1)],
)
def test_a_large_wire_out_waits_for_what_is_decided(
    customer_user: User, staff: Staff, decision: str, ends: str, holds: int
) -> None:
    case = large_wire(customer_user, direction="withdrawal", status="held", held_for=["enhanced"])
    decide(staff("compliance_manager"), case, decision, text="The house was sold")
    transfer = Transfer.objects.get()
    assert (transfer.status, AccountHold.objects.filter(account=transfer.account).count()) == (ends, holds)
    assert OutboundCall.objects.filter(subject_id=transfer.pk).count() == (ends == "requested")
    assert available(transfer.account) == (-50_000_000 if ends == "requested" else 0)


@pytest.mark.parametrize(("decision", "holds"), [("clear", 0), ("hold", 1)])
def test_a_large_wire_that_came_in_stands(
    customer_user: User, staff: Staff, decision: str, holds: int
) -> None:
    case = large_wire(customer_user, direction="deposit", status="completed")
    with pytest.raises(Conflict, match="cannot be refused"):
        decide(staff("compliance_manager"), case, "refuse", text="No")
    decide(staff("compliance_manager"), case, decision, text="The house was sold")
    transfer = Transfer.objects.get()
    assert (transfer.status, AccountHold.objects.filter(account=transfer.account).count()) == (
        "completed",
        holds,
    )
    assert available(transfer.account) == 50_000_000


def stuck_withdrawal(customer: User) -> Transfer:
    account = open_account(customer)
    with transaction.atomic():
        transfer = deposit(account, direction="withdrawal")
        after.stuck(transfer)
    return transfer


@pytest.mark.parametrize(
    ("decision", "ends", "set_aside"), [("there", "sent", -20_000), ("drop", "cancelled", 0)]
)
def test_nobody_knows_what_became_of_it(
    customer_user: User, staff: Staff, decision: str, ends: str, set_aside: int
) -> None:
    transfer = stuck_withdrawal(customer_user)
    [case] = Case.objects.filter(kind=given_up.KIND)
    decide(staff("compliance_manager"), case, decision, text="Their team told us")
    assert (status(transfer), available(transfer.account)) == (ends, set_aside)
    assert Transfer.objects.get(pk=transfer.pk).stuck_at is None
    assert Case.objects.get(pk=case.pk).status == "closed"


def test_it_is_sent_again_once(customer_user: User, staff: Staff) -> None:
    transfer = stuck_withdrawal(customer_user)
    [case] = Case.objects.filter(kind=given_up.KIND)
    decide(staff("compliance_manager"), case, "again", text="Looked it up")
    with pytest.raises(Conflict):
        services.transfer_send_again(
            actor=staff("compliance_manager"), transfer_id=transfer.pk, reason="Once more"
        )
    assert OutboundCall.objects.filter(subject_id=transfer.pk).count() == 1


def test_what_is_on_its_way_is_not_sent_again(customer_user: User, staff: Staff) -> None:
    transfer = stuck_withdrawal(customer_user)
    Transfer.objects.filter(pk=transfer.pk).update(status="pending")
    with pytest.raises(Conflict, match="on its way"):
        services.transfer_send_again(
            actor=staff("compliance_manager"), transfer_id=transfer.pk, reason="Not in their record"
        )
    assert not OutboundCall.objects.filter(subject_id=transfer.pk, status="queued").exists()


def test_words_that_contradict_open_one_case(customer_user: User) -> None:
    transfer = deposit(open_account(customer_user))
    transfer.move_to("failed", actor=None)
    body = {
        "partnerWebhookType": "FIAT_EVENT",
        "partnerPartyRef": transfer.account.client_account_id,
        "partnerTransactionRef": transfer.reference,
        "fiatTransactionType": "DEPOSIT",
        "instrumentType": "ACH",
        "amount": 200.00,
        "currency": "USD",
    }
    for number, word in enumerate(("COMPLETE", "MAYBE")):
        inbox.process(stored(body | {"requestId": str(number), "transactionStatus": word}).pk)
    [case] = Case.objects.filter(kind=CONTRADICTION)
    assert (case.subject_id, case.facts.count(), status(transfer)) == (transfer.pk, 2, "failed")


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"direction": "withdrawal", "amount_minor": 1_200_000}, "A large withdrawal to a new bank account"),
        ({"direction": "deposit", "amount_minor": 2_600_000}, "More than the customer stated"),
    ],
)
def test_unusual_movements_open_one_case_about_the_account(
    customer_user: User, facts: dict[str, Any], rule: str
) -> None:
    account = open_account(customer_user)
    InvestmentProfile.objects.create(application=account.application, annual_income_range="UNDER_25K")
    transfer = deposit(account, bank=link_bank(account), **facts)
    for _ in range(2):
        watching.look(transfer, source="page")
    [case] = Case.objects.filter(kind=watching.KIND)
    assert (case.subject_id, [fact.title for fact in case.facts.all()]) == (account.pk, [rule])


@pytest.mark.parametrize(
    ("expected", "income", "cents", "words"),
    [
        # Twice of what was expected is no news, a cent more is; whatever the income.
        ("FROM_1K_TO_5K", "OVER_5M", 1_000_000, ""),
        ("FROM_1K_TO_5K", "OVER_5M", 1_000_001, "stated $1,000 to $5,000 as deposits of a month"),
        ("OVER_500K", "UNDER_25K", 9_000_000, ""),
        # Not known: the income of a year.
        ("", "UNDER_25K", 2_500_000, ""),
        ("", "UNDER_25K", 2_500_001, "stated under $25,000 as the income of a year"),
    ],
)
def test_deposits_are_compared_with_what_the_customer_expects_or_earns(
    customer_user: User, staff: Staff, signed_in: Any, expected: str, income: str, cents: int, words: str
) -> None:
    account = open_account(customer_user)
    InvestmentProfile.objects.create(
        application=account.application, annual_income_range=income, expected_monthly_deposits=expected
    )
    watching.look(deposit(account, amount_minor=cents), source="page")
    found = list(Case.objects.filter(kind=watching.KIND))
    assert len(found) == bool(words)
    for case in found:
        assert words in case.facts.get().evidence["what"]
        page = signed_in(staff("compliance_analyst")).get(f"/staff/cases/{case.pk}/").content.decode()
        stated = "$1,000 to $5,000" if expected else "Not given"
        assert stated in page and Money(cents, "USD").format() in page


def test_soon_withdrawn_and_many_in_a_day(customer_user: User) -> None:
    account = open_account(customer_user)
    for _ in range(watching.MANY_A_DAY):
        deposit(account, amount_minor=100_000, status="requested").move_to("completed", actor=None)
    Transfer.objects.filter(account=account).update(completed_at=clock.now())
    transfer = deposit(account, direction="withdrawal", amount_minor=900_000)
    watching.look(transfer, source="page")
    titles = Case.objects.get(kind=watching.KIND).facts.values_list("title", flat=True)
    assert set(titles) == {"Many transfers in a day", "Deposited, and soon withdrawn"}


def test_money_stands_against_erasing(customer_user: User) -> None:
    account = open_account(customer_user)
    customer = account.application.customer
    assert records.obstacles(customer) == []
    transfer = deposit(account)
    assert len(records.obstacles(customer)) == 1
    transfer.move_to("completed", actor=None)
    assert records.obstacles(customer) == ["The balance of an account is not zero."]


def test_a_wire_out_from_500_000_is_explained_before_it_goes(customer_user: User, staff: Staff) -> None:
    account = open_account(customer_user)
    deposit(account, amount_minor=80_000_000).move_to("completed", actor=None)
    at_provider(account, 80_000_000)
    recipient = services.wire_recipient_add(
        actor=customer_user, account_id=account.pk, bank_name="A bank", bank_address="There",
        routing_number="021000021", account_number="123456789",
    )  # fmt: skip
    transfer = services.transfer_request(
        actor=staff("funding_operator"), account_id=account.pk, direction="withdrawal", rail="wire",
        amount=Money(60_000_000, "USD"), source="page", accepted=services.Accepted("", second_factor=True),
        recipient_id=recipient.pk,
    )  # fmt: skip
    [case] = Case.objects.filter(kind=held.ENHANCED)
    decide(staff("compliance_manager"), case, "clear", text="Sale of a house, deed seen")
    assert status(transfer) == "requested"
    assert not Case.objects.filter(kind=held.HELD).exists()
