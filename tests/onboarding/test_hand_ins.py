"""Handing in a wave: who goes, the pace, pausing and stopping, a worker that dies, and the provider's answer."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from compliance.models import Case
from onboarding import payloads
from onboarding import services as onboarding
from onboarding.agreements import agreement_publish
from onboarding.agreements.acceptance import agreements_accept_pending
from onboarding.agreements.scope import pending_for
from onboarding.imports import cockpit, doubts, handin, handin_jobs, undo
from onboarding.models import (
    AccountUpdate,
    Application,
    HandIn,
    ImportBatch,
    ImportRow,
    InvestmentProfile,
    ProviderAccount,
)
from onboarding.models import imports as import_models
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver, later, read_back
from tests.flow import drain, publish_agreements
from tests.onboarding import answers
from tests.onboarding.imports_support import as_csv, checked, imported, person, upload
from tests.onboarding.journeys import accept

pytestmark = pytest.mark.usefixtures("agreements")
Staff = Callable[[str], User]
SignedIn = Callable[[User], Client]
Outcome = ImportRow.Outcome
NOON = "2030-03-01 12:00Z"
UNTIL = date(2030, 4, 1)


@pytest.fixture
def agreements(db: None) -> None:
    publish_agreements()


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


def wave(
    manager: User,
    number: int = 3,
    changes: dict[str, str] | None = None,
    *,
    complete: int | None = None,
    until: date | None = None,
) -> ImportBatch:
    """An import of `number` people of whom the first `complete` (all) accepted the agreements."""
    rows = [person(at, **(changes or {})) for at in range(number)]
    batch = imported(manager, checked(manager, upload(manager, as_csv(rows)), grace_until=until))
    for application in Application.objects.filter(batch=batch).order_by("pk")[:complete]:
        accept(application.customer.user, application)
    return batch


def start(manager: User, batch: ImportBatch, per_minute: int = 60, *, complete_only: bool = True) -> HandIn:
    return handin.hand_in_start(
        actor=manager,
        batch_id=batch.pk,
        complete_only=complete_only,
        per_minute=per_minute,
        source="page",
    )


def outcomes(run: HandIn) -> list[str]:
    return list(run.rows.order_by("number").values_list("outcome", flat=True))


def to_the_end(run: HandIn) -> HandIn:
    """What beat and a worker do until nobody waits."""
    moment = clock.now()
    for minute in range(10):
        with time_machine.travel(moment + timedelta(seconds=10 * minute), tick=False):
            handin_jobs.work(run.pk)
    return HandIn.objects.get(pk=run.pk)


# --- Who goes -----------------------------------------------------------------------------------------------


def test_only_complete_customers_go_each_once(manager: User) -> None:
    batch = wave(manager, 4, complete=2)
    run = start(manager, batch)
    assert run.total == 2
    run = to_the_end(run)
    assert run.status == HandIn.Status.DONE
    assert outcomes(run) == [Outcome.HANDED_IN] * 2
    statuses = Application.objects.filter(batch=batch).order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["submitted", "submitted", "draft", "draft"]
    assert OutboundCall.objects.count() == 2
    assert MailMessage.objects.filter(subject="We have your application").count() == 2
    entry = AuditEntry.objects.get(action="import.hand_in")
    assert entry.after is not None
    assert entry.after["customers"] == 2 and entry.after["per_minute"] == 60
    # Those who went are no part of another run.
    with pytest.raises(Conflict, match="Nobody is ready"):
        start(manager, batch)


@time_machine.travel(NOON, tick=False)
def test_in_grace_everybody_may_go_and_without_it_nobody_who_lacks_something(manager: User) -> None:
    bare = {"Mobile": "", "Situation": "", "investment_objective": "", "annual_income_range": ""}
    batch = wave(manager, 3, bare, complete=0, until=UNTIL)
    # The agreements are required of everybody (contract 4.2).
    for complete_only in (True, False):
        with pytest.raises(Conflict, match="Nobody is ready"):
            start(manager, batch, complete_only=complete_only)
    for application in Application.objects.filter(batch=batch).order_by("pk")[:2]:
        accept(application.customer.user, application)
    with pytest.raises(Conflict, match="Nobody is ready"):
        start(manager, batch)
    run = to_the_end(start(manager, batch, complete_only=False))
    assert outcomes(run) == [Outcome.HANDED_IN] * 2
    with (
        time_machine.travel("2030-04-02 12:00Z", tick=False),
        pytest.raises(Conflict, match="Nobody is ready"),
    ):
        start(manager, batch, complete_only=False)


def test_who_is_no_longer_complete_is_left_out_with_the_reason(manager: User) -> None:
    batch = wave(manager, 2)
    run = start(manager, batch)
    first = Application.objects.filter(batch=batch).order_by("pk")[0]
    InvestmentProfile.objects.filter(application=first).update(annual_income_range="")
    run = to_the_end(run)
    assert outcomes(run) == [Outcome.LEFT_OUT, Outcome.HANDED_IN]
    row = run.rows.order_by("number")[0]
    assert row.outcome_note == "Not complete: investment."
    assert Application.objects.get(pk=first.pk).status == "draft"


def test_a_possible_duplicate_is_held_for_a_person(manager: User, customer_user: User) -> None:
    alike = {"First Name": "Ana", "Last Name": "Same", "DOB": "1980-01-01"}
    batch = wave(manager, 2, alike)
    run = to_the_end(start(manager, batch))
    assert outcomes(run) == [Outcome.HANDED_IN, Outcome.HELD]
    assert Case.objects.get().kind == "onboarding.duplicate"


def test_who_was_told_apart_at_the_import_is_not_held(manager: User) -> None:
    rows = [person(at, **{"First Name": "Ana", "Last Name": "Same", "DOB": "1980-01-01"}) for at in (1, 2, 3)]
    batch = checked(manager, upload(manager, as_csv(rows)))
    row = batch.rows.get(number=2)
    doubts.doubt_decide(actor=manager, batch_id=batch.pk, row_id=row.pk, verdict="other", source="page")
    batch = imported(manager, batch)
    for application in Application.objects.filter(batch=batch):
        accept(application.customer.user, application)
    run = to_the_end(start(manager, batch))
    # Nobody said anything about the third, who looks like the first; the second was told apart from both.
    assert outcomes(run) == [Outcome.HANDED_IN, Outcome.HANDED_IN, Outcome.HELD]
    [fact] = Case.objects.get().facts.all()
    first = Application.objects.get(import_row__number=1)
    assert fact.evidence["other"] == first.reference


# --- The pace, pausing, stopping ----------------------------------------------------------------------------


def test_the_pace_is_kept_and_what_was_missed_is_not_caught_up(manager: User) -> None:
    with time_machine.travel(NOON, tick=False):
        run = start(manager, wave(manager, 12), per_minute=12)
        assert handin_jobs.work(run.pk) == 1
        assert handin_jobs.work(run.pk) == 0
    with time_machine.travel("2030-03-01 12:00:10Z", tick=False):
        assert handin_jobs.work(run.pk) == 2
    # The workers were away for an hour: ten seconds' worth and the next, not seven hundred.
    with time_machine.travel("2030-03-01 13:00:00Z", tick=False):
        assert handin_jobs.work(run.pk) == 3


def test_pause_go_on_and_stop(manager: User) -> None:
    batch = wave(manager, 4)
    with time_machine.travel(NOON, tick=False):
        run = start(manager, batch, per_minute=6)
        handin_jobs.work(run.pk)
        handin.hand_in_pause(actor=manager, hand_in_id=run.pk, source="page")
    with time_machine.travel("2030-03-01 12:10:00Z", tick=False):
        assert handin_jobs.work(run.pk) == 0
        with pytest.raises(Conflict):
            handin.hand_in_pause(actor=manager, hand_in_id=run.pk, source="page")
        with pytest.raises(Conflict, match="Another hand-in"):
            start(manager, batch)
        assert "Its customers are being handed in. Stop that first." in undo.why_not(batch)
        handin.hand_in_go_on(actor=manager, hand_in_id=run.pk, source="page")
        assert handin_jobs.work(run.pk) == 1
        handin.hand_in_stop(actor=manager, hand_in_id=run.pk, source="page")
        assert handin_jobs.work(run.pk) == 0
        run.refresh_from_db()
        assert (run.status, outcomes(run)) == ("stopped", [Outcome.HANDED_IN] * 2)
        # Who was let go may go in another run.
        assert start(manager, batch).total == 2


def test_a_slow_provider_is_not_sent_more(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handin_jobs, "MOST_WAITING", 2)
    with time_machine.travel(NOON, tick=False):
        run = start(manager, wave(manager, 4), per_minute=600)
    with time_machine.travel("2030-03-01 12:05:00Z", tick=False):
        assert handin_jobs.work(run.pk) == 2
        OutboundCall.objects.update(status=OutboundCall.Status.SUCCEEDED)
        assert handin_jobs.work(run.pk) == 2


@pytest.mark.parametrize("pace", [0, -1, 601])
def test_a_pace_that_is_none_is_refused(manager: User, pace: int) -> None:
    batch = wave(manager, 1)
    with pytest.raises(Invalid) as refusal:
        start(manager, batch, pace)
    assert "per_minute" in refusal.value.fields
    assert not HandIn.objects.exists()


# --- Faults -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The worker's process ended."""


