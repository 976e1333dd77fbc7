"""Statements add up: each opens where the one before closed, and the last closes at what the books hold."""

from datetime import UTC, datetime

import pypdfium2
import pytest
import time_machine
from django.test import Client

from funding import standing, statements
from funding.models import LedgerBalance, Transfer
from funding.statements import HELD_IN
from onboarding.models import ProviderAccount
from portal import ids
from portal.models import AuditEntry, User
from providers.bakkt.fiat_problems import PROBLEMS
from providers.bakkt.return_codes import CODES
from tests.funding.people import link_bank, open_account
from tests.people import make_staff, sign_in

pytestmark = pytest.mark.django_db
Status = Transfer.Status


def moved(account: ProviderAccount, minor: int, *days: tuple[int, int, str], **more: object) -> Transfer:
    """A transfer that came to each status on its day of 2026."""
    row: Transfer | None = None
    for month, day, status in days:
        with time_machine.travel(datetime(2026, month, day, 18, tzinfo=UTC)):
            if row is None:
                facts = {"direction": "deposit", "rail": "ach", "origin": "customer"} | more
                row = Transfer.objects.create(
                    account=account, amount_minor=minor, status=status, reference=str(ids.new_id()), **facts
                )
                row.enter()
            else:
                row.move_to(status, actor=None)
    assert row is not None
    return row


def text_of(content: bytes) -> str:
    document = pypdfium2.PdfDocument(content)
    return "".join(page.get_textpage().get_text_range() for page in document)


def test_a_statement_of_several_pages_and_long_names_holds_every_line(customer_user: User) -> None:
    account = open_account(customer_user)
    name = "The Savings and Loan Bank of the Upper Mountains and Lower Valleys"
    bank = link_bank(account, institution=name, mask="4711")
    other = link_bank(account, status="unlinked", institution="بنك", mask="4712")
    for number in range(60):
        moved(account, 100 + number, (8, 3, "requested"), (8, 5, "completed"), bank=other if number else bank)
    document = pypdfium2.PdfDocument(statements.as_pdf(statements.statement(account, "2026-08")))
    pages = [page.get_textpage().get_text_range() for page in document]
    assert len(pages) > 1 and all("Reference" in page for page in pages), "the heads stand on each page"
    text = " ".join("".join(pages).split())
    assert all(f"$1.{number:02d}" in text for number in range(60))
    assert "of the Upper" in text and "Valleys ending in 4711" in text and text.count("4712") == 59


def test_months_add_up_to_the_cent(customer_user: User) -> None:
    account = open_account(customer_user)
    link_bank(account, institution="=HYPERLINK(1)")
    bank = account.banks.get()
    moved(account, 10_001, (8, 3, "requested"), (8, 5, "completed"), (10, 2, "returned"), bank=bank)
    moved(account, 99_999, (8, 30, "requested"), (9, 2, "completed"))
    moved(account, 2_500, (9, 30, "requested"), (10, 1, "completed"), direction="withdrawal")
    moved(account, 4_000, (9, 4, "requested"), (9, 5, "declined"), direction="withdrawal")
    moved(
        account,
        1_500,
        (10, 3, "completed"),
        direction="withdrawal",
        rail="book",
        kind="return_fee",
        origin="provider",
    )
    # A moment that is October in Greenwich and still September where the banks are.
    late = moved(account, 700, (9, 1, "requested"))
    with time_machine.travel(datetime(2026, 10, 1, 2, tzinfo=UTC)):
        late.move_to("completed", actor=None)
    with time_machine.travel(datetime(2026, 10, 20, tzinfo=UTC)):
        months = [
            statements.statement(account, f"{month:%Y-%m}") for month in reversed(statements.months(account))
        ]
        assert [found.name for found in months] == ["August 2026", "September 2026", "October 2026 so far"]
        balance = 0
        for found, expected in zip(months, ([10_001], [99_999, 700], [-2_500, -10_001, -1_500]), strict=True):
            assert found.opening.minor == balance
            lines = list(found.lines())
            assert [line.amount.minor for line in lines] == expected
            balance += sum(expected)
            assert lines[-1].balance.minor == balance
            text = "".join(statements.as_csv(found))
            assert text.splitlines()[-1].endswith(lines[-1].balance.as_decimal_string())
            assert ",=HYPERLINK" not in text
            page = text_of(statements.as_pdf(found))
            for line in lines:
                assert (
                    line.reference in page and line.amount.format() in page and line.balance.format() in page
                )
        rows = LedgerBalance.objects.filter(account=account, book__in=HELD_IN)
        assert sum(row.amount_minor for row in rows) == balance == 96_699


