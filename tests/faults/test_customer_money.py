"""A customer's money on their pages, against the sandbox: a deposit that comes, waits and may leave; sent once."""

import csv
import io
import re
from datetime import timedelta
from typing import Any

import time_machine
from django.test import Client

from funding import balances, notices, statements
from funding.models import Notice, Transfer
from onboarding.models import ProviderAccount
from portal import clock
from portal.models import MailMessage, OutboundCall
from sandbox.testing import SandboxProcess
from tests.faults.way import at_once
from tests.flow import drain
from tests.funding.people import link_bank, open_account
from tests.people import make_customer_user, sign_in
from tests.sandbox.funding import books, opened


def customer(box: SandboxProcess) -> tuple[ProviderAccount, Client]:
    """An open account with a bank, here and at the provider, and its customer's browser."""
    account = open_account(make_customer_user())
    link_bank(account)
    opened(box, account.client_account_id)
    return account, sign_in(Client(), account.application.customer.user)


def hear_all(box: SandboxProcess) -> None:
    """Every call goes out, and every outcome comes."""
    for _ in range(3):
        drain()
        box.flush()
    drain()


def order(browser: Client, account: ProviderAccount, way: str, **given: str) -> str:
    """The review page that the form leads to."""
    answer = browser.post(f"/money/accounts/{account.pk}/{way}/", given)
    assert answer.status_code == 302, re.findall(r'error-message">([^<]*)', answer.content.decode())
    return str(answer["Location"])


def agreed(browser: Client, review: str) -> dict[str, str]:
    """What the review page sends."""
    page = browser.get(review).content.decode()
    (sha256,) = re.findall(r'name="text_sha256" value="([0-9a-f]{64})"', page)
    return {"text_sha256": sha256, "accepted": "on"}


def page_of(browser: Client, path: str) -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.status_code
    return answer.content.decode()


def test_a_deposit_comes_waits_and_leaves_again(box: SandboxProcess) -> None:
    account, browser = customer(box)
    home = f"/money/accounts/{account.pk}/"
    review = order(browser, account, "add", amount="$1,250.50")
    assert browser.post(review, {"text_sha256": "0" * 64}).status_code == 422
    assert browser.post(review, {"text_sha256": "0" * 64, "accepted": "on"}).status_code == 422
    assert not Transfer.objects.exists()
    done = browser.post(review, agreed(browser, review))
    deposit = Transfer.objects.get()
    assert done["Location"] == f"/money/transfers/{deposit.pk}/done/"
    assert "What happens next" in page_of(browser, done["Location"])
    assert browser.get(review)["Location"] == done["Location"], (
        "the page of a spent order leads to its transfer"
    )
    hear_all(box)

    deposit.refresh_from_db()
    assert deposit.status == "completed"
    assert balances.refresh(account)
    page = page_of(browser, home)
    assert "$1,250.50" in page and "can be withdrawn from" in page
    refused = browser.post(f"/money/accounts/{account.pk}/withdraw/", {"to": "ach", "amount": "200"})
    assert refused.status_code == 422 and "can be withdrawn from" in refused.content.decode()

    with time_machine.travel(clock.now() + timedelta(days=10)):
        assert (notices.release_due(), notices.release_due()) == (1, 0)
        browser = sign_in(Client(), account.application.customer.user)
        review = order(browser, account, "withdraw", to="ach", amount="200")
        browser.post(review, agreed(browser, review))
        hear_all(box)
        withdrawal = Transfer.objects.get(direction="withdrawal")
        assert withdrawal.status == "completed"
        assert balances.refresh(account)
        money = balances.standing(account)
        assert money.theirs and money.theirs.settled.minor == money.available.minor == 105_050
        assert not money.differs
        months = [f"{month:%Y-%m}" for month in statements.months(account)]
        found = [rows_of(browser, account, month) for month in months]
        assert [row["Amount"] for month in reversed(found) for row in month[1:-1]] == ["1250.50", "-200.00"]
        assert found[0][-1]["Balance"] == "1050.50"
        assert browser.get(f"/money/accounts/{account.pk}/statements/{months[0]}.pdf").content[:4] == b"%PDF"
        assert browser.get(f"/money/transfers/{withdrawal.pk}/receipt/").content[:4] == b"%PDF"
    kinds = list(Notice.objects.filter(transfer=deposit).order_by("pk").values_list("kind", flat=True))
    assert kinds == ["requested", "on_its_way", "completed", "released"]
    letters = [row.content.reveal()["text"] for row in MailMessage.objects.all()]
    assert len(letters) == 7 and not any("250.50" in text or "Platypus" in text for text in letters)
    assert books(box, account.client_account_id)


def rows_of(browser: Client, account: ProviderAccount, month: str) -> list[dict[str, str]]:
    """The month's CSV."""
    answer: Any = browser.get(f"/money/accounts/{account.pk}/statements/{month}.csv")
    text = b"".join(answer.streaming_content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_two_devices_that_send_one_order_make_one_transfer(box: SandboxProcess) -> None:
    account, browser = customer(box)
    user = account.application.customer.user
    other = sign_in(Client(), user)
    reviews = [order(one, account, "add", amount=text) for one, text in ((browser, "50"), (other, "50.00"))]
    assert reviews[0] == reviews[1], "the same order is the same draft, on whichever device it is typed"
    body = agreed(browser, reviews[0])

    def send(one: Client) -> str:
        return str(one.post(reviews[0], body)["Location"])

    answers = at_once(lambda: send(browser), lambda: send(other))
    assert len(set(answers)) == 1 and Transfer.objects.count() == OutboundCall.objects.count() == 1
    again = order(browser, account, "add", amount="50")
    assert again != reviews[0] and "You asked for the same amount" in page_of(browser, again)
    hear_all(box)
    assert books(box, account.client_account_id)


def test_wire_instructions_are_asked_for_each_time_and_kept_nowhere(box: SandboxProcess) -> None:
    account, browser = customer(box)
    page = f"/money/accounts/{account.pk}/wire/"
    for _ in range(2):
        answer = browser.get(page)
        assert answer.status_code == 200 and "no-store" in answer["Cache-Control"]
    asked = [row for row in box.state()["requests"] if row["operation"] == "wire_instructions"]
    assert len(asked) == 2
    api = browser.get(f"/api/v1/accounts/{account.pk}/wire-instructions")
    assert api.json()["reference"] in answer.content.decode() and "no-store" in api["Cache-Control"]
    box.fault("500_before", "wire_instructions", count=None)
    away = browser.get(page)
    assert away.status_code == 503 and api.json()["account_number"] not in away.content.decode()
    assert (
        browser.get(f"/api/v1/accounts/{account.pk}/wire-instructions")
        .json()["type"]
        .endswith("provider-away")
    )
    box.fault("500_before", "read_balance", count=None)
    assert "The balance is not known yet" in page_of(browser, f"/money/accounts/{account.pk}/")
