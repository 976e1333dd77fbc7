"""Two customers with one bank account are linked on the page of a case about either."""

import base64
import os
import re
from collections.abc import Callable, Iterator
from importlib import import_module
from io import StringIO
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance import dossier
from compliance import services as compliance
from compliance.models import Case
from funding import services
from funding.api.banks import BankLinkSerializer, _link
from funding.models import LinkedBank, WireRecipient
from funding.shared_bank import WAY
from onboarding.cases import duplicates
from onboarding.dossier import known, sharing
from onboarding.dossier.sharing import Way
from onboarding.models import Application, Customer, Owner, ProviderAccount
from portal import clock
from portal.composed import _escaped
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.funding.linking import OAUTH, items, known_account, link
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user
from tests.plans import settle

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
ROUTING, NUMBER = "021000021", "000123456789"
SAID = "Same bank account"
ANALYST = "compliance_analyst"


def wires_to(account: ProviderAccount, number: str = NUMBER, routing: str = ROUTING) -> WireRecipient:
    return services.wire_recipient_add(
        actor=account.application.customer.user,
        account_id=account.pk,
        bank_name="First Platypus Bank",
        bank_address="1 River Road, Austin, TX 78701",
        routing_number=routing,
        account_number=number,
    )


def another() -> ProviderAccount:
    return open_account(make_customer_user(f"Other{uuid4().hex[:6]}"))


def case_of(account: ProviderAccount) -> Case:
    subject = compliance.Subject.of(account.application, "Looked at")
    return compliance.case_open(
        kind=duplicates.KIND, subject=subject, title="Looked at", facts={}, source="page", dedupe=str(uuid4())
    )


def look(viewer: User, account: ProviderAccount) -> dossier.Dossier:
    found = dossier.of(dossier.Look(viewer, case_of(account)))
    assert found is not None
    return found


def linked(account: ProviderAccount, viewer: User) -> dict[str, tuple[str, ...]]:
    """What each other application shares, by its key."""
    return {row.url.split("/")[-2]: tuple(row.shares) for row in look(viewer, account).links}


def key_of(account: ProviderAccount) -> str:
    return str(account.application_id)


