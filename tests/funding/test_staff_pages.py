"""Staff pages of transfers: the list and its cost, the story, asking for a customer, limits, the file."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.postgres.search import SearchVector
from django.db import connection
from django.db.models import Value
from django.test import Client
from django.test.utils import CaptureQueriesContext

from funding import limits, records, staff_selectors
from funding.models import Transfer, TransferLimit
from funding.staff_selectors import TransferFilter
from onboarding.models import Application
from portal import clock, search
from portal.models import AuditEntry, User
from portal.ui import nav
from tests.funding.people import link_bank, open_account
from tests.funding.test_returns import bring_back, deposit

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = "/staff/transfers/"


def test_the_list_costs_the_same_for_one_as_for_many(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    account, client = open_account(customer_user), signed_in(staff("funding_operator"))
    deposit(account, bank=link_bank(account))
    costs = []
    for _ in range(2):
        client.get(LIST)
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert client.get(LIST).status_code == 200
        costs.append(len(caught))
        for _ in range(5):
            deposit(open_account())
    assert costs[0] == costs[1]


@pytest.mark.parametrize("sort", ["", "at", "amount", "-amount"])
def test_pages_by_key_show_each_once_and_lead_back(customer_user: User, staff: Staff, sort: str) -> None:
    actor, account = staff("auditor"), open_account(customer_user)
    for number in range(7):
        deposit(
            account, amount_minor=5_000 + number % 3, created_at=clock.now() - timedelta(hours=number % 2)
        )
    chosen, seen, after = TransferFilter(sort=sort), [], ""
    pages = []
    while True:
        page = staff_selectors.page(actor, chosen, after=after, size=3)
        pages.append(page)
        seen += [row.pk for row in page.rows]
        if not page.older:
            break
        after = page.older
    column = "amount_minor" if "amount" in sort else "created_at"
    sign = "-" if not sort or sort.startswith("-") else ""
    whole = Transfer.objects.order_by(f"{sign}{column}", f"{sign}pk").values_list("pk", flat=True)
    assert seen == list(whole)
    back = staff_selectors.page(actor, chosen, before=pages[1].newer, size=3)
    assert [row.pk for row in back.rows] == seen[:3]


def test_filters_in_the_address(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    account = open_account(customer_user)
    returned = bring_back(deposit(account, bank=link_bank(account)), "R01")
    held = Transfer.objects.create(
        account=account, status="held", direction="withdrawal", rail="wire", origin="staff",
        amount_minor=900_000, reference="held",
    )  # fmt: skip
    client = signed_in(staff("funding_operator"))
    for query, found in {
        "code=r01": returned, "waits=held": held, "status=returned": returned, "direction=withdrawal": held,
        "rail=wire": held, "origin=staff": held, "amount_from=8,999.99": held, "amount_to=500": returned,
        "q=held": held,
    }.items():  # fmt: skip
        page = client.get(f"{LIST}?{query}").content.decode()
        assert re.findall(rf"{LIST}([0-9a-f-]{{36}})/", page) == [str(found.pk)], query
    both = client.get(f"{LIST}?q=ortiz&since=2000-01-01&until=9999-12-31&amount_to=nonsense&sort=nonsense")
    assert (
        client.get(f"{LIST}?account={account.pk}&after=nonsense&before=~").status_code
        == both.status_code
        == 200
    )
    assert nav.waiting(staff("funding_operator"))["transfers"] == 1


@pytest.mark.parametrize("few", [0, 1000])
def test_words_find_the_same_whether_they_name_few_or_many(
    staff: Staff, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr(search, "FEW", few)
    made = []
    for words in ("ana ortiz", "ben berg", "ana ruiz"):
        account = open_account()
        Application.objects.filter(pk=account.application_id).update(
            search=SearchVector(Value(words), config="simple")
        )
        made.append(deposit(account))
    actor = staff("funding_operator")

    def found(text: str) -> list[Transfer]:
        return staff_selectors.page(actor, TransferFilter(text=text)).rows

    assert (found("ana"), found("ber"), found("zoe")) == ([made[2], made[0]], [made[1]], [])


def test_the_file_is_harmless_and_recorded(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    transfer = deposit(open_account(customer_user), reference="=1+1")
    answer = signed_in(staff("auditor")).get(f"{LIST}export.csv?rail=ach&q=ana")
    lines = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert len(lines) <= 2 and lines[0].startswith("id,reference")
    assert AuditEntry.objects.get(action="transfer.exported").after == {"filters": {"rail": "ach"}}
    answer = signed_in(staff("auditor")).get(f"{LIST}export.csv")
    body = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert f"{transfer.pk},'=1+1," in body


def test_asking_for_a_customer(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    account = open_account(customer_user)
    link_bank(account)
    client, address = signed_in(staff("funding_operator")), f"/staff/accounts/{account.pk}/transfer/"
    wanted = {"what": "deposit-ach", "amount": "15,000"}
    terms = client.post(address, wanted)
    page = terms.content.decode()
    assert terms.status_code == 200 and "authorise" in page and "A second person has to approve it" in page
    digest = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert digest
    assert client.post(address, wanted | {"agree": "1", "digest": digest[1]}).status_code == 422
    stale = client.post(address, wanted | {"agree": "1", "digest": "0" * 64, "accepted": "on"})
    assert "Read it again" in stale.content.decode()
    assert not Transfer.objects.exists()
    done = client.post(address, wanted | {"agree": "1", "digest": digest[1], "accepted": "on"}, follow=True)
    transfer = Transfer.objects.get()
    assert (transfer.status, transfer.origin, transfer.authorisation.source) == ("held", "staff", "staff")
    story = done.content.decode()
    assert "You cannot be the second person" in story and "read out to the customer" in story
    too_much = client.post(address, {"what": "withdrawal-ach", "amount": "50"})
    assert too_much.status_code == 422 and "can be withdrawn now" in too_much.content.decode()


def test_managers_change_limits(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    account, client = open_account(customer_user), signed_in(staff("compliance_manager"))
    of_account = f"/staff/accounts/{account.pk}/limits/"
    rule = "customer/ach/deposit/"
    bad = client.post(f"{of_account}{rule}", {"least": "1", "single": "0.50", "day": "many"})
    assert bad.status_code == 422 and not TransferLimit.objects.exists()
    good = {"least": "10", "single": "100", "day": "200", "month": ""}
    assert client.post(f"{of_account}{rule}", good).status_code == 302
    found = limits.limits_for(account, "customer", "ach", "deposit")
    assert (found.least, found.single, found.day, found.month) == (1_000, 10_000, 20_000, None)
    entry = AuditEntry.objects.get(action="transfer_limit.save")
    assert (entry.before or {})["single"] == 2_500_000
    assert (entry.after or {})["single"] == 10_000
    assert "$200.00" in client.get(of_account).content.decode()
    row = TransferLimit.objects.get()
    client.post(f"/staff/transfers/limits/{row.pk}/remove/")
    assert limits.limits_for(account, "customer", "ach", "deposit").single == 2_500_000
    assert client.post(f"/staff/transfers/limits/{rule}", good).status_code == 302
    assert limits.limits_for(account, "customer", "ach", "deposit").day == 20_000
    assert client.get("/staff/transfers/limits/none/ach/deposit/").status_code == 404


def test_volumes_and_what_the_trail_names(customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    account = open_account(customer_user)
    transfer = deposit(account)
    page = signed_in(staff("auditor")).get("/staff/transfers/volumes/").content.decode()
    assert "Deposits by day" in page and ">200<" in page
    assert ("funding.transfer", transfer.pk) in list(records.named(transfer.reference))
    assert ("funding.transfer", transfer.pk) in list(records.named(account.client_account_id))
    for text in (customer_user.email.upper(), account.client_account_id, transfer.reference):
        assert records.subjects(text) == [transfer.pk]