def test_a_worker_that_dies_in_the_middle_doubles_nobody(
    manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start(manager, wave(manager, 3), per_minute=600)
    save = import_models.ImportRow.save

    def die(self: ImportRow, *args: Any, **kwargs: Any) -> None:
        save(self, *args, **kwargs)
        raise Killed

    monkeypatch.setattr(ImportRow, "save", die)
    with pytest.raises(Killed):
        handin_jobs.advance(run.pk)
    monkeypatch.undo()
    assert outcomes(run) == [Outcome.WAITS] * 3
    assert not OutboundCall.objects.exists()
    assert outcomes(to_the_end(run)) == [Outcome.HANDED_IN] * 3
    assert OutboundCall.objects.count() == 3


def test_a_fault_of_ours_pauses_it_and_names_the_row(manager: User, signed_in: SignedIn) -> None:
    batch = wave(manager, 3)
    run = start(manager, batch, per_minute=600)
    # No rule foresees a row whose application is gone.
    batch.rows.filter(number=2).update(application=None)
    run = to_the_end(run)
    assert run.status == HandIn.Status.PAUSED
    assert run.problem == "Paused at row 2 by a fault of ours (DoesNotExist)."
    assert outcomes(run) == [Outcome.HANDED_IN, Outcome.FAILED, Outcome.WAITS]
    shown = signed_in(manager).get(f"/staff/imports/{batch.pk}/hand-in/{run.pk}/").content.decode()
    assert "Paused at row 2" in shown and "Not there any more" in shown
    handin.hand_in_go_on(actor=manager, hand_in_id=run.pk, source="page")
    run = to_the_end(run)
    assert (run.status, run.problem) == (HandIn.Status.DONE, "")
    assert outcomes(run) == [Outcome.HANDED_IN, Outcome.FAILED, Outcome.HANDED_IN]


# --- To the provider and back -------------------------------------------------------------------------------


def test_a_new_customer_goes_to_the_provider_and_the_answer_comes_back(
    box: SandboxProcess,
    staff: Staff,
) -> None:
    publish_agreements()
    manager = staff("compliance_manager")
    run = to_the_end(start(manager, wave(manager, 1)))
    drain()
    deliver(box)
    application = Application.objects.get()
    assert application.status == "approved"
    assert account_of(application).status == "active"
    assert box.account("OLD-000000")["partyStatus"] == "ACTIVE"
    assert run.status == "done"


def test_an_account_that_is_open_there_is_updated_by_the_same_call(
    box: SandboxProcess,
    staff: Staff,
) -> None:
    """The account was opened by the partner's old system: the provider has it, the portal sends the complete data."""
    publish_agreements()
    manager = staff("compliance_manager")
    batch = wave(manager, 1)
    application = Application.objects.get(batch=batch)
    body = _as_opened_elsewhere(application)
    box.api("POST", "accounts", {"clientAccountId": "OLD-000000", "request": body})
    to_the_end(start(manager, batch))
    drain()
    there = bakkt_crypto().read_account("OLD-000000")
    assert there.pending_update_ids
    assert there.request is not None and there.request.owners[0].phone_number == "+15125550142"
    # No event tells the end of an update's review: reading the record does.
    assert box.flush() == 0
    with later(minutes=11):
        read_back(application)
    assert Application.objects.get().status == "approved"
    assert account_of(application).status == "active"


def _as_opened_elsewhere(application: Application) -> dict[str, Any]:
    """What the old system had sent: the same person, another phone and no investment profile."""
    unsaved = ProviderAccount(application=application, client_account_id="OLD-000000")
    body = payloads.account_request(unsaved).to_wire()
    body["owners"][0]["phoneNumber"] = "+15125550100"
    body.pop("investmentProfile", None)
    return body


def test_opened_with_less_in_grace_completed_later(
    box: SandboxProcess,
    staff: Staff,
) -> None:
    """Opened in grace without a phone and an investment profile; what the customer adds goes as the complete data."""
    publish_agreements()
    manager = staff("compliance_manager")
    box.api("POST", "settings", {"migrating": True})
    bare = {"Mobile": "", "investment_objective": "", "annual_income_range": ""}
    batch = wave(manager, 1, bare, until=clock.today() + timedelta(days=30))
    to_the_end(start(manager, batch, complete_only=False))
    drain()
    deliver(box)
    application = Application.objects.get()
    assert application.status == "approved"
    there = bakkt_crypto().read_account("OLD-000000").request
    assert there is not None and there.investment_profile is None and there.owners[0].phone_number is None
    for step, given in (("contact", answers.CONTACT), ("investment", answers.INVESTMENT)):
        update = onboarding.update_request(
            actor=application.customer.user,
            application_id=application.pk,
            step=step,
            answers=given,
            source="page",
        )
        drain()
        assert box.flush() == 0
        with later(minutes=5):
            read_back(application)
        update.refresh_from_db()
        assert update.status == AccountUpdate.Status.APPLIED
    there = bakkt_crypto().read_account("OLD-000000").request
    assert there is not None and there.investment_profile is not None and there.owners[0].phone_number
    assert cockpit.standing(cockpit.one(batch)).lacking == 0
    # What a customer changes goes by itself: the wave has nothing more of theirs to send.
    with pytest.raises(Conflict, match="Nobody is ready"):
        start(manager, batch)


def test_what_an_open_account_accepted_later_goes_as_an_update(
    box: SandboxProcess,
    staff: Staff,
) -> None:
    publish_agreements()
    manager = staff("compliance_manager")
    batch = wave(manager, 1)
    to_the_end(start(manager, batch))
    drain()
    deliver(box)
    application = Application.objects.get()
    user = application.customer.user
    agreement_publish(name="staking-agreement", version="1", title="Staking", text="You may stake.")
    with pytest.raises(Conflict, match="Nobody is ready"):
        start(manager, batch)
    agreements_accept_pending(
        actor=user,
        accepted={item.agreement.pk: item.agreement.text_sha256 for item in pending_for(user)},
        source="page",
    )
    run = to_the_end(start(manager, batch))
    assert outcomes(run) == [Outcome.UPDATED]
    drain()
    update = AccountUpdate.objects.get()
    assert update.status == AccountUpdate.Status.IN_REVIEW
    box.flush()
    with later(minutes=5):
        read_back(application)
    assert AccountUpdate.objects.get().status == AccountUpdate.Status.APPLIED
    there = bakkt_crypto().read_account("OLD-000000").request
    assert there is not None
    assert {row.name for row in there.owners[0].agreements} >= {"staking-agreement"}
    # The provider has it all: nobody is asked to send it again.
    with pytest.raises(Conflict, match="Nobody is ready"):
        start(manager, batch)


# --- Pages --------------------------------------------------------------------------------------------------


def test_the_pages_from_the_start_to_the_end(manager: User, signed_in: SignedIn) -> None:
    batch = wave(manager, 3, complete=2)
    page = signed_in(manager)
    assert "Hand in the wave" in page.get(f"/staff/imports/{batch.pk}/migration/").content.decode()
    path = f"/staff/imports/{batch.pk}/hand-in/"
    shown = page.get(path).content.decode()
    assert "2 customers can go now" in shown
    assert page.post(path, {"who": "complete", "per_minute": "0"}).status_code == 422
    assert page.post(path, {"who": "nobody", "per_minute": "5"}).status_code == 422
    answer = page.post(path, {"who": "complete", "per_minute": "600"})
    run = HandIn.objects.get()
    assert answer["Location"] == f"{path}{run.pk}/"
    shown = page.get(answer["Location"]).content.decode()
    assert "every 3s" in shown and "Waits for its turn" in shown
    assert "HX-Refresh" not in page.get(f"{path}{run.pk}/progress/")
    assert page.post(f"{path}{run.pk}/pause/").status_code == 302
    assert "Go on" in page.get(f"{path}{run.pk}/").content.decode()
    page.post(f"{path}{run.pk}/go-on/")
    to_the_end(run)
    assert page.get(f"{path}{run.pk}/progress/")["HX-Refresh"] == "true"
    shown = page.get(f"{path}{run.pk}/?outcome=handed_in").content.decode()
    assert shown.count("Handed in") >= 2 and "Handed in to the provider" not in shown
    assert "Nobody here" in page.get(f"{path}{run.pk}/?outcome=failed").content.decode()
    assert "Nothing to start now" in page.get(path).content.decode()
    assert page.post(f"{path}{run.pk}/nonsense/").status_code == 404
    assert page.get(f"{path}{batch.pk}/").status_code == 404


def test_who_may_hand_in(manager: User, staff: Staff, signed_in: SignedIn, customer_user: User) -> None:
    batch = wave(manager, 2)
    run = start(manager, batch)
    path = f"/staff/imports/{batch.pk}/hand-in/"
    for role in ("auditor", "compliance_analyst", "onboarding_agent", "funding_operator"):
        with pytest.raises(Forbidden):
            start(staff(role), batch)
        client = signed_in(staff(role))
        sees = 200 if role == "auditor" else 403
        for address in (path, f"{path}{run.pk}/", f"{path}{run.pk}/progress/"):
            assert client.get(address).status_code == sees, (role, address)
        for word in ("pause", "stop", "go-on"):
            assert client.post(f"{path}{run.pk}/{word}/").status_code == 403
        assert client.post(path, {"who": "complete", "per_minute": "5"}).status_code == 403
    assert signed_in(customer_user).get(path).status_code == 403
    assert Client().get(path).status_code == 302
    run.refresh_from_db()
    assert run.status == "running" and HandIn.objects.count() == 1


def test_the_list_is_paged_at_a_constant_cost(manager: User, signed_in: SignedIn) -> None:
    batch = wave(manager, 30)
    run = start(manager, batch)
    page = signed_in(manager)
    address = f"/staff/imports/{batch.pk}/hand-in/{run.pk}/"
    page.get(address)
    with CaptureQueriesContext(
        connection,
    ) as few:
        page.get(f"{address}?outcome=handed_in")
    with CaptureQueriesContext(connection) as many:
        first = page.get(address)
    assert len(first.context["rows"]) == 25
    # Of a page with rows: the applications, their accounts and their owners besides.
    assert len(many) <= len(few) + 2
    second = page.get(f"{address}{first.context['newer']}")
    assert [item["row"].number for item in second.context["rows"]] == list(range(26, 31))
