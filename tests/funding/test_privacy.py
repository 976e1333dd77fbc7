"""What becomes of a customer's money with a copy of their data, with its erasure, and when its time is over."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.db.models import Model
from django.test import Client, TestCase
from django.urls import reverse
from django.utils import timezone

from compliance import kinds
from compliance import services as compliance
from compliance.models import Case, CaseFile
from funding.models import (
    Authorisation,
    BankLogin,
    LedgerBalance,
    LinkedBank,
    LinkSession,
    MoneyRun,
    Notice,
    NoticeChoice,
    ReconciliationItem,
    StatedMovement,
    Transfer,
    TransferDraft,
    TransferLimit,
    WireRecipient,
)
from funding.privacy import HOLDINGS, OF_NOBODY
from onboarding.models import Application, DataRequest, ProviderAccount
from onboarding.privacy import erasing, exporting, policy, requests, retention
from portal import clock
from portal.ids import new_id
from portal.models import OutboundCall, User
from portal.sealed import SealedField
from tests.deciding import decide
from tests.funding.people import at_provider, link_bank, open_account
from tests.onboarding.papers_support import pdf

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
#: Stands in everything personal below, so that nothing of it can be overlooked afterwards.
MARK = "Zweifelsohne"
NUMBER = "000123456789"


def had_money(user: User) -> ProviderAccount:
    """An account that is closed and empty, with a row of every kind."""
    account = open_account(user)
    session = LinkSession.objects.create(
        account=account, started_by=user, token_hash="h1", token=MARK, hosted_url=MARK, expires_at=clock.now()
    )
    login = BankLogin.objects.create(
        account=account, session=session, token_hash="h2", status="removed", item_id=f"item-{MARK}",
        institution=f"{MARK} Bank", plaid_account_id=MARK,
        accounts=[{"id": "1", "name": f"{MARK} Checking", "mask": "0000", "subtype": "checking", "offered": True}],
    )  # fmt: skip
    bank = link_bank(
        account, status="unlinked", institution=f"{MARK} Bank", name=f"{MARK} Checking", mask="0000",
        item_id=f"item-{MARK}", plaid_account_id=MARK, access_token="access-secret", login=login,
        same_account=MARK,
    )  # fmt: skip
    recipient, unused = (
        WireRecipient.objects.create(
            account=account, bank_name=f"{MARK} Trust", bank_address=MARK, routing_number="021000021",
            account_number=NUMBER, swift_code="CHASUS33", added_by=user,
        )
        for _ in range(2)
    )  # fmt: skip
    deposit = _moved(account, user, direction="deposit", rail="ach", bank=bank)
    _moved(account, user, direction="withdrawal", rail="wire", recipient=recipient)
    Authorisation.objects.create(
        transfer=deposit, text=f"I authorise {MARK}", text_sha256="0" * 64, accepted_by=user, ip="192.0.2.7",
        user_agent=MARK, source="page",
    )  # fmt: skip
    draft: dict[str, Any] = {"account": account, "user": user, "rail": "ach", "direction": "deposit"}
    TransferDraft.objects.create(**draft, amount_minor=2_000, transfer=deposit)
    TransferDraft.objects.create(**draft, amount_minor=3_000, recipient=unused)
    TransferLimit.objects.create(
        account=account, asker="customer", rail="ach", direction="deposit", single_minor=70_000
    )
    Notice.objects.create(user=user, kind="requested", transfer=deposit)
    Notice.objects.create(user=user, kind="bank")
    NoticeChoice.objects.create(user=user, kind="completed", by_mail=False)
    at_provider(account, 0)
    run = MoneyRun.objects.create(since=clock.now(), status="finished")
    stated = {"run": run, "party_ref": account.client_account_id, "key": "k"}
    StatedMovement.objects.create(**stated, account=account, as_of=clock.now())
    ReconciliationItem.objects.create(
        **stated, seen_run=run, account=account, kind="amount", status="settled", note=MARK
    )
    OutboundCall.objects.create(
        operation="bakkt.fiat.link", subject_type="funding.linkedbank", subject_id=bank.pk, status="succeeded",
        idempotency_key="k", body={"processor_token": MARK}, body_hash="h", answer={"bank": MARK},
    )  # fmt: skip
    case = compliance.case_open(
        kind="funding.ach_return", subject=compliance.Subject.of(deposit, f"{MARK}, transfer"), title="Returned",
        facts={}, source="test", dedupe="x",
    )  # fmt: skip
    compliance.case_settle(
        kind=case.kind, subject=compliance.Subject.of(deposit, ""), reason="done", source="test"
    )
    account.move_to(ProviderAccount.Status.CLOSED, actor=None, source="test")
    return account


def _moved(account: ProviderAccount, user: User, **more: Any) -> Transfer:
    row = Transfer.objects.create(
        account=account, amount_minor=2_000, origin="customer", requested_by=user, problem=f"{MARK} said",
        reference=f"ref-{more['direction']}", **more,
    )  # fmt: skip
    row.enter()
    row.move_to("completed", actor=None)
    return row


def everything_with(word: str) -> set[str]:
    """The tables of the site, but those that are never touched, where the word stands."""
    stays = {"compliance_casefact", "portal_auditentry", "portal_statuschange"}
    tables = {model._meta.db_table for model in apps.get_models()} - stays
    found = set()
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f'SELECT EXISTS (SELECT FROM "{table}" t WHERE t::text LIKE %s)', [f"%{word}%"])
            if cursor.fetchone()[0]:
                found.add(table)
    return found


def erased(manager: User, user: User) -> DataRequest:
    request = requests.data_request_ask(actor=user, kind="erasure", source="page")
    decide(manager, Case.objects.get(subject_id=request.pk), "erase")
    request.refresh_from_db()
    return request


def test_the_copy_tells_of_the_money_what_its_customer_may_see(customer_user: User) -> None:
    had_money(customer_user)
    content, _ = exporting.contents(customer_user)
    text = json.dumps(content, default=exporting._plain)
    money = content["applications"][0]["money"]
    for one in HOLDINGS:
        rows = (money | content)[one.section] if one.section else None
        assert bool(rows) == (one.row is not None) == (not one.why_not), one.model
    assert [row["other_side"] for row in money["transfers"]] == [
        f"{MARK} Bank ending in 0000", f"{MARK} Trust ••••6789",
    ]  # fmt: skip
    assert money["authorisations"][0]["text"] == f"I authorise {MARK}"
    assert [line["amount"] for line in money["statements"][0]["lines"]] == ["20.00", "-20.00"]
    # Numbers as on the page, keys of Plaid's not at all, words for staff neither.
    for hidden in (NUMBER, "021000021", "access-secret", "item-", "said", "processor"):
        assert hidden not in text, hidden


def test_what_nobody_needs_goes_at_once_and_the_rest_when_its_time_is_over(
    customer_user: User, staff: Staff
) -> None:
    account = had_money(customer_user)
    manager = staff("compliance_manager")
    request = erased(manager, customer_user)
    assert not TransferDraft.objects.exists() and not Notice.objects.exists()
    assert not NoticeChoice.objects.exists() and WireRecipient.objects.count() == 1
    assert LinkSession.objects.get().token is None
    assert {"what": f"Bank accounts no wire went to of {account.application.reference}: 1"} in request.erased
    assert {"what": "Notices about your money: 2"} in request.erased
    [kept] = [row for row in request.kept if "Transfers of" in row["what"]]
    assert "31 CFR 1010.430(d)" in kept["why"]
    assert kept["until"] == (clock.now() + timedelta(days=policy.FIVE_YEARS)).date().isoformat()
    # Kept is kept: what was authorised, where money went, sealed as before. Cases go by the reference.
    recipient = WireRecipient.objects.get()
    assert recipient.account_number.reveal() == NUMBER and Authorisation.objects.exists()
    assert not everything_with(NUMBER)
    case = Case.objects.get(kind="funding.ach_return")
    assert case.subject_label == account.application.reference
    with pytest.raises(DatabaseError), transaction.atomic():
        Authorisation.objects.all().delete()

    with time_machine.travel(clock.now() + timedelta(days=policy.FIVE_YEARS + 1)):
        assert retention.carry_out() >= 1
    assert Application.objects.get(pk=account.application_id).erased_at
    assert everything_with(MARK) == set() == everything_with("192.0.2.7") == everything_with("item-")
    assert recipient.numbers_index and not everything_with(recipient.numbers_index)
    for model in (one.model for one in HOLDINGS):
        for field in model._meta.concrete_fields:
            if isinstance(field, SealedField):
                for row in model._default_manager.all():
                    value = getattr(row, field.name)
                    assert value is None or value.reveal() == "", (model, field.name)
    call = OutboundCall.objects.get(operation="bakkt.fiat.link")
    assert (call.body.reveal(), call.answer) == ({}, {})
    # The books stand as they stood.
    assert Transfer.objects.count() == 2
    assert dict(LedgerBalance.objects.values_list("book", "amount_minor"))["available"] == 0


def test_what_is_kept_is_shut_away_from_every_page_of_money(
    customer_user: User, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    account = had_money(customer_user)
    item, month = ReconciliationItem.objects.get(), f"{timezone.now():%Y-%m}"
    transfer = Transfer.objects.filter(direction="deposit").get()
    pages = [
        f"/staff/transfers/{transfer.pk}/", f"/staff/transfers/{transfer.pk}/receipt/",
        f"/staff/accounts/{account.pk}/statements/", f"/staff/accounts/{account.pk}/statements/{month}.csv",
        f"/staff/accounts/{account.pk}/bank/", f"/staff/accounts/{account.pk}/limits/",
        reverse("money_reconciliation:item", args=[item.pk]),
    ]  # fmt: skip
    lists = ["/staff/transfers/", reverse("money_reconciliation:items") + "?status=settled"]
    manager = staff("compliance_manager")
    desk = signed_in(manager)
    for page in pages:
        assert desk.get(page).status_code == 200, page
    assert str(transfer.pk) in desk.get(lists[0]).content.decode()
    assert str(item.pk) in desk.get(lists[1]).content.decode()
    erased(manager, customer_user)
    for page in pages:
        assert desk.get(page).status_code == 403, page
    for page in lists:
        shown = desk.get(page).content.decode()
        assert str(transfer.pk) not in shown and str(item.pk) not in shown, page
    browser = signed_in(customer_user)
    for page in (f"/money/accounts/{account.pk}/", f"/money/transfers/{transfer.pk}/receipt/"):
        assert browser.get(page).status_code == 404, page


SUBJECTS: tuple[tuple[str, type[Model]], ...] = (
    ("funding.ach_return", Transfer),
    ("funding.unusual", Transfer),
    ("funding.unusual", ProviderAccount),
    ("funding.bank_owner", LinkedBank),
    ("funding.login_lost", BankLogin),
    ("funding.reconciliation", ReconciliationItem),
)


def test_the_cases_about_money_are_shut_as_a_whole_and_their_files_go_with_the_account(
    customer_user: User, staff: Staff, signed_in: Callable[[User], Client], settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    account, manager = had_money(customer_user), staff("compliance_manager")
    names = {kind.name for kind in kinds.all_kinds()}
    cases = {case: attached(case, manager) for case in _cases(account)}
    nobody_s = compliance.case_open(
        kind="onboarding.unknown_account", subject=compliance.Subject("x.y", new_id(), "Nobody"), title="x",
        facts={}, source="test", dedupe="x",
    )  # fmt: skip
    attached(nobody_s, manager)
    assert {name for name, _ in SUBJECTS} <= names
    for case in [*cases, nobody_s]:
        case.move_to("closed", actor=None)
    desk = signed_in(manager)
    for case, file in cases.items():
        assert desk.get(f"/staff/cases/{case.pk}/").status_code == 200, case.kind
        assert desk.get(reverse("cases:attachment", args=[case.pk, file.pk])).status_code == 200
    erased(manager, customer_user)
    label = account.application.reference
    for case, file in cases.items():
        page = f"/staff/cases/{case.pk}/"
        answers = [
            desk.get(page),
            desk.get(page, headers={"HX-Target": "history"}),
            desk.post(reverse("cases:note", args=[case.pk]), {"note-text": "I should not"}),
            desk.get(reverse("cases:attachment", args=[case.pk, file.pk])),
        ]
        assert [answer.status_code for answer in answers] == [403] * 4, case.kind
        assert Case.objects.get(pk=case.pk).subject_label == label, case.kind
    # Kept with the account, and gone with it; what is about nobody has days of its own.
    assert CaseFile.objects.count() == len(cases) + 1 == len(list(tmp_path.rglob("cases/*/*")))
    with time_machine.travel(clock.now() + timedelta(days=policy.FIVE_YEARS - 1)):
        retention.carry_out()
        assert CaseFile.objects.count() == len(cases) + 1
    with (
        time_machine.travel(clock.now() + timedelta(days=policy.FIVE_YEARS + 1)),
        TestCase.captureOnCommitCallbacks(execute=True),
    ):
        retention.carry_out()
    assert not CaseFile.objects.exists() and not list(tmp_path.rglob("cases/*/*"))


def test_a_file_of_a_case_about_an_open_account_outlives_its_case(
    customer_user: User, staff: Staff, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    account = open_account(customer_user)
    transfer = Transfer.objects.create(
        account=account, amount_minor=1, direction="deposit", rail="ach", origin="customer", reference="r"
    )
    rows = [
        compliance.case_open(
            kind=kind,
            subject=compliance.Subject.of(row, "Ana"),
            title="x",
            facts={},
            source="test",
            dedupe="x",
        )
        for kind, row in (("funding.ach_return", transfer), ("onboarding.duplicate", account.application))
    ]
    for case in rows:
        attached(case, staff("compliance_manager"))
        case.move_to("closed", actor=None)
    with time_machine.travel(clock.now() + timedelta(days=policy.FIVE_YEARS + 1)):
        retention.carry_out()
    assert CaseFile.objects.count() == 2
    erasing.erase_application(account.application)
    assert not CaseFile.objects.exists(), "with the account at once, however young the case"


def _cases(account: ProviderAccount) -> list[Case]:
    found = []
    for kind, model in SUBJECTS:
        row: Any = account if model is ProviderAccount else model._default_manager.latest("pk")
        found.append(
            compliance.case_open(
                kind=kind, subject=compliance.Subject.of(row, f"{MARK}, money"), title="x", facts={},
                source="test", dedupe="shut",
            )
        )  # fmt: skip
    return found


def attached(case: Case, actor: User) -> CaseFile:
    return compliance.case_file_attach(
        actor=actor, case_id=case.pk, title="A letter", file=SimpleUploadedFile("a.pdf", pdf())
    )


def test_money_in_the_way_of_an_erasure(customer_user: User) -> None:
    account = open_account(customer_user)
    customer = account.application.customer
    transfer = Transfer.objects.create(
        account=account, amount_minor=2_000, direction="deposit", rail="ach", origin="customer", reference="r"
    )
    transfer.enter()
    compliance.case_open(
        kind="funding.ach_return", subject=compliance.Subject.of(transfer, "Ana"), title="Returned", facts={},
        source="test", dedupe="x",
    )  # fmt: skip
    bank = link_bank(account)
    found = " ".join(requests.why_not_erase(customer))
    for words in ("Money is under way", "A bank is linked still", "Case "):
        assert words in found
    bank.move_to("unlinking", actor=None)
    bank.move_to("unlinked", actor=None)
    transfer.move_to("completed", actor=None)
    found = " ".join(requests.why_not_erase(customer))
    assert "bank" not in found and "balance of an account is not zero" in found


def test_orders_never_sent_go_after_their_days(customer_user: User, staff: Staff) -> None:
    account = open_account(customer_user)
    facts: dict[str, Any] = {"account": account, "user": customer_user, "rail": "ach", "direction": "deposit"}
    transfer = Transfer.objects.create(
        account=account, amount_minor=1, direction="deposit", rail="ach", origin="customer", reference="r"
    )
    TransferDraft.objects.create(**facts, amount_minor=1, transfer=transfer)
    TransferDraft.objects.create(**facts, amount_minor=2)
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        TransferDraft.objects.create(**facts, amount_minor=3)
        retention.carry_out()
        assert TransferDraft.objects.count() == 3
    manager = staff("compliance_manager")
    retention.period_set(actor=manager, code="transfer_drafts", days=20)
    with time_machine.travel(timezone.now() + timedelta(days=30)):
        retention.carry_out()
    left = TransferDraft.objects.order_by("amount_minor").values_list("amount_minor", flat=True)
    assert list(left) == [1, 3], "what became a transfer stays with it"


def test_no_model_of_funding_is_forgotten() -> None:
    """Whoever adds a model says whether it is in the copy, and when it goes (funding/privacy.py)."""
    known = [*(one.model for one in HOLDINGS), *OF_NOBODY]
    assert len(known) == len(set(known))
    assert {model.__name__ for model in apps.get_app_config("funding").get_models()} == {
        model.__name__ for model in known
    }
    for one in HOLDINGS:
        assert bool(one.section and one.row) != bool(one.why_not), one.model
