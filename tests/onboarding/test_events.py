"""The provider's words: applied once, in any order, at any time; the unknown waits for a person."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from onboarding import party
from onboarding.models import Application, ProviderAccount
from portal import clock
from portal.models import MailMessage, StatusChange, User
from providers import inbox
from providers.models import ExpectedEvent, InboundEvent
from tests.flow import submitted

pytestmark = pytest.mark.django_db
Account = ProviderAccount.Status
Verdict = Application.Status


@pytest.fixture
def account(customer_user: User) -> ProviderAccount:
    return ProviderAccount.objects.get(application=submitted(customer_user))


def deliver(settings: Any, account: ProviderAccount, status: str, reason: str, **more: Any) -> int:
    """Post a PARTY_EVENT as the provider does, over the intake's own address; returns the HTTP status."""
    body = {
        "requestId": f"r-{status}-{reason}",
        "partnerPartyRef": account.client_account_id,
        "partnerWebhookType": "PARTY_EVENT",
        "partyStatus": status,
        "reasonCode": reason,
        **more,
    }
    response = Client().post(
        f"/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/", json.dumps(body), content_type="application/json"
    )
    return response.status_code


def process() -> None:
    for event_id in inbox.due_ids():
        inbox.process(event_id)


def fresh(account: ProviderAccount) -> ProviderAccount:
    return ProviderAccount.objects.select_related("application").get(pk=account.pk)


def test_enrollment_opens_the_account_even_before_the_answer_to_our_own_call(
    settings: Any, account: ProviderAccount
) -> None:
    assert deliver(settings, account, "ACTIVE", "ENROLLMENT") == 200
    process()
    found = fresh(account)
    assert (found.status, found.application.status) == (Account.ACTIVE, Verdict.APPROVED)
    assert (found.party_status, found.party_reason) == ("ACTIVE", "ENROLLMENT")
    assert ExpectedEvent.objects.get(subject_id=account.pk).state == "met"
    assert MailMessage.objects.filter(subject="Your account is open").count() == 1


def test_ten_copies_are_one_event_and_one_change(settings: Any, account: ProviderAccount) -> None:
    for _ in range(10):
        assert deliver(settings, account, "ACTIVE", "ENROLLMENT") == 200
    process()
    assert InboundEvent.objects.get().deliveries == 10
    assert StatusChange.objects.filter(subject_id=account.pk).count() == 1
    assert MailMessage.objects.filter(subject="Your account is open").count() == 1


@pytest.mark.parametrize(
    ("status", "reason", "ours", "verdict"),
    [
        ("INACTIVE", "RISK_KYC", Account.INACTIVE, Verdict.REJECTED),
        ("INACTIVE", "RISK_OFAC", Account.INACTIVE, Verdict.REJECTED),
        ("INACTIVE", "TAX_ID_MAX_RETRIES", Account.INACTIVE, Verdict.REJECTED),
        ("UNDER_REVIEW", "PENDING_REVIEW", Account.UNDER_REVIEW, Verdict.IN_REVIEW),
        ("UNDER_REVIEW", "DOCUMENT_VERIFICATION", Account.DOCUMENTS_NEEDED, Verdict.ACTION_REQUIRED),
        ("INACTIVE", "DOCUMENT_VERIFICATION", Account.DOCUMENTS_NEEDED, Verdict.ACTION_REQUIRED),
        ("LIQUIDATED", "LIQUIDATE_ACCOUNT", Account.LIQUIDATE_ONLY, Verdict.APPROVED),
        ("CLOSED", "CLOSED", Account.CLOSED, Verdict.REJECTED),
    ],
)
def test_each_pair_of_words(
    settings: Any, account: ProviderAccount, status: str, reason: str, ours: str, verdict: str
) -> None:
    deliver(settings, account, status, reason)
    process()
    assert (fresh(account).status, fresh(account).application.status) == (ours, verdict)


@pytest.mark.parametrize("reason", list(party.REASONS))
@pytest.mark.parametrize(
    "status", ["ACTIVE", "INACTIVE", "SUSPENDED", "LIQUIDATED", "UNDER_REVIEW", "CLOSED"]
)
def test_every_published_pair_maps_to_a_status_of_ours(status: str, reason: str) -> None:
    assert party.account_status(status, reason) in Account.values


@pytest.mark.parametrize(
    ("status", "reason"),
    [("SLEEPING", "ENROLLMENT"), ("ACTIVE", "MOON_PHASE"), ("", ""), ("active", "ENROLLMENT")],
)
def test_unknown_words_are_quarantined_and_change_nothing(
    settings: Any, account: ProviderAccount, status: str, reason: str
) -> None:
    deliver(settings, account, status, reason)
    process()
    event = InboundEvent.objects.get()
    assert event.status == "quarantined"
    assert "not known" in event.outcome
    assert fresh(account).status == Account.PENDING


