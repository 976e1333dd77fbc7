"""A word that would lift a restriction waits for a person, who sees the change, says why, and applies it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.urls import reverse

from onboarding import jobs
from onboarding.models import ProviderAccount
from portal import clock
from portal.errors import Conflict, Forbidden, IllegalMove, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, MailMessage, StatusChange, User
from portal.permissions import TABLE
from providers import inbox
from providers.models import InboundEvent
from tests.flow import submitted
from tests.onboarding.test_events import deliver, fresh, process

pytestmark = pytest.mark.django_db
Account = ProviderAccount.Status
Staff = Callable[[str], User]
MAY = {"compliance_analyst", "compliance_manager"}


@pytest.fixture
def account(settings: Any, customer_user: User) -> ProviderAccount:
    """Open, then restricted."""
    found = ProviderAccount.objects.get(application=submitted(customer_user))
    for status, reason in (("ACTIVE", "ENROLLMENT"), ("LIQUIDATED", "LIQUIDATE_ACCOUNT")):
        deliver(settings, found, status, reason)
        process()
    assert fresh(found).status == Account.LIQUIDATE_ONLY
    return found


@pytest.fixture
def held(settings: Any, account: ProviderAccount) -> InboundEvent:
    """The word that would lift the restriction, kept aside."""
    deliver(settings, account, "ACTIVE", "OTHER")
    process()
    return InboundEvent.objects.get(status="quarantined")


def seen(event: InboundEvent) -> str:
    plan = inbox.held_plan(event)
    assert plan is not None
    return plan.fingerprint


def address(event: InboundEvent, name: str = "apply") -> str:
    return reverse(f"inbox:{name}", args=[event.pk])


def test_the_change_is_shown_then_made_in_the_persons_name(
    account: ProviderAccount, held: InboundEvent, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    analyst = staff("compliance_analyst")
    client = signed_in(analyst)
    letters = MailMessage.objects.count()
    assert address(held) in client.get(address(held, "detail")).content.decode()
    page = client.get(address(held))
    text = page.content.decode()
    assert "Account status: sell and withdraw only → active (ACTIVE OTHER)." in text
    assert "The customer&#x27;s page then says “Your account is active”. No letter is sent." in text
    assert "this webhook came after it" in text
    assert fresh(account).status == Account.LIQUIDATE_ONLY
    answer = client.post(
        address(held), {"reason": "Bakkt confirmed by phone", "seen": page.context["plan"].fingerprint}
    )
    assert answer.status_code == 302
    found = fresh(account)
    assert (found.status, found.party_status, found.party_reason) == (Account.ACTIVE, "ACTIVE", "OTHER")
    change = StatusChange.objects.get(subject_id=account.pk, new=Account.ACTIVE, old=Account.LIQUIDATE_ONLY)
    assert (change.actor, change.source) == (analyst, "page")
    assert change.reason == "ACTIVE OTHER: Bakkt confirmed by phone"
    entry = AuditEntry.objects.get(action="webhook.apply")
    assert (entry.actor, entry.subject_id, entry.reason) == (analyst, held.pk, "Bakkt confirmed by phone")
    held.refresh_from_db()
    assert held.status == "processed"
    assert held.outcome.startswith("Applied by a person. Account status")
    assert MailMessage.objects.count() == letters
    detail = client.get(address(held, "detail")).content.decode()
    assert "Bakkt confirmed by phone" in detail
    assert address(held) not in detail


@pytest.mark.parametrize("role", [*TABLE, ""])
def test_who_may_apply(
    role: str,
    account: ProviderAccount,
    held: InboundEvent,
    customer_user: User,
    staff: Staff,
    signed_in: Callable[[User], Client],
) -> None:
    actor = customer_user if role == "customer" else staff(role or "auditor")
    client = signed_in(actor) if role else Client()
    given = {"reason": "looked at it", "seen": seen(held)}
    wanted = 200 if role in MAY else 403 if role else 302
    assert client.get(address(held)).status_code == wanted
    if role and role != "customer":
        assert (address(held) in client.get(address(held, "detail")).content.decode()) == (role in MAY)
    assert client.post(address(held), given).status_code == (403 if wanted == 403 else 302)
    assert fresh(account).status == (Account.ACTIVE if role in MAY else Account.LIQUIDATE_ONLY)
    if role and role not in MAY:
        with pytest.raises(Forbidden):
            inbox.apply_held(actor=actor, event_id=held.pk, **given)


def test_without_a_reason_or_the_plan_shown_nothing_changes(
    account: ProviderAccount, held: InboundEvent, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(staff("compliance_manager"))
    assert client.post(address(held), {"reason": " ", "seen": seen(held)}).status_code == 422
    for other in ({}, {"seen": "0" * 16}):
        assert client.post(address(held), {"reason": "looked at it", **other}).status_code == 302
    assert fresh(account).status == Account.LIQUIDATE_ONLY
    held.refresh_from_db()
    assert held.status == "quarantined"


def test_what_happened_since_the_look_is_looked_at_again(
    settings: Any, account: ProviderAccount, held: InboundEvent, staff: Staff
) -> None:
    manager, shown = staff("compliance_manager"), seen(held)
    with time_machine.travel(clock.now() + timedelta(minutes=5)):
        for status, reason in (("SUSPENDED", "COMPLIANCE_LOCKED"), ("LIQUIDATED", "LIQUIDATED")):
            deliver(settings, account, status, reason)
            process()
        assert fresh(account).status == Account.LIQUIDATE_ONLY
        with pytest.raises(Conflict):
            inbox.apply_held(actor=manager, event_id=held.pk, reason="looked at it", seen=shown)
        # Newer than the held word: it is stale by now, and nobody can apply it.
        assert inbox.held_plan(held) is None
    assert fresh(account).status == Account.LIQUIDATE_ONLY


def test_it_is_applied_once(account: ProviderAccount, held: InboundEvent, staff: Staff) -> None:
    manager, shown = staff("compliance_manager"), seen(held)
    inbox.apply_held(actor=manager, event_id=held.pk, reason="looked at it", seen=shown)
    with pytest.raises(Conflict, match="not held any more"):
        inbox.apply_held(actor=manager, event_id=held.pk, reason="looked at it", seen=shown)
    with pytest.raises(NotFound):
        inbox.apply_held(actor=manager, event_id=new_id(), reason="looked at it", seen=shown)
    assert StatusChange.objects.filter(subject_id=account.pk, old=Account.LIQUIDATE_ONLY).count() == 1


def test_words_nobody_knows_cannot_be_applied(
    settings: Any, account: ProviderAccount, staff: Staff, signed_in: Callable[[User], Client]
) -> None:
    deliver(settings, account, "SLEEPING", "ENROLLMENT")
    process()
    event = InboundEvent.objects.get(status="quarantined")
    manager = staff("compliance_manager")
    assert inbox.held_plan(event) is None
    assert signed_in(manager).get(address(event)).status_code == 302
    with pytest.raises(Conflict, match="nothing that can be applied"):
        inbox.apply_held(
            actor=manager, event_id=event.pk, reason="looked at it", seen=inbox.preview(event).fingerprint
        )


def test_nothing_else_lifts_the_restriction(
    account: ProviderAccount, held: InboundEvent, staff: Staff
) -> None:
    inbox.replay(actor=staff("compliance_manager"), event_id=held.pk, reason="again")
    process()
    held.refresh_from_db()
    assert held.status == "quarantined"
    with pytest.raises(IllegalMove, match="Only a person"):
        fresh(account).move_to(Account.ACTIVE, actor=None, source="poll")
    with pytest.raises(IllegalMove, match="Only a person"):
        held.move_to("processed", actor=None)
    assert fresh(account).status == Account.LIQUIDATE_ONLY


@pytest.mark.parametrize(
    ("status", "reason"),
    [("SUSPENDED", "COMPLIANCE_LOCKED"), ("INACTIVE", "OTHER"), ("UNDER_REVIEW", "PENDING_REVIEW")],
)
def test_no_way_round_by_another_status(
    settings: Any, account: ProviderAccount, staff: Staff, status: str, reason: str
) -> None:
    with transaction.atomic():
        locked = jobs.lock_account(account.pk)
        jobs.party_status_apply(locked, party_status=status, reason=reason, source="webhook")
    now = fresh(account).status
    deliver(settings, account, "ACTIVE", "OTHER")
    process()
    assert fresh(account).status == now
    event = InboundEvent.objects.get(status="quarantined")
    # Nor does a reading open it, with the word in doubt or without.
    for doubt in ("", "ACTIVE"):
        with transaction.atomic():
            locked = jobs.lock_account(account.pk)
            locked.can_trade, locked.request_status = True, "COMPLETE"
            locked.doubt_status, locked.doubt_reason = doubt, "OTHER" if doubt else ""
            jobs._apply_reading(locked)
        assert fresh(account).status == now
    with pytest.raises(IllegalMove):
        fresh(account).move_to(Account.ACTIVE, actor=None)
    inbox.apply_held(
        actor=staff("compliance_manager"), event_id=event.pk, reason="They wrote to us", seen=seen(event)
    )
    assert fresh(account).status == Account.ACTIVE
    # Lifted: from now on a suspension may end by the provider's word alone.
    assert not fresh(account).sell_only_stands