def test_the_pdf_of_very_many_movements_comes_in_parts_that_add_up(
    customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account(customer_user)
    bank = link_bank(account)
    moved(account, 5_000, (7, 3, "requested"), (7, 5, "completed"), bank=bank)
    for number in range(5):
        moved(account, 1_000 + number, (8, 3, "requested"), (8, 5 + number, "completed"), bank=bank)
    # A transfer that moved nothing in the books counts for no part.
    moved(account, 9_900, (8, 20, "requested"), (8, 21, "declined"), direction="withdrawal")
    moved(account, 2_000, (9, 3, "requested"), (9, 5, "completed"), bank=bank)
    monkeypatch.setattr(statements, "IN_A_PDF", 2)
    assert {f"{month:%m}": parts for month, parts in statements.listed(account)}["08"] == [1, 2, 3]
    browser, page = sign_in(Client(), customer_user), f"/money/accounts/{account.pk}/statements"
    shown = browser.get(f"{page}/").content.decode()
    assert "2026-08.pdf?part=3" in shown and "2026-08.pdf?part=4" not in shown
    assert '2026-07.pdf"' in shown and "2026-07.pdf?part" not in shown
    closing, lines = "$50.00", 0
    for part in (1, 2, 3):
        answer = browser.get(f"{page}/2026-08.pdf?part={part}")
        assert f"statement-2026-08-part-{part}-of-3.pdf" in answer["Content-Disposition"]
        text = " ".join(text_of(b"".join(answer)).split())
        assert f"August 2026, part {part} of 3" in text and f"Opening balance {closing}." in text
        closing = text.split("Closing balance ")[1].split(". ")[0]
        lines += text.count("ACH")
    assert (closing, lines) == ("$100.10", 5)
    assert AuditEntry.objects.filter(action="statement.download", after__part="3 of 3").count() == 1
    for wrong in ("0", "4", "x", "-1", "9" * 30, "²"):
        assert browser.get(f"{page}/2026-08.pdf", {"part": wrong}).status_code == 404, wrong
    refused = browser.get(f"/api/v1/accounts/{account.pk}/statements/2026-08/pdf")
    assert refused.status_code == 409 and "part=1 to part=3" in refused.json()["detail"]
    assert browser.get(f"/api/v1/accounts/{account.pk}/statements/2026-08/pdf?part=2").status_code == 200
    listed = browser.get(f"/api/v1/accounts/{account.pk}/statements").json()
    assert {row["month"]: row["pdf_parts"] for row in listed if row["month"] < "2026-10"} == {
        "2026-07": 1, "2026-08": 3, "2026-09": 1,
    }  # fmt: skip


def test_whoever_takes_a_statement_or_a_receipt_is_in_the_trail(
    customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = open_account(customer_user)
    row = moved(account, 10_001, (8, 3, "requested"), (8, 5, "completed"), (8, 9, "returned"))
    auditor, agent = make_staff("auditor"), make_staff("onboarding_agent")
    page, api = f"/money/accounts/{account.pk}", f"/api/v1/accounts/{account.pk}"
    desk = f"/staff/accounts/{account.pk}"
    assert "2026-08.pdf" in sign_in(Client(), auditor).get(f"{desk}/statements/").content.decode()
    for user, source, files in (
        (customer_user, "page", [f"{page}/statements/2026-08.pdf", f"{page}/statements/2026-08.csv"]),
        (customer_user, "page", [f"/money/transfers/{row.pk}/receipt/"]),
        (customer_user, "api", [f"{api}/statements/2026-08/pdf", f"{api}/statements/2026-08/csv"]),
        (customer_user, "api", [f"{api}/transfers/{row.pk}/receipt"]),
        (auditor, "page", [f"{desk}/statements/2026-08.pdf", f"{desk}/statements/2026-08.csv"]),
        (auditor, "page", [f"/staff/transfers/{row.pk}/receipt/"]),
    ):
        browser, before = sign_in(Client(), user), AuditEntry.objects.count()
        for file in files:
            answer = browser.get(file)
            assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store"), file
            assert b"".join(answer)[:4] in {b"%PDF", b"Date"}
        entries = list(AuditEntry.objects.order_by("-pk")[: AuditEntry.objects.count() - before])
        assert [(entry.actor, entry.source) for entry in entries] == [(user, source)] * len(files)
        subject = row.pk if "receipt" in files[0] else account.pk
        assert {entry.subject_id for entry in entries} == {subject}
        forms = [(entry.after or {}).get("form") for entry in reversed(entries)]
        assert forms in (["pdf", "csv"], [None]), "which month and form"
    # What is refused is no download.
    before = AuditEntry.objects.filter(action="statement.download").count()
    monkeypatch.setattr(statements, "IN_A_PDF", 1)
    assert sign_in(Client(), agent).get(f"{desk}/statements/2026-08.pdf").status_code == 403
    assert sign_in(Client(), customer_user).get(f"{page}/statements/2026-08.pdf").status_code == 409
    assert sign_in(Client(), customer_user).get(f"{api}/statements/2026-08/pdf").status_code == 409
    assert AuditEntry.objects.filter(action="statement.download").count() == before


def test_every_status_and_reason_has_words_and_somebody_who_has_it(customer_user: User) -> None:
    account = open_account(customer_user)
    transfer = moved(account, 1_000, (8, 3, "requested"))
    for status in Status.values:
        transfer.status = status
        for code in ("", "SOMETHING_NEW", *CODES, *PROBLEMS) if status in {"declined", "returned"} else ("",):
            transfer.reason_code = code
            words, ball = standing.explain(transfer), standing.ball(transfer)
            assert (
                words.title
                and words.body
                and ball.line
                and ball.holder in {"customer", "us", "provider", "nobody"}
            )
            assert (ball.holder == "nobody") <= (words.kind == "none"), (status, code)
            assert (words.kind == "wait") == (status in Transfer.UNDER_WAY)
    transfer.status, transfer.reason_code = "returned", "R02"
    assert "account is closed" in standing.explain(transfer).body


def test_what_is_held_can_be_taken_back_and_nothing_else(customer_user: User) -> None:
    account = open_account(customer_user)
    held = moved(account, 1_000, (8, 3, "held"), direction="withdrawal")
    browser = sign_in(Client(), customer_user)
    assert "Cancel this transfer" in browser.get(f"/money/transfers/{held.pk}/").content.decode()
    for _ in range(2):
        assert browser.post(f"/money/transfers/{held.pk}/cancel/").status_code == 302
    held.refresh_from_db()
    assert held.status == "cancelled"
    assert "Nothing was moved." in browser.get(f"/money/transfers/{held.pk}/").content.decode()
    assert not LedgerBalance.objects.filter(account=account).exclude(amount_minor=0).exists()