def test_an_unknown_reference_waits_for_a_person(settings: Any, account: ProviderAccount) -> None:
    account.client_account_id = "PA-ELSE-WHER"
    deliver(settings, account, "ACTIVE", "ENROLLMENT")
    process()
    assert InboundEvent.objects.get().status == "quarantined"


@pytest.mark.parametrize("body", [b"not json", b"[]", b"\x00\xff", b'{"partnerWebhookType": "NEWS"}', b""])
def test_unreadable_bodies_are_stored_and_quarantined(
    settings: Any, account: ProviderAccount, body: bytes
) -> None:
    response = Client().post(
        f"/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/", body, content_type="application/json"
    )
    assert response.status_code == 200
    process()
    assert InboundEvent.objects.get().status == "quarantined"


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_strangers_are_refused_and_leave_no_row(settings: Any, account: ProviderAccount, secret: str) -> None:
    path = f"/webhooks/bakkt/{secret}/" if secret else "/webhooks/bakkt/"
    assert Client().post(path, "{}", content_type="application/json").status_code == 404
    assert Client().post("/webhooks/nobody/x/", "{}", content_type="application/json").status_code == 404
    assert not InboundEvent.objects.exists()


def test_too_large_bodies_are_refused(settings: Any, account: ProviderAccount) -> None:
    body = json.dumps({"padding": "x" * 300_000})
    response = Client().post(
        f"/webhooks/bakkt/{settings.BAKKT_WEBHOOK_SECRET}/", body, content_type="application/json"
    )
    assert response.status_code == 413


def test_a_restriction_always_applies_and_closing_is_final(settings: Any, account: ProviderAccount) -> None:
    for status, reason in [
        ("ACTIVE", "ENROLLMENT"),
        ("SUSPENDED", "COMPLIANCE_LOCKED"),
        ("CLOSED", "CLOSED"),
        ("ACTIVE", "OTHER"),
    ]:
        deliver(settings, account, status, reason)
        process()
    found = fresh(account)
    assert (found.status, found.application.status) == (Account.CLOSED, Verdict.APPROVED)
    assert InboundEvent.objects.get(status="quarantined").outcome.startswith("The account is closed")


def test_a_late_word_of_the_opening_phase_is_held_in_doubt_not_applied(
    settings: Any, account: ProviderAccount
) -> None:
    deliver(settings, account, "ACTIVE", "ENROLLMENT")
    process()
    deliver(settings, account, "UNDER_REVIEW", "PENDING_REVIEW")
    process()
    found = fresh(account)
    assert found.status == Account.ACTIVE
    assert (found.doubt_status, found.doubt_reason) == ("UNDER_REVIEW", "PENDING_REVIEW")
    assert found.next_poll_at is not None
    assert found.next_poll_at <= clock.now()


def test_a_replay_shows_stale_and_has_no_effect(settings: Any, account: ProviderAccount, staff: Any) -> None:
    deliver(settings, account, "UNDER_REVIEW", "PENDING_REVIEW")
    process()
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        deliver(settings, account, "ACTIVE", "ENROLLMENT")
        process()
        first = InboundEvent.objects.order_by("pk").first()
        assert first is not None
        plan = inbox.preview(first)
        assert plan.lines[0].startswith("Stale, no effect")
        inbox.replay(actor=staff("compliance_manager"), event_id=first.pk, reason="checking")
        process()
    assert fresh(account).status == Account.ACTIVE
    assert InboundEvent.objects.get(pk=first.pk).status == "ignored"


def test_a_handler_that_fails_leaves_the_event_visible_and_nothing_half_done(
    settings: Any, account: ProviderAccount, staff: Any
) -> None:
    class Broken:
        def plan(self, event: InboundEvent) -> inbox.Plan:
            return inbox.Plan(inbox.Verdict.APPLY, ["would change"])

        def apply(self, event: InboundEvent, plan: inbox.Plan) -> None:
            ProviderAccount.objects.update(party_status="HALF")
            raise ZeroDivisionError("secret text")

    proper = inbox._handlers["bakkt"]
    inbox.register("bakkt", Broken())
    try:
        deliver(settings, account, "ACTIVE", "ENROLLMENT")
        moment = clock.now()
        for hours in range(6):
            with time_machine.travel(moment + timedelta(hours=hours)):
                process()
    finally:
        inbox.register("bakkt", proper)
    event = InboundEvent.objects.get()
    assert event.status == "failed"
    assert "ZeroDivisionError" in event.outcome
    assert "secret text" not in event.outcome
    assert fresh(account).party_status == ""
    inbox.replay(actor=staff("compliance_manager"), event_id=event.pk, reason="mended")
    process()
    assert fresh(account).status == Account.ACTIVE