def test_one_wire_recipient_links_two_customers_on_the_page_of_either(
    customer_user: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    mine, other, analyst = open_account(customer_user), another(), staff(ANALYST)
    # As it was typed makes no difference.
    wires_to(mine)
    removed = wires_to(other)
    services.wire_recipient_remove(actor=other.application.customer.user, recipient_id=removed.pk)
    assert linked(mine, analyst) == {key_of(other): (SAID,)}
    assert linked(other, analyst) == {key_of(mine): (SAID,)}
    said = {row.text: row.weight.label for row in look(analyst, mine).signals}
    assert said[f"{SAID} as 1 other application of other customers"] == "Medium"
    text = signed_in(analyst).get(f"/staff/cases/{case_of(mine).pk}/").content.decode()
    # In the drawing and in the table.
    assert text.count(SAID) >= 3
    assert not any(part in text for part in (NUMBER, ROUTING, NUMBER[-4:], removed.numbers_index))


def test_another_account_number_or_another_bank_is_another_account(customer_user: User, staff: Staff) -> None:
    mine = open_account(customer_user)
    wires_to(mine)
    wires_to(another(), number="000123456780")
    wires_to(another(), routing="011401533")
    # The digits run on alike where one number ends and the other begins.
    wires_to(another(), number=f"{NUMBER}0", routing=ROUTING)
    assert linked(mine, staff(ANALYST)) == {}


def test_one_account_at_plaid_links_two_customers_where_plaid_names_it(
    customer_user: User, staff: Staff
) -> None:
    mine, other, third, fourth = open_account(customer_user), another(), another(), another()
    key = LinkedBank.same_account_hash("p-1")
    link_bank(mine, same_account=key)
    link_bank(other, same_account=key, status="unlinked")
    link_bank(third, same_account=LinkedBank.same_account_hash("P-1"))
    # Where the bank gives none nobody shares anything.
    link_bank(fourth, same_account=LinkedBank.same_account_hash(""))
    link_bank(another())
    analyst = staff(ANALYST)
    assert linked(mine, analyst) == {key_of(other): (SAID,)}
    assert linked(fourth, analyst) == {}


def test_what_a_login_tells_of_the_account_is_kept_as_a_keyed_hash(bank_box: SandboxProcess) -> None:
    bank = link(bank_box, known_account(bank_box), institution=OAUTH)
    [plain] = [account["persistent_account_id"] for account in items(bank_box)[0]["accounts"]]
    assert bank.same_account == LinkedBank.same_account_hash(plain) != plain
    assert bank.login is not None and bank.login.accounts is not None
    assert plain not in str(bank.login.accounts.reveal())
    # The customer's app is told neither.
    told = BankLinkSerializer(_link(bank.login.session) | {"accounts": bank.login.accounts.reveal()}).data
    assert told["accounts"] and "same_account" not in str(told)
    assert link(bank_box, known_account(bank_box)).same_account == ""


def test_a_bank_that_many_have_is_named_and_not_drawn(
    customer_user: User, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = open_account(customer_user)
    wires_to(mine)
    for _ in range(3):
        wires_to(another())
    monkeypatch.setattr(sharing, "COMMON", 2)
    found = look(staff(ANALYST), mine)
    assert found.links == []
    assert found.common == [f"{SAID}: shared with more than 2 others"]


def test_it_is_told_to_those_who_see_banks(customer_user: User, staff: Staff) -> None:
    mine = open_account(customer_user)
    wires_to(mine)
    wires_to(another())
    found = look(staff("onboarding_agent"), mine)
    assert found.links == []
    assert SAID not in str(found)


def test_who_is_shut_away_shows_with_no_bank(customer_user: User, staff: Staff) -> None:
    mine, other, analyst = open_account(customer_user), another(), staff(ANALYST)
    wires_to(mine)
    wires_to(other)
    Customer.objects.filter(user=customer_user).update(
        restricted_at=clock.now(), restricted_until=clock.now().date()
    )
    assert linked(other, analyst) == {}
    assert linked(mine, analyst) == {}


def test_it_is_more_telling_than_a_device_and_less_than_a_person(customer_user: User) -> None:
    keys = [open_account(make_customer_user(f"Other{at}")).application_id for at in range(3)]
    shared = sharing.Shared(
        {
            keys[0]: dict.fromkeys(("device", "email", "phone", "sign_in", "address"), ""),
            keys[1]: {"bank": SAID},
            keys[2]: {"person": ""},
        }
    )
    assert sharing.in_order(shared) == [keys[2], keys[1], keys[0]]
    strengths = [way.strength for way in sharing.ways()]
    assert strengths == [2**at for at in reversed(range(len(strengths)))]


def test_what_is_shared_is_said_in_that_order(customer_user: User, staff: Staff) -> None:
    mine, other, analyst = open_account(customer_user), another(), staff(ANALYST)
    Owner.objects.update(phone="+15125550142")
    wires_to(mine)
    wires_to(other)
    found = look(analyst, mine)
    assert [row.shares for row in found.links] == [(SAID, "Phone ending 42")]
    said = [row.text for row in found.signals if "other application" in row.text]
    assert [text.split(" as ")[0] for text in said] == [SAID, "Same phone"]


def test_no_two_ways_are_called_or_weigh_the_same() -> None:
    before = sharing.ways()
    sharing.register(WAY)
    assert sharing.ways() == before
    for way in (Way("bank", "", 512), Way("other", "", WAY.strength)):
        with pytest.raises(ValueError, match="another way"):
            sharing.register(way)
    assert sharing.ways() == before


def test_it_costs_no_further_query(
    customer_user: User, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, analyst = open_account(customer_user), staff(ANALYST)
    wires_to(mine)
    wires_to(another())
    numbers = []
    monkeypatch.setattr(sharing, "_registered", [])
    sharing._query.cache_clear()
    for ways in ((), (WAY,)):
        for way in ways:
            sharing.register(way)
        found = known.of(case_of(mine), mine.application_id)
        assert found is not None
        with CaptureQueriesContext(connection) as asked:
            shared = sharing.find(found, analyst)
        numbers.append((len(asked), len(shared.by_application)))
    assert numbers == [(1, 0), (1, 1)]


@pytest.fixture
def crowd() -> Iterator[ProviderAccount]:
    """Very many accounts with recipients and banks, every fourth wires to one; the first of them."""
    customer = Customer.objects.create(user=make_customer_user("Crowd"))
    added_by = customer.user
    applications = Application.objects.bulk_create(
        Application(customer=customer, status="approved", reference=f"R{at}") for at in range(1500)
    )
    Owner.objects.create(
        application=applications[0], is_applicant=True, given_name="Ana", family_name="Ortiz"
    )
    accounts = ProviderAccount.objects.bulk_create(
        ProviderAccount(application=row, client_account_id=f"C{at}", status="active")
        for at, row in enumerate(applications)
    )
    WireRecipient.objects.bulk_create(
        WireRecipient(
            account=row,
            bank_name="B",
            bank_address="A",
            routing_number=ROUTING,
            account_number=str(10_000 + (at if at % 4 else 0)),
            added_by=added_by,
        )
        for at, row in enumerate(accounts)
    )
    LinkedBank.objects.bulk_create(
        LinkedBank(
            account=row,
            status="active",
            institution="B",
            subtype="checking",
            reference=f"B{at}",
            same_account=LinkedBank.same_account_hash(str(at)) if at % 5 == 0 else "",
        )
        for at, row in enumerate(accounts)
    )
    for table in ("funding_wirerecipient", "funding_linkedbank", "onboarding_provideraccount"):
        settle(table)
    yield accounts[0]
    sharing._query.cache_clear()


def test_banks_are_looked_up_by_index_whoever_has_them(
    crowd: ProviderAccount, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Alone: what stands in the other parts has tests of its own.
    monkeypatch.setattr(sharing, "WAYS", ())
    sharing._query.cache_clear()
    found = known.of(case_of(crowd), crowd.application_id)
    assert found is not None
    question = sharing.question(found)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE shared_bank AS {_escaped(question.statement.sql)}", [])
        places = ", ".join(["%s"] * len(question.given))
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) EXECUTE shared_bank({places})", question.given)
        plan = "\n".join(line for (line,) in cursor.fetchall())
        cursor.execute("DEALLOCATE shared_bank")
    assert "Seq Scan" not in plan, plan
    for index in ("recipient_of_account", "bank_same_of_account", "bank_same_account", "numbers_index"):
        assert index in plan, plan
    # Of the 375 who have the account of the first 200 are read.
    shared = sharing.find(found, staff(ANALYST))
    assert shared.common == [f"{SAID}: shared with more than 20 others"]
    assert max(int(found) for found in re.findall(r"rows=(\d+)", plan)) <= sharing.READ + 1, plan


def test_recipients_from_before_are_given_their_index(customer_user: User, staff: Staff) -> None:
    mine, other, third = open_account(customer_user), another(), another()
    wires_to(mine)
    wires_to(other)
    wires_to(third, number="4711")
    kept = set(WireRecipient.objects.values_list("numbers_index", flat=True))
    WireRecipient.objects.update(numbers_index="")
    assert linked(mine, staff(ANALYST)) == {}
    fill = import_module("funding.migrations.0015_fill_shared_banks")
    fill.BATCH = 1
    fill.fill(apps, None)
    assert set(WireRecipient.objects.values_list("numbers_index", flat=True)) == kept
    assert linked(mine, staff(ANALYST)) == {key_of(other): (SAID,)}
    # Again changes nothing.
    fill.fill(apps, None)
    assert len(kept) == 2 and "" not in kept


def test_new_keys_find_the_same(customer_user: User, staff: Staff, settings: Any) -> None:
    mine, other = open_account(customer_user), another()
    wires_to(mine)
    row = wires_to(other)
    before = row.numbers_index
    settings.SEAL_KEYS = f"next:{base64.b64encode(os.urandom(32)).decode()},{settings.SEAL_KEYS}"
    call_command("rotate_keys", stdout=StringIO())
    column = WireRecipient.objects.values_list("numbers_index", flat=True)
    assert set(column.all()) == {before}
    settings.BLIND_INDEX_KEY = "k" * 32
    # One that came since is not found by one from before, until all have the new key's.
    third = another()
    wires_to(third)
    assert linked(third, staff(ANALYST)) == {}
    call_command("rotate_keys", "--every-row", stdout=StringIO())
    assert set(column.all()) == {row.numbers_index} != {before}
    assert set(linked(third, staff(ANALYST))) == {key_of(mine), key_of(other)}


def test_the_index_goes_with_either_number(customer_user: User) -> None:
    row = wires_to(open_account(customer_user))
    index = WireRecipient._meta.get_field("numbers_index").index_of
    assert row.numbers_index == index(NUMBER, ROUTING) == index(f" {NUMBER[:4]}-{NUMBER[4:]}", ROUTING)
    assert row.numbers_index != index(ROUTING, NUMBER)
    with pytest.raises(TypeError, match="account_number and routing_number"):
        index(NUMBER)
    for name in ("account_number", "routing_number"):
        setattr(row, name, "4711")
        with pytest.raises(FieldError, match="numbers_index"), transaction.atomic():
            row.save(update_fields=[name])
    assert WireRecipient.objects.only("pk").get(pk=row.pk).numbers_index == index(NUMBER, ROUTING)
    row.routing_number = ""
    assert row.numbers_index == ""
