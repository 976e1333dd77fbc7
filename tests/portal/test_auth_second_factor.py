"""Second factors: staff must have shown one in the very session; customers may have one."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client

from portal import clock
from portal.auth.adapter import reseal_authenticators
from portal.auth.backend import Backend
from portal.auth.factors import has_second_factor
from portal.models import AuditEntry, User
from portal.sealed import parse_ring
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import code_of, log_in, mails_to, signed_in_as, totp_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def newcomer(staff: Callable[[str], User]) -> User:
    """A member of staff who has a password and no second factor yet."""
    user = staff("administrator")
    Authenticator.objects.filter(user=user).delete()
    return user


def enrol(client: Client) -> str:
    """Set up an authenticator app; the secret."""
    page = client.get("/account/2fa/totp/activate/")
    secret = str(page.context["form"].secret)
    client.post("/account/2fa/totp/activate/", {"code": code_of(secret)})
    return secret


def test_staff_without_a_second_factor_can_only_set_one_up(client: Client, newcomer: User) -> None:
    log_in(client, newcomer.email)
    assert signed_in_as(client) == str(newcomer.pk)
    for path in ("/", "/staff/users/", "/account/email/", "/account/2fa/recovery-codes/"):
        assert client.get(path).url == "/account/2fa/", path
    assert client.get("/account/2fa/").status_code == 200
    assert client.get("/account/2fa/totp/activate/").status_code == 200
    assert client.get("/account/2fa/webauthn/add/").status_code == 200


def test_recovery_codes_alone_do_not_count(client: Client, newcomer: User) -> None:
    RecoveryCodes.activate(newcomer)
    log_in(client, newcomer.email)
    assert client.get("/staff/users/").url == "/account/2fa/"


@pytest.mark.django_db(transaction=True)
def test_enrolling_opens_the_session_that_enrolled_and_no_other(client: Client, newcomer: User) -> None:
    thief = Client()
    log_in(thief, newcomer.email)
    log_in(client, newcomer.email)
    enrol(client)
    assert client.get("/staff/users/").status_code == 200
    assert AuditEntry.objects.filter(action="auth.second_factor_added", subject_id=newcomer.pk).count() == 2
    assert mails_to(newcomer.email)[-1]["subject"] == "Authenticator app turned on"

    # The thief knows the password, so confirming it must lead nowhere either.
    thief.post("/account/reauthenticate/", {"password": PASSWORD})
    for path in (
        "/staff/users/",
        "/account/2fa/recovery-codes/",
        "/account/2fa/webauthn/add/",
        "/account/email/",
    ):
        assert thief.get(path).url.startswith("/account/2fa/reauthenticate/"), path
    session_key = thief.cookies["sessionid"].value
    answer = thief.get(
        "/api/auth/app/v1/account/authenticators/recovery-codes", headers={"X-Session-Token": session_key}
    )
    assert answer.status_code == 410


def test_showing_the_factor_opens_an_older_session(
    client: Client, newcomer: User, staff: Callable[[str], User]
) -> None:
    user = staff("administrator")
    client.force_login(user)
    page = client.get("/staff/users/").url
    assert page.startswith("/account/2fa/reauthenticate/")
    assert client.post(page, {"code": totp_code(user), "next": "/staff/users/"}).url == "/staff/users/"
    assert client.get("/staff/users/").status_code == 200


def test_sign_in_with_an_authenticator_app(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("administrator")
    assert log_in(client, user.email).url == "/account/2fa/authenticate/"
    assert signed_in_as(client) == ""
    client.post("/account/2fa/authenticate/", {"code": "000000"})
    assert AuditEntry.objects.get(action="auth.second_factor_failed").subject_id == user.pk
    assert signed_in_as(client) == ""
    assert client.post("/account/2fa/authenticate/", {"code": totp_code(user)}).url == "/"
    assert client.get("/staff/users/").status_code == 200
    after = AuditEntry.objects.get(action="auth.login").after
    assert after is not None
    assert after["methods"] == "password, totp"


def test_a_code_works_once(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    with time_machine.travel(clock.now(), tick=False):
        code = totp_code(user)
        for browser, expected in ((client, str(user.pk)), (Client(), "")):
            log_in(browser, user.email)
            browser.post("/account/2fa/authenticate/", {"code": code})
            assert signed_in_as(browser) == expected


def test_an_old_code_is_refused(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    with time_machine.travel(clock.now() - timedelta(minutes=2), tick=False):
        code = totp_code(user)
    log_in(client, user.email)
    client.post("/account/2fa/authenticate/", {"code": code})
    assert signed_in_as(client) == ""


def test_guessing_codes_is_limited(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    log_in(client, user.email)
    for _ in range(5):
        client.post("/account/2fa/authenticate/", {"code": "000000"})
    client.post("/account/2fa/authenticate/", {"code": totp_code(user)})
    assert signed_in_as(client) == ""


def test_a_recovery_code_works_once_and_is_audited(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    code = RecoveryCodes.activate(user).get_unused_codes()[0]
    for browser, expected in ((client, str(user.pk)), (Client(), "")):
        log_in(browser, user.email)
        browser.post("/account/2fa/authenticate/", {"code": code})
        assert signed_in_as(browser) == expected
    assert AuditEntry.objects.filter(action="auth.recovery_code_used", subject_id=user.pk).count() == 1


def test_staff_keep_their_last_factor(client: Client, staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    log_in(client, user.email)
    client.post("/account/2fa/authenticate/", {"code": totp_code(user)})
    client.post("/account/2fa/totp/deactivate/")
    assert Authenticator.objects.filter(user=user, type="totp").exists()


@pytest.mark.django_db(transaction=True)
def test_a_customer_may_turn_it_on_and_off(client: Client) -> None:
    user = make_customer_user()
    log_in(client, user.email)
    enrol(client)
    other = Client()
    assert log_in(other, user.email).url == "/account/2fa/authenticate/"
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=user).exists()
    assert AuditEntry.objects.filter(action="auth.second_factor_removed", subject_id=user.pk).exists()


def test_sensitive_changes_ask_again_when_the_sign_in_is_old(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    assert client.get("/account/2fa/totp/activate/").status_code == 200
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert client.get("/account/2fa/totp/activate/").url.startswith("/account/reauthenticate/")
        client.post("/account/reauthenticate/", {"password": PASSWORD})
        assert client.get("/account/2fa/totp/activate/").status_code == 200


def test_secrets_are_sealed_and_follow_the_key(staff: Callable[[str], User], settings: Any) -> None:
    user = staff("auditor")
    RecoveryCodes.activate(user)
    before = totp_code(user)
    for row in Authenticator.objects.filter(user=user):
        assert "JBSW" not in str(row.data)
    new = f"new:{'A' * 43}="
    settings.SEAL_KEYS = f"{new},{settings.SEAL_KEYS}"
    assert reseal_authenticators() == 2
    assert reseal_authenticators() == 0
    settings.SEAL_KEYS = new
    assert list(parse_ring(settings.SEAL_KEYS)) == ["new"]
    assert totp_code(user) == before


def test_what_was_read_with_the_person_is_believed_once(staff: Callable[[str], User]) -> None:
    user = Backend().get_user(staff("auditor").pk)
    Authenticator.objects.filter(user=user).delete()
    assert [has_second_factor(user) for _ in range(2)] == [True, False]
