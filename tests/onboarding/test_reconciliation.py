"""Every account read and compared: what differs is a case once, and what agrees again closes it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from compliance.models import Case, CaseFact
from onboarding.models import AccountCheck, AccountUpdate, Application, Owner, ReconciliationRun
from onboarding.reconciliation import comparing, runs
from portal import clock
from portal.errors import Conflict
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.deciding import decide as decide_case
from tests.faults.way import account_of, at_once, exchanges, later
from tests.flow import drain, submitted
from tests.onboarding.test_updates import opened, there
from tests.people import make_customer_user

Staff = Callable[[str], User]
NEW_PHONE = "+15125550111"


def drift(box: SandboxProcess, application: Application, **changes: Any) -> None:
    paths = changes or {"owners[0].phoneNumber": NEW_PHONE}
    box.api("POST", f"accounts/{application.reference}/drift", {"changes": paths})


def night(days: int = 0, most: int = 30) -> ReconciliationRun:
    """A whole run, its pauses skipped."""
    with later(days=days, minutes=5):
        run = runs.start()
    for move in range(most):
        with later(days=days, minutes=5 + 11 * move):
            runs.step()
        run.refresh_from_db()
        if run.status != "running":
            return run
    raise AssertionError("the run did not end")


def cases(kind: str = comparing.KIND) -> list[Case]:
    return list(Case.objects.filter(kind=kind).order_by("pk"))


def decide(case: Case, actor: User, decision: str) -> None:
    decide_case(actor, case, decision, text="Asked the customer")


def test_what_agrees_is_counted_and_told_to_nobody(box: SandboxProcess, customer_user: User) -> None:
    opened(box, customer_user)
    run = night()
    assert (run.status, run.expected, run.read, run.agree, run.differ) == ("finished", 1, 1, 1, 0)
    assert cases() == []


def test_a_difference_is_one_case_for_all_nights_and_settles_by_itself(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = opened(box, customer_user)
    drift(box, application)
    assert night().differ == 1
    [case] = cases()
    assert NEW_PHONE not in str(list(CaseFact.objects.values()))
    assert night(days=1).differ == 1
    assert (len(cases()), case.facts.count()) == (1, 1)
    drift(box, application, **{"owners[0].identity.middleNames": "Maria"})
    night(days=2)
    assert (len(cases()), case.facts.count()) == (1, 2)
    drift(
        box, application, **{"owners[0].phoneNumber": "+15125550142", "owners[0].identity.middleNames": None}
    )
    assert night(days=3).agree == 1
    [case] = cases()
    assert (case.status, AccountCheck.objects.get().episode) == ("closed", None)
    # It comes again: that is a new question.
    drift(box, application)
    night(days=4)
    assert [row.status for row in cases()] == ["closed", "open"]


def test_ours_is_right(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    application = opened(box, customer_user)
    drift(box, application)
    night()
    with later(hours=1):
        decide(cases()[0], staff("compliance_analyst"), "send")
        drain()
    assert there(application)["owners"][0]["phoneNumber"] == "+15125550142"


def test_theirs_is_right(box: SandboxProcess, customer_user: User, staff: Staff) -> None:
    application = opened(box, customer_user)
    drift(box, application, **{"owners[0].phoneNumber": NEW_PHONE, "owners[0].identity.taxId": "536229999"})
    night()
    with later(hours=1):
        decide(cases()[0], staff("compliance_analyst"), "take")
    assert Owner.objects.get(application=application).phone == NEW_PHONE
    # The number the provider alone may change still differs: that is asked anew.
    run = night(days=1)
    assert run.differ == 1
    assert [row.status for row in cases()] == ["closed", "open"]
    assert [line["path"].rsplit(".", 1)[-1] for line in comparing.kept_lines(AccountCheck.objects.get())] == [
        "taxId"
    ]
    assert "536229999" not in str(comparing.kept_lines(AccountCheck.objects.get()))
    # Nothing of it can be taken over, and the refusal says what can be done.
    with later(days=1, hours=1), pytest.raises(Conflict):
        decide(cases()[1], staff("compliance_manager"), "take")


def test_what_was_left_is_left_until_it_changes(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    drift(box, application)
    night()
    with later(hours=1):
        decide(cases()[0], staff("compliance_analyst"), "leave")
    night(days=1)
    assert [row.status for row in cases()] == ["closed"]
    drift(box, application, **{"owners[0].phoneNumber": "+15125550133"})
    night(days=2)
    assert [row.status for row in cases()] == ["closed", "open"]


def test_an_account_that_is_gone_there(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    box.api("DELETE", f"accounts/{application.reference}")
    run = night()
    assert (run.missing, run.read, run.not_answered) == (1, 1, 0)
    assert [fact.title for fact in CaseFact.objects.all()] == ["The provider has no such account"]
    night(days=1)
    assert len(cases()) == 1


def test_status_words_that_cannot_both_be_right(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    box.fault("webhook_lost", "PARTY_EVENT")
    body = {"partyStatus": "SUSPENDED", "reasonCode": "COMPLIANCE_LOCKED"}
    box.api("POST", f"accounts/{application.reference}/event", body)
    assert night().differ == 1
    [line] = comparing.kept_lines(AccountCheck.objects.get())
    assert (line["path"], line["ours"], line["theirs"]) == (
        "status",
        "Active",
        "May not trade (canTradeCrypto false)",
    )


def test_a_change_on_its_way_is_not_compared(box: SandboxProcess, customer_user: User) -> None:
    application = opened(box, customer_user)
    drift(box, application)
    AccountUpdate.objects.create(account=account_of(application), changes=[], requested_by=customer_user)
    assert (night().under_way, cases()) == (1, [])


def test_what_waits_for_its_verdict_is_not_compared(box: SandboxProcess, customer_user: User) -> None:
    submitted(customer_user)
    assert (night().under_way, cases()) == (1, [])
    drain()
    run = night(days=1)
    assert (run.read, run.under_way, run.not_answered) == (1, 1, 0)


@pytest.mark.parametrize("fault", ["500_before", "nonsense", "502_html", "drop_before"])
def test_a_provider_that_does_not_answer_is_left_alone_and_asked_again(
    box: SandboxProcess,
    customer_user: User,
    fault: str,
) -> None:
    opened(box, customer_user)
    box.fault(fault, "read_status", count=None)
    run = runs.start()
    runs.step()
    run.refresh_from_db()
    assert run.next_at - clock.now() > timedelta(minutes=9)
    assert (run.status, run.read, run.not_answered) == ("running", 0, 0)
    box.api("DELETE", "faults")
    with later(minutes=11):
        runs.step()
    with later(minutes=12):
        runs.step()
    run.refresh_from_db()
    assert (run.status, run.agree) == ("finished", 1)


def test_one_that_never_answers_is_counted(box: SandboxProcess, customer_user: User) -> None:
    opened(box, customer_user)
    box.fault("500_before", "read_status", count=None)
    run = night()
    assert (run.status, run.read, run.not_answered) == ("finished", 0, 1)
    assert AccountCheck.objects.get().attempts == runs.ATTEMPTS
    assert cases() == []


def test_a_worker_killed_in_the_middle_loses_nothing(
    box: SandboxProcess,
    customer_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = opened(box, customer_user)
    second = opened(box, make_customer_user("Bo"), given_name="Bo", family_name="Berg")
    drift(box, first)
    monkeypatch.setattr(runs, "BATCH", 2)
    run = runs.start()
    taken = runs._take()
    assert taken is not None
    runs._answered(taken.accounts[0])
    # Here the worker dies. Its batch is nobody's until the lease ends.
    assert runs.step() is False
    with later(minutes=6):
        assert runs.step()
    with later(minutes=7):
        runs.step()
    run.refresh_from_db()
    assert (run.status, run.read, run.agree, run.differ) == ("finished", 2, 1, 1)
    assert (len(cases()), CaseFact.objects.count()) == (1, 1)
    # The one that was read before was not read again.
    read = [entry["path"] for entry in exchanges(box, "read_status")]
    assert [sum(row.reference in path for path in read) for row in (first, second)] == [1, 1]


def test_two_workers_never_take_the_same(box: SandboxProcess, customer_user: User) -> None:
    opened(box, customer_user)
    runs.start()
    assert sorted(at_once(runs.step, runs.step)) == [False, True]
    with pytest.raises(Conflict):
        runs.start()


def test_a_batch_costs_the_same_however_many_accounts_there_are(
    box: SandboxProcess,
    customer_user: User,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened(box, customer_user)
    monkeypatch.setattr(runs, "BATCH", 1)
    counted = []
    for more in (0, 3):
        for number in range(more):
            user = make_customer_user(f"Person {number}")
            opened(box, user, given_name=f"Person{'abc'[number]}", family_name="Berg")
        with later(days=more + 1):
            runs.start()
            with CaptureQueriesContext(connection) as asked:
                runs._take()
            counted.append(len(asked))
        ReconciliationRun.objects.all().delete()
    assert counted[0] == counted[1]
