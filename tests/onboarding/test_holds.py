"""Our own hold on an account's money: who puts and releases it, what it stops, and who reads what."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import availability, standing
from onboarding.models import AccountHold, Application
from onboarding.services.holds import hold_put, hold_release, holds_put_on_customer
from portal.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of
from tests.flow import complete_draft, submitted
from tests.onboarding.test_updates import opened

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
USES = list(availability.Use.values)


def put(
    actor: User, application: Application, cause: str = "unusual", why: str = "Seen at night"
) -> AccountHold:
    return hold_put(actor=actor, application_id=application.pk, cause=cause, why=why, source="page")


def codes(application: Application, actor: User | None = None) -> dict[str, list[str]]:
    account = account_of(application)
    return {use: [stop.code for stop in availability.can(actor, use, account)] for use in USES}


def test_it_stops_everything_until_each_cause_is_released(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    analyst = staff("compliance_analyst")
    assert codes(application) == {use: [] for use in USES}
    first, second = put(analyst, application), put(analyst, application, "customer", "Lost their phone")
    assert put(analyst, application) == first, "asking twice is asking once"
    assert codes(application) == {use: ["held"] for use in USES}
    account = account_of(application)
    # Staff read each cause, the customer that there is one.
    [mine] = availability.can(customer_user, "deposit", account)
    assert "paused" in mine.text and "Unusual" not in str(mine)
    causes = [stop.text for stop in availability.can(analyst, "deposit", account)]
    assert ["Unusual activity" in causes[0], "At the customer" in causes[1]] == [True, True]
    assert "we hold its money" in standing.ball(account.application).line
    customer = signed_in(customer_user)
    page = customer.get(f"/applications/{application.pk}/").content.decode()
    assert "Your account is paused" in page and "Unusual" not in page
    told = customer.get(f"/api/v1/applications/{application.pk}").json()["account"]
    assert told["held_at"] and [stop["code"] for stop in told["stops"]["withdraw"]] == ["held"]

    hold_release(actor=analyst, hold_id=first.pk, why="It was their holiday", source="page")
    assert codes(application) == {use: ["held"] for use in USES}
    with pytest.raises(IllegalMove):
        hold_release(actor=analyst, hold_id=first.pk, why="Once more", source="page")
    hold_release(actor=staff("compliance_manager"), hold_id=second.pk, why="Has a new phone", source="page")
    assert codes(application) == {use: [] for use in USES}
    assert account_of(application).held_at is None
    trail = AuditEntry.objects.filter(subject_id=application.pk, action__startswith="account.hold")
    assert [row.action for row in trail.order_by("at")] == ["account.hold"] * 2 + ["account.hold_release"] * 2


@pytest.mark.parametrize(
    ("status", "can_trade", "stops"),
    [
        ("pending", None, "not_open not_open not_open not_open"),
        ("under_review", None, "not_open not_open not_open not_open"),
        ("documents_needed", None, "not_open not_open not_open not_open"),
        ("inactive", False, "switched_off switched_off switched_off switched_off"),
        ("suspended", True, "suspended suspended suspended suspended"),
        ("closed", True, "closed closed closed closed"),
        ("liquidate_only", True, "sell_only - sell_only -"),
        ("active", False, "disabled disabled disabled disabled"),
        ("active", True, "- - - -"),
        ("active", None, "- - - -"),
    ],
)
def test_what_the_provider_s_status_stops(
    customer_user: User, staff: Staff, status: str, can_trade: bool | None, stops: str
) -> None:
    account = account_of(submitted(customer_user))
    account.status, account.can_trade = status, can_trade
    found = [[stop.code for stop in availability.can(customer_user, use, account)] for use in USES]
    assert found == [[] if word == "-" else [word] for word in stops.split()]
    assert [stop.code for stop in availability.can(customer_user, "deposit", None)] == ["not_open"]
    # Nobody of ours is told to write to us.
    told = availability.can(staff("compliance_analyst"), "deposit", account)
    assert "Write to us" not in " ".join(map(str, told))


def test_who_may_and_when(customer_user: User, staff: Staff) -> None:
    draft = complete_draft(customer_user)
    analyst = staff("compliance_analyst")
    with pytest.raises(NotFound):
        put(analyst, draft)
    application = submitted(customer_user)
    for role in ("onboarding_agent", "funding_operator", "auditor", "administrator"):
        with pytest.raises(Forbidden):
            put(staff(role), application)
    with pytest.raises(Forbidden):
        put(customer_user, application)
    for wrong in ({"cause": "moon"}, {"why": " no "}, {"why": "x" * 1001}):
        with pytest.raises(Invalid):
            put(analyst, application, **wrong)
    assert not AccountHold.objects.exists()
    hold = put(analyst, application)
    with pytest.raises(Forbidden):
        hold_release(actor=staff("auditor"), hold_id=hold.pk, why="Not mine", source="page")
    with pytest.raises(NotFound):
        hold_release(actor=analyst, hold_id=new_id(), why="A reason", source="page")
    account = account_of(application)
    account.move_to("closed", actor=None, source="webhook")
    with pytest.raises(Conflict, match="closed"):
        put(analyst, application, "other")
    how = {"cause": "sanctions", "why": "On the list", "case_reference": "CS-1"}
    assert holds_put_on_customer(actor=analyst, account=account, **how) == 0


def test_the_page(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    path = reverse("staff:holds", args=[application.pk])
    desk = signed_in(staff("compliance_analyst"))
    assert path in desk.get(reverse("staff:application", args=[application.pk])).content.decode()
    assert desk.post(path, {"cause": "", "why": "x"}).status_code == 422
    assert desk.post(path, {"cause": "other", "why": "Asked by the bank"}).status_code == 302
    page = desk.get(path).content.decode()
    assert "Asked by the bank" in page and "Held by us since" in page
    hold = AccountHold.objects.get()
    release = reverse("staff:hold_release", args=[application.pk, hold.pk])
    assert signed_in(staff("auditor")).post(release, {"why": "A reason"}).status_code == 403
    assert desk.post(reverse("staff:hold_release", args=[application.pk, new_id()])).status_code == 404
    assert "in 5 to" in desk.post(release, {"why": ""}, follow=True).content.decode()
    assert "Released by" in desk.post(release, {"why": "The bank is content"}, follow=True).content.decode()
    timeline = desk.get(reverse("staff:application", args=[application.pk])).content.decode()
    assert "Money of the account held by us" in timeline and "A hold of ours released" in timeline
    assert signed_in(customer_user).get(path).status_code in {302, 403}
    assert Client().get(path).status_code == 302
