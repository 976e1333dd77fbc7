"""The pages of staff administration: who sees them, what they do, and what tampering comes to."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.test import Client

from portal import clock
from portal.models import AuditEntry, Role, User
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import log_in, mails_to, totp_code

pytestmark = pytest.mark.django_db
Made = Callable[[str], User]
SignedIn = Callable[[User], Client]


@pytest.fixture
def admin(staff: Made) -> User:
    return staff("administrator")


@pytest.fixture
def office(admin: User) -> Client:
    """A browser in which the administrator has just signed in, second factor and all."""
    client = Client()
    log_in(client, admin.email)
    client.post("/account/2fa/authenticate/", {"code": totp_code(admin)})
    return client


def paths(person: User) -> list[tuple[str, dict[str, str]]]:
    base = f"/staff/users/{person.pk}"
    return [
        (f"{base}/role/", {"role-role": "auditor", "role-reason": "x"}),
        (f"{base}/active/", {"active": "off", "active-reason": "x"}),
        (f"{base}/second-factor/", {"factor-reason": "x"}),
        (f"{base}/link/", {}),
    ]


def test_strangers_and_customers_see_nothing(client: Client, signed_in: SignedIn, staff: Made) -> None:
    target = staff("compliance_manager")
    urls = ["/staff/users/", "/staff/users/invite/", f"/staff/users/{target.pk}/"]
    customer = signed_in(make_customer_user())
    for url in urls:
        assert client.get(url).url.startswith("/account/login/"), url
        assert customer.get(url).status_code == 403, url
    for url, data in paths(target):
        assert client.post(url, data).status_code == 302, url
        assert customer.post(url, data).status_code == 403, url
    target.refresh_from_db()
    assert (target.role, target.is_active) == ("compliance_manager", True)


@pytest.mark.parametrize(
    "role", [r for r in Role.values if r not in {"customer", "administrator", "auditor"}]
)
def test_other_staff_see_nothing(signed_in: SignedIn, staff: Made, role: str) -> None:
    browser, target = signed_in(staff(role)), staff("auditor")
    assert browser.get("/staff/users/").status_code == 403
    assert browser.get(f"/staff/users/{target.pk}/").status_code == 403
    assert browser.get("/staff/users/invite/").status_code == 403
    assert [browser.post(url, data).status_code for url, data in paths(target)] == [403] * 4


def test_auditors_look_and_do_not_touch(signed_in: SignedIn, staff: Made) -> None:
    browser, target = signed_in(staff("auditor")), staff("onboarding_agent")
    assert target.email in browser.get("/staff/users/").content.decode()
    page = browser.get(f"/staff/users/{target.pk}/").content.decode()
    assert "Change the role" not in page
    assert "Invite" not in browser.get("/staff/users/").content.decode()
    assert browser.get("/staff/users/invite/").status_code == 403
    assert [browser.post(url, data).status_code for url, data in paths(target)] == [403] * 4


def test_the_list_is_searched_and_filtered(office: Client, staff: Made) -> None:
    agent, customer = staff("onboarding_agent"), make_customer_user("Zoe Customer")
    User.objects.filter(pk=agent.pk).update(name="Maria Lopez")
    whole = office.get("/staff/users/").content.decode()
    assert agent.email in whole
    assert customer.email not in whole, "customers show only when asked for"
    assert agent.email in office.get("/staff/users/?q=lopez mar").content.decode()
    assert "Nobody found" in office.get("/staff/users/?q=nobody").content.decode()
    by_role = office.get("/staff/users/?role=customer").content.decode()
    assert customer.email in by_role
    assert agent.email not in by_role
    assert agent.email in office.get("/staff/users/?role=nonsense").content.decode()


def test_the_list_turns_its_pages(office: Client) -> None:
    for number in range(60):
        User.objects.create_user(f"p{number:02}@example.test", role="auditor")
    first = office.get("/staff/users/")
    assert "p59@example.test" in first.content.decode()
    assert "p00@example.test" not in first.content.decode()
    second = office.get(f"/staff/users/{first.context['older_url']}")
    assert "p00@example.test" in second.content.decode()


def test_inviting_a_colleague(office: Client) -> None:
    data = {"name": "New Person", "email": "new@example.test", "role": "auditor"}
    answer = office.post("/staff/users/invite/", data)
    user = User.objects.get(email="new@example.test")
    assert answer.url == f"/staff/users/{user.pk}/"
    assert "Waiting for a password" in office.get(answer.url).content.decode()
    office.post(f"/staff/users/{user.pk}/link/")
    assert len(mails_to("new@example.test")) == 2
    again = office.post("/staff/users/invite/", data)
    assert again.status_code == 422
    assert "exists already" in again.content.decode()


@pytest.mark.parametrize("role", ["customer", "root", ""])
def test_a_tampered_role_is_refused(office: Client, staff: Made, role: str) -> None:
    target = staff("auditor")
    data = {"name": "N", "email": "new@example.test", "role": role}
    assert office.post("/staff/users/invite/", data).status_code == 422
    answer = office.post(f"/staff/users/{target.pk}/role/", {"role-role": role, "role-reason": "x"})
    assert answer.status_code == 422
    target.refresh_from_db()
    assert target.role == "auditor"
    assert not User.objects.filter(email="new@example.test").exists()


def test_changing_a_role_needs_a_reason_and_shows_in_the_history(office: Client, staff: Made) -> None:
    target = staff("auditor")
    url = f"/staff/users/{target.pk}/role/"
    assert office.post(url, {"role-role": "onboarding_agent"}).status_code == 422
    office.post(url, {"role-role": "onboarding_agent", "role-reason": "Moved teams"})
    target.refresh_from_db()
    assert target.role == "onboarding_agent"
    assert "Moved teams" in office.get(f"/staff/users/{target.pk}/").content.decode()


def test_switching_off_and_on(office: Client, staff: Made) -> None:
    target = staff("auditor")
    url = f"/staff/users/{target.pk}/active/"
    office.post(url, {"active": "off", "active-reason": "Left"})
    target.refresh_from_db()
    assert not target.is_active
    office.post(url, {"active": "on", "active-reason": "Back"})
    target.refresh_from_db()
    assert target.is_active


def test_resetting_a_second_factor(office: Client, staff: Made) -> None:
    target = staff("auditor")
    office.post(f"/staff/users/{target.pk}/second-factor/", {"factor-reason": "Lost phone"})
    assert AuditEntry.objects.get(action="user.second_factor_reset").reason == "Lost phone"
    again = office.post(f"/staff/users/{target.pk}/second-factor/", {"factor-reason": "x"}, follow=True)
    assert again.status_code == 409
    assert "no second factor" in again.content.decode()


def test_administrators_cannot_change_themselves(office: Client, admin: User) -> None:
    page = office.get(f"/staff/users/{admin.pk}/").content.decode()
    assert "This is you" in page
    assert "Change the role" not in page
    for url, data in paths(admin):
        assert office.post(url, data).status_code == 403, url
    admin.refresh_from_db()
    assert (admin.role, admin.is_active) == ("administrator", True)


def test_changes_take_a_post_and_a_fresh_sign_in(office: Client, staff: Made) -> None:
    target = staff("auditor")
    url = f"/staff/users/{target.pk}/active/"
    assert office.get(url).status_code == 405
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        answer = office.post(url, {"active": "off", "active-reason": "Left"})
        assert answer.url.startswith("/account/reauthenticate/")
        target.refresh_from_db()
        assert target.is_active
        office.post(answer.url, {"password": PASSWORD, "next": url})
        target.refresh_from_db()
        assert not target.is_active, "what was asked is done once the password is confirmed"


def test_an_unknown_person_is_404(office: Client) -> None:
    assert office.get("/staff/users/01900000-0000-7000-8000-000000000000/").status_code == 404
