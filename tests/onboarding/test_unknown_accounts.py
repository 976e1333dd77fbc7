"""Accounts nobody here knows, from webhooks and from the provider's own list."""

import io
from collections.abc import Callable

import pytest

from compliance.models import Case
from onboarding.models import (
    AccountCheck,
    Application,
    ListedAccount,
    ProviderAccount,
    ReconciliationRun,
    UnknownAccount,
)
from onboarding.reconciliation import comparing, lists, unknown
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import at_once, later
from tests.flow import drain
from tests.onboarding.test_reconciliation import cases, night
from tests.onboarding.test_updates import opened

Staff = Callable[[str], User]
REF = "nobody-knows-this-1"


def stranger(box: SandboxProcess) -> None:
    """An account the portal never asked for, and a webhook about it."""
    box.api("POST", "accounts", {"clientAccountId": REF})
    body = {"partyStatus": "SUSPENDED", "reasonCode": "COMPLIANCE_LOCKED"}
    box.api("POST", f"accounts/{REF}/event", body)
    box.flush()
    drain()


def uploaded(actor: User, text: str) -> ReconciliationRun:
    raw = text.encode()
    return lists.list_upload(actor=actor, file=io.BytesIO(raw), size=len(raw), source="page")


def test_a_webhook_about_nobody_is_one_case(box: SandboxProcess) -> None:
    stranger(box)
    assert unknown.look() == 1
    unknown.look()
    [case] = cases(unknown.KIND)
    assert (case.subject_label, case.facts.count()) == (REF, 1)


def test_two_looks_at_once_are_one(box: SandboxProcess) -> None:
    stranger(box)
    at_once(unknown.look, unknown.look)
    assert (len(cases(unknown.KIND)), UnknownAccount.objects.count()) == (1, 1)


def test_it_closes_when_an_account_bears_the_reference(box: SandboxProcess, customer_user: User) -> None:
    stranger(box)
    unknown.look()
    application = opened(box, customer_user)
    ProviderAccount.objects.filter(application=application).update(client_account_id=REF)
    assert unknown.look() == 0
    assert [case.status for case in cases(unknown.KIND)] == ["closed"]


def test_a_decided_one_stays_decided_until_it_is_heard_of_again(box: SandboxProcess, staff: Staff) -> None:
    stranger(box)
    unknown.look()
    analyst = staff("compliance_analyst")
    [case] = cases(unknown.KIND)
    decide_case(analyst, case, "told", text="Ticket 12")
    unknown.look()
    assert [row.status for row in cases(unknown.KIND)] == ["closed"]
    with later(days=1):
        body = {"partyStatus": "CLOSED", "reasonCode": "CLOSED"}
        box.api("POST", f"accounts/{REF}/event", body)
        box.flush()
        drain()
        unknown.look()
    assert [row.status for row in cases(unknown.KIND)] == ["closed", "open"]


def test_a_list_finds_strangers_and_contradictions(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    run = uploaded(
        staff("administrator"),
        f"clientAccountId;Party Status\n{application.reference};suspended\n{REF};ACTIVE\nother-2;CLOSED\n",
    )
    assert ListedAccount.objects.count() == 3
    lists.work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.read, run.agree, run.differ, run.unknown) == ("finished", 3, 0, 1, 2)
    assert ListedAccount.objects.count() == 0
    assert sorted(case.subject_label for case in cases(unknown.KIND)) == [REF, "other-2"]
    [line] = comparing.kept_lines(AccountCheck.objects.get())
    assert (line["path"], line["ours"], line["theirs"]) == ("list.status", "Active", "suspended")
    # A reading cannot tell, so the night leaves it open; the next list settles it.
    night()
    assert [case.status for case in cases()] == ["open"]
    again = uploaded(staff("administrator"), f"ref,status\n{application.reference},ACTIVE\n")
    lists.work(again.pk)
    assert [case.status for case in cases()] == ["closed"]


def test_a_list_goes_on_after_a_crash_and_counts_once(
    box: SandboxProcess,
    staff: Staff,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(lists, "CHUNK", 2)
    run = uploaded(staff("administrator"), "ref\n" + "\n".join(f"made-up-{n}" for n in range(5)) + "\n")
    assert lists.advance(run.pk)
    # The worker died here; another goes on, two at once.
    at_once(lambda: lists.work(run.pk), lambda: lists.work(run.pk))
    lists.work(run.pk)
    run.refresh_from_db()
    assert (run.status, run.unknown, UnknownAccount.objects.count()) == ("finished", 5, 5)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("name,status\nx,ACTIVE\n", "Call it clientAccountId"),
        ("ref,status\n", "no rows"),
        ("ref,status\n,ACTIVE\n", "Row 1 cannot be compared. It names no account."),
        ("ref\n" + "x" * 300 + "\n", "too long"),
        ("ref,status\na\x00b,ACTIVE\n", "Row 1 cannot be compared"),
    ],
    ids=["empty", "no-column", "no-rows", "no-reference", "too-long", "nul"],
)
def test_a_list_that_cannot_be_compared_says_why(staff: Staff, text: str, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        uploaded(staff("administrator"), text)
    assert not ReconciliationRun.objects.exists()


def test_who_may(staff: Staff, roles: list[str]) -> None:
    allowed = {"compliance_manager", "funding_operator", "administrator"}
    for role in roles:
        if role in allowed | {"customer"}:
            continue
        with pytest.raises(Forbidden):
            uploaded(staff(role), "ref\nx\n")
    uploaded(staff("funding_operator"), "ref\nx\n")
    with pytest.raises(Conflict):
        uploaded(staff("administrator"), "ref\ny\n")


def test_memory_stays_bounded_on_a_big_list(staff: Staff) -> None:
    text = "ref,status\n" + "".join(f"row-{n},ACTIVE\n" for n in range(5000))
    run = uploaded(staff("administrator"), text)
    assert (run.expected, ListedAccount.objects.count(), Case.objects.count()) == (5000, 5000, 0)
    assert Application.objects.count() == 0
