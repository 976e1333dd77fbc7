"""Webhooks on bad days: early, ten times, swapped, unsigned, late, lost, and twelve missing at once."""

import json
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from onboarding import jobs
from onboarding.models import Application, ProviderAccount
from portal import outbox
from portal.models import OutboundCall, StatusChange, User
from providers import inbox
from providers.models import ExpectedEvent, InboundEvent, ProviderOutage
from sandbox.testing import SandboxProcess
from tests.faults.way import (
    account_of,
    assert_opened_once,
    at_once,
    at_sandbox,
    call_of,
    deliver,
    exchanges,
    later,
    look_for_late,
    until_finished,
    wait_for,
)
from tests.flow import complete_draft, drain, submitted
from tests.people import make_customer_user, sign_in

Account = ProviderAccount.Status
Verdict = Application.Status
Status = InboundEvent.Status


def settled(box: SandboxProcess, count: int) -> None:
    """Wait until the sandbox has delivered so many messages."""
    wait_for(lambda: sum(hook["state"] == "delivered" for hook in box.state()["webhooks"]) >= count)


def test_before_the_answer_to_our_own_call(box: SandboxProcess, customer_user: User) -> None:
    """The event is even processed before our call ends, and the answer to the call never comes."""
    application = submitted(customer_user)
    box.fault("webhook_early", "PARTY_EVENT")
    box.fault("hang", "save_account", seconds=60, after_effect=True)

    def as_it_arrives() -> None:
        wait_for(inbox.due_ids)
        inbox.process_due()

    at_once(as_it_arrives, lambda: outbox.perform(call_of(application).pk))
    assert call_of(application).status == OutboundCall.Status.UNKNOWN
    assert account_of(application).status == Account.ACTIVE
    assert account_of(application).application.status == Verdict.APPROVED
    until_finished(application)
    assert_opened_once(box, application)


