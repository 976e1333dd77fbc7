"""The retention policy: what goes when, what a hold and the law keep, and a night that was cut short."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse

from onboarding.models import Application, Customer, LegalHold, Owner, RetentionPeriod, RetentionRun
from onboarding.privacy import holds, policy, retention
from portal import clock, mail
from portal.errors import Forbidden, Invalid, NotFound
from portal.models import AuditEntry, IdempotentRequest, MailMessage, StatusChange, User
from tests.flow import complete_draft
from tests.onboarding.test_privacy import closed
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LATER = timedelta(days=policy.FIVE_YEARS + 1)


def withdrawn(user: User) -> Application:
    draft = complete_draft(user)
    draft.move_to(Application.Status.WITHDRAWN, actor=user, source="test")
    return draft


def name_of(application: Application) -> str:
    return Owner.objects.get(application=application).given_name


def test_each_class_goes_at_its_time_and_the_trail_stays(customer_user: User) -> None:
    gone, stays = withdrawn(customer_user), complete_draft(make_customer_user())
    account = closed(make_customer_user(), given_name="Bo")
    MailMessage.objects.all().delete()
    mail.send(to=customer_user.email, subject="Hello", template="closure_refused", context={})
    IdempotentRequest.objects.create(user=customer_user, operation="x", key="1", body_digest="0")
    Session.objects.create(session_key="s", session_data="", expire_date=clock.now())
    trail, moves = AuditEntry.objects.count(), StatusChange.objects.count()
    assert retention.carry_out() == 0
    with time_machine.travel(clock.now() + timedelta(days=91)):
        assert retention.carry_out() == 3  # the draft, the answer, the session
        assert (name_of(gone), name_of(stays), name_of(account)) == ("", "Ana", "Bo")
    with time_machine.travel(clock.now() + LATER):
        retention.carry_out()
    assert name_of(account) == "" and not MailMessage.objects.exists()
    # With the last account goes the login; who still has a draft keeps theirs.
    assert not Application.objects.get(pk=account.pk).customer.user.is_active
    assert stays.customer.user.is_active and name_of(stays) == "Ana"
    assert AuditEntry.objects.count() > trail and StatusChange.objects.count() == moves
    entry = AuditEntry.objects.get(action="retention.removed", after__class="accounts_closed")
    assert entry.after["removed"] == 1 and "Bo" not in str(entry.after)


def test_under_a_legal_hold_nothing_goes(customer_user: User, staff: Staff) -> None:
    draft, account = withdrawn(customer_user), closed(make_customer_user())
    mail.send(to=customer_user.email, subject="Hello", template="closure_refused", context={})
    manager = staff("compliance_manager")
    for application in (draft, account):
        holds.hold_place(actor=manager, customer_id=application.customer_id, reason="Subpoena 12")
    with time_machine.travel(clock.now() + LATER):
        retention.carry_out()
        assert name_of(draft) and name_of(account)
        assert MailMessage.objects.filter(to_index=mail.to_index(customer_user.email)).exists()
        holds.hold_lift(actor=manager, customer_id=draft.customer_id, reason="The court closed it")
        retention.carry_out()
        assert name_of(draft) == "" and name_of(account)
        assert LegalHold.objects.filter(lifted_at=None).count() == 1


def test_a_night_that_was_cut_short_is_gone_on_with(
    customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    drafts = [withdrawn(make_customer_user()) for _ in range(3)]
    monkeypatch.setattr(retention, "BATCH", 2)
    work, seen = policy.BY_CODE["drafts_ended"].erase, []

    def dies(row: Any) -> None:
        work(row)
        seen.append(row.pk)
        if len(seen) == 3:
            raise SystemExit("killed")

    monkeypatch.setattr(
        retention, "CLASSES", (policy.DataClass(**(vars(policy.BY_CODE["drafts_ended"]) | {"erase": dies})),)
    )
    with time_machine.travel(clock.now() + timedelta(days=91)):
        with pytest.raises(SystemExit):
            retention.carry_out()
        assert sorted(name_of(row) for row in drafts) == ["", "", "Ana"]
        assert RetentionRun.objects.get().removed == 2  # what is counted is what was done
        assert retention.carry_out() == 1
        assert RetentionRun.objects.get().removed == 3
    entries = AuditEntry.objects.filter(action="retention.removed").order_by("at", "pk")
    assert [entry.after["removed"] for entry in entries] == [2, 1]


def test_periods_are_tried_changed_and_never_below_the_law(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    withdrawn(customer_user)
    manager = staff("compliance_manager")
    client = signed_in(manager)
    page, one = reverse("privacy_staff:retention"), reverse("privacy_staff:period", args=["drafts_ended"])
    with time_machine.travel(clock.now() + timedelta(days=40)):
        client = signed_in(manager)
        assert "31 CFR 1020.220" in client.get(page).content.decode()
        tried = client.post(one, {"days": "30", "act": "try"}).content.decode()
        assert "1 row would go tonight" in tried and not RetentionPeriod.objects.exists()
        client.post(one, {"days": "30", "act": "save"})
        assert policy.days_of("drafts_ended") == 30
        entry = AuditEntry.objects.get(action="retention.period")
        assert (entry.before["days"], entry.after["days"]) == (90, 30)
        assert client.post(one, {"days": "0", "act": "save"}).status_code == 422
        law = reverse("privacy_staff:period", args=["accounts_closed"])
        refused = client.post(law, {"days": "365", "act": "save"})
        assert refused.status_code == 422 and "Use at least 1827 days" in refused.content.decode()
        with pytest.raises(Invalid):
            retention.period_set(actor=manager, code="accounts_closed", days=365)
        with pytest.raises(NotFound):
            retention.period_set(actor=manager, code="everything", days=365)
        assert client.get(reverse("privacy_staff:period", args=["everything"])).status_code == 404
        retention.carry_out()
        assert "1, " in client.get(page).content.decode()
    with pytest.raises(Forbidden):
        retention.period_set(actor=staff("auditor"), code="mails", days=365)
    for role, sees, may in (
        ("auditor", 200, 403),
        ("administrator", 200, 200),
        ("compliance_analyst", 403, 403),
    ):
        client = signed_in(staff(role))
        assert (client.get(page).status_code, client.get(one).status_code) == (sees, may)
    assert Customer.objects.filter(user=customer_user).exists()