def test_before_the_answer_processed_after_it(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    box.fault("webhook_early", "PARTY_EVENT")
    outbox.perform(call_of(application).pk)
    assert InboundEvent.objects.get().status == Status.RECEIVED
    assert account_of(application).application.status == Verdict.RECEIVED
    drain()
    assert_opened_once(box, application)


def test_the_same_one_ten_times(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    drain()
    box.fault("webhook_duplicate", "PARTY_EVENT", times=10)
    deliver(box)
    assert InboundEvent.objects.get().deliveries == 10
    assert_opened_once(box, application)


def test_ten_copies_at_the_same_instant(
    box: SandboxProcess, customer_user: User, settings: Any, live_server: Any
) -> None:
    application = submitted(customer_user)
    drain()
    box.fault("webhook_lost", "PARTY_EVENT")
    box.flush()
    body = json.dumps(
        {
            "requestId": "0b1f6f0e-0000-4000-8000-000000000001",
            "partnerPartyRef": application.reference,
            "partnerWebhookType": "PARTY_EVENT",
            "partyStatus": "ACTIVE",
            "reasonCode": "ENROLLMENT",
        }
    )
    address = f"{live_server.url}/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/"
    answers = at_once(*[lambda: requests.post(address, data=body, timeout=10).status_code] * 10)
    assert answers == [200] * 10
    event = InboundEvent.objects.get()
    assert event.deliveries == 10
    at_once(*[lambda: inbox.process(event.pk)] * 10)
    assert InboundEvent.objects.get().attempts == 1
    assert_opened_once(box, application)


@pytest.mark.parametrize(
    ("name", "later_by", "kept"),
    [("Suspend Later", 31, Account.SUSPENDED), ("Review Manual", 31, Account.ACTIVE)],
)
def test_two_in_the_wrong_order_are_settled_by_reading(
    box: SandboxProcess, customer_user: User, name: str, later_by: int, kept: str
) -> None:
    given, family = name.split()
    application = submitted(customer_user, given_name=given, family_name=family)
    drain()
    box.fault("webhook_out_of_order", "PARTY_EVENT")
    box.api("POST", "clock/advance", {"seconds": 501})
    assert not InboundEvent.objects.exists()
    box.api("POST", "clock/advance", {"seconds": later_by})
    settled(box, 2)
    arrived = [json.loads(event.body.reveal()) for event in InboundEvent.objects.order_by("received_at")]
    history = [entry["partyStatus"] for entry in at_sandbox(box, application)[0]["history"]]
    assert [event["partyStatus"] for event in arrived] == history[::-1]

    drain()
    account = account_of(application)
    assert account.status == kept
    assert account.doubt_status == history[0]
    (due,) = jobs.accounts_due()
    assert due == account.pk
    assert jobs.account_read(due) is True
    account = account_of(application)
    assert (account.status, account.doubt_status) == (kept, "")
    assert account.application.status == Verdict.APPROVED
    assert StatusChange.objects.filter(subject_id=account.pk).count() == 1


def test_one_without_the_secret_is_refused_and_comes_again(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    drain()
    box.fault("webhook_unsigned", "PARTY_EVENT")
    assert box.flush() == 1
    (hook,) = box.state()["webhooks"]
    assert [attempt["status"] for attempt in hook["attempts"]] == [404]
    assert not InboundEvent.objects.exists()
    box.api("POST", f"webhooks/{hook['id']}/resend")
    settled(box, 1)
    drain()
    assert_opened_once(box, application)


def test_a_lost_one_is_found_missing_and_read(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    drain()
    box.fault("webhook_lost", "PARTY_EVENT")
    deliver(box)
    assert account_of(application).status == Account.PENDING
    with later(minutes=11):
        assert look_for_late() == 1
        assert look_for_late() == 0
    assert_opened_once(box, application)
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.RECOVERED
    assert not ProviderOutage.objects.exists()


def test_a_late_one_after_recovery_changes_nothing(box: SandboxProcess, customer_user: User) -> None:
    application = submitted(customer_user)
    drain()
    box.fault("webhook_late", "PARTY_EVENT", seconds=7200)
    box.api("POST", "clock/advance", {"seconds": 501})
    with later(minutes=11):
        assert look_for_late() == 1
    assert_opened_once(box, application)
    before = account_of(application).status_at
    deliver(box)
    assert InboundEvent.objects.get().status == Status.IGNORED
    assert account_of(application).status_at == before
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.RECOVERED
    assert_opened_once(box, application)


def test_twelve_late_at_once_are_one_outage(box: SandboxProcess) -> None:
    applications = [submitted(make_customer_user()) for _ in range(12)]
    drain(rounds=2)
    assert len(box.state()["accounts"]) == 12
    box.fault("webhook_lost", "PARTY_EVENT", count=12)
    box.flush()
    box.fault("500_before", "read_status", count=None)

    with later(minutes=11):
        assert look_for_late() == 12
    notice = ProviderOutage.objects.get()
    assert (notice.late_count, notice.ended_at) == (12, None)
    # While it lasts a few are probed, not all.
    with later(minutes=18):
        assert look_for_late() == 2
    assert ProviderOutage.objects.count() == 1
    assert {account_of(one).status for one in applications} == {Account.PENDING}

    box.api("DELETE", "faults")
    moves = (32, 40, 48)
    for minutes in moves:
        with later(minutes=minutes):
            look_for_late()
    assert ProviderOutage.objects.get().ended_at is not None
    for application in applications:
        assert_opened_once(box, application)


def test_a_preview_of_a_replay_tells_and_changes_nothing(
    box: SandboxProcess, customer_user: User, staff: Any
) -> None:
    application = submitted(customer_user, given_name="Review", family_name="Manual")
    drain()
    deliver(box)
    deliver(box)
    first, second = InboundEvent.objects.order_by("received_at")
    changes = StatusChange.objects.count()
    stale, repeated = inbox.preview(first), inbox.preview(second)
    assert stale.verdict == repeated.verdict == inbox.Verdict.NO_EFFECT
    assert stale.lines[0].startswith("Stale, no effect")
    assert StatusChange.objects.count() == changes
    inbox.replay(actor=staff("compliance_manager"), event_id=first.pk, reason="asked by the customer")
    drain()
    assert InboundEvent.objects.get(pk=first.pk).status == Status.IGNORED
    assert_opened_once(box, application)


def test_two_submits_at_once_through_the_pages(box: SandboxProcess, customer_user: User) -> None:
    draft = complete_draft(customer_user)
    tabs = [sign_in(Client(), customer_user) for _ in range(2)]
    address = reverse("customer:review", args=[draft.pk])
    answers = at_once(*[lambda tab=tab: tab.post(address) for tab in tabs])
    after = reverse("customer:application", args=[draft.pk])
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(302, after)] * 2
    # The second press is the same submission, not an error that is told.
    assert not any("messages" in answer.cookies for answer in answers)
    assert OutboundCall.objects.count() == 1
    drain()
    deliver(box)
    assert len(exchanges(box, "save_account")) == 1
    assert_opened_once(box, draft)
    handed_in = StatusChange.objects.filter(subject_id=draft.pk, new=Verdict.SUBMITTED)
    assert handed_in.count() == 1
