"""Signing in and out, failed tries, passwords changed and reset, and the sessions they end."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from portal import clock
from portal.models import AuditEntry, User
from tests.people import PASSWORD, make_customer_user, sign_in
from tests.portal.auth_flows import link_in, log_in, mails_to, signed_in_as

pytestmark = pytest.mark.django_db
OTHER = "another long passphrase"


def actions_about(user: User) -> list[str]:
    return list(
        AuditEntry.objects.filter(subject_id=user.pk).order_by("at", "id").values_list("action", flat=True)
    )


def test_sign_in_and_out_are_audited(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    entry = AuditEntry.objects.get(action="auth.login")
    assert (entry.actor, entry.source, entry.ip) == (customer_user, "browser", "127.0.0.1")
    assert entry.after is not None
    assert entry.after["methods"] == "password"
    client.post("/account/logout/")
    assert signed_in_as(client) == ""
    assert actions_about(customer_user) == ["auth.login", "auth.logout"]


def devices() -> list[Any]:
    """What the trail knows of each sign-in's device, oldest first."""
    entries = AuditEntry.objects.filter(action="auth.login").order_by("at", "id")
    return [(entry.after or {}).get("device", "") for entry in entries]


def test_whoever_signs_in_from_the_same_browser_shares_its_device(
    client: Client, customer_user: User
) -> None:
    log_in(client, customer_user.email)
    kept = client.cookies["device"]
    assert (kept["httponly"], kept["samesite"], kept["max-age"]) == (True, "Lax", 400 * 24 * 3600)
    key = kept.value
    client.post("/account/logout/")
    log_in(client, make_customer_user("Other").email)
    assert client.cookies["device"].value == key
    log_in(Client(), customer_user.email)
    first, second, elsewhere = devices()
    assert first == second != elsewhere
    assert len(first) == 32
    assert key not in first


@pytest.mark.parametrize("key", ["short", "x" * 129, "a key with spaces in it", "clé-clé-clé-clé-clé"])
def test_a_key_that_is_none_is_replaced(client: Client, customer_user: User, key: str) -> None:
    client.cookies["device"] = key
    log_in(client, customer_user.email)
    assert client.cookies["device"].value != key
    assert devices() != [""]


def test_a_browser_that_only_looks_or_fails_to_sign_in_gets_no_key(
    client: Client, customer_user: User
) -> None:
    client.get("/account/login/")
    log_in(client, customer_user.email, "wrong wrong wrong")
    assert "device" not in client.cookies


def test_a_page_asks_for_the_session_and_for_the_person_once_each(staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    client = sign_in(Client(), user)
    for _ in range(2):
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/healthz").status_code == 200
    session, person = (query["sql"] for query in asked)
    assert client.session.session_key in session
    assert user.pk.hex in person.replace("-", "")


def test_a_session_ends_with_its_time_and_with_its_person(staff: Callable[[str], User]) -> None:
    user = staff("auditor")
    client = sign_in(Client(), user)
    assert client.get("/staff/cases/").status_code == 200
    with time_machine.travel(clock.now() + timedelta(hours=13)):
        assert client.get("/staff/cases/").status_code == 302
    again = sign_in(Client(), user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert again.get("/staff/cases/").status_code == 302


def test_signing_out_takes_a_post(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    client.get("/account/logout/")
    assert signed_in_as(client) == str(customer_user.pk)


def test_a_wrong_password_is_audited_without_what_was_typed(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email, "wrong wrong wrong")
    entry = AuditEntry.objects.get(action="auth.login_failed")
    assert (entry.subject_id, entry.actor) == (customer_user.pk, None)
    log_in(client, "my secret passphrase@example.test", "x")
    assert all(
        "secret" not in str(row) for row in AuditEntry.objects.values_list("before", "after", "reason")
    )
    assert signed_in_as(client) == ""


def test_an_unknown_address_is_audited_without_a_subject(client: Client) -> None:
    log_in(client, "nobody@example.test")
    assert AuditEntry.objects.get(action="auth.login_failed").subject_id is None


def test_after_five_wrong_tries_even_the_right_password_waits(client: Client, customer_user: User) -> None:
    for _ in range(5):
        log_in(client, customer_user.email, "wrong wrong wrong")
    assert "Too many failed" in log_in(client, customer_user.email).content.decode()
    assert signed_in_as(client) == ""
    with time_machine.travel(clock.now() + timedelta(minutes=6)):
        log_in(client, customer_user.email)
        assert signed_in_as(client) == str(customer_user.pk)


def test_a_switched_off_account_does_not_sign_in(client: Client, customer_user: User) -> None:
    User.objects.filter(pk=customer_user.pk).update(is_active=False)
    assert log_in(client, customer_user.email).url == "/account/inactive/"
    assert "switched off" in client.get("/account/inactive/").content.decode()
    assert signed_in_as(client) == ""


def test_switching_an_account_off_ends_its_sessions(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    assert client.get("/account/2fa/").status_code == 200
    User.objects.filter(pk=customer_user.pk).update(is_active=False)
    assert client.get("/account/2fa/").status_code == 302


def test_changing_the_password_ends_every_session(client: Client, customer_user: User) -> None:
    other = Client()
    log_in(client, customer_user.email)
    log_in(other, customer_user.email)
    client.post(
        "/account/password/change/", {"oldpassword": PASSWORD, "password1": OTHER, "password2": OTHER}
    )
    for browser in (client, other):
        assert browser.get("/account/2fa/").status_code == 302
    assert "auth.password_changed" in actions_about(customer_user)
    assert mails_to(customer_user.email)[-1]["subject"] == "Your password was changed"


def test_changing_the_password_asks_for_the_old_one(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    client.post("/account/password/change/", {"oldpassword": "wrong", "password1": OTHER, "password2": OTHER})
    customer_user.refresh_from_db()
    assert customer_user.check_password(PASSWORD)


def test_a_reset_link_sets_a_password_once_and_ends_sessions(client: Client, customer_user: User) -> None:
    other = Client()
    log_in(other, customer_user.email)
    client.post("/account/password/reset/", {"email": customer_user.email})
    path = link_in(mails_to(customer_user.email)[0]["text"])
    form = client.get(path, follow=True)
    assert path not in form.request["PATH_INFO"], "the key must leave the address bar"
    client.post(form.request["PATH_INFO"], {"password1": OTHER, "password2": OTHER})

    assert other.get("/account/2fa/").status_code == 302
    assert signed_in_as(client) == "", "a reset link must not sign in past the second factor"
    log_in(client, customer_user.email, OTHER)
    assert signed_in_as(client) == str(customer_user.pk)
    assert "auth.password_reset" in actions_about(customer_user)
    assert "does not work any more" in Client().get(path, follow=True).content.decode()


def test_a_reset_link_runs_out(client: Client, customer_user: User) -> None:
    client.post("/account/password/reset/", {"email": customer_user.email})
    path = link_in(mails_to(customer_user.email)[0]["text"])
    with time_machine.travel(clock.now() + timedelta(hours=25)):
        assert "does not work any more" in client.get(path, follow=True).content.decode()


def test_a_new_address_takes_effect_when_it_is_verified(client: Client, customer_user: User) -> None:
    log_in(client, customer_user.email)
    client.post("/account/email/", {"email": "new@example.test", "action_add": "add"})
    customer_user.refresh_from_db()
    assert customer_user.email != "new@example.test"
    client.post(link_in(mails_to("new@example.test")[0]["text"]))
    customer_user.refresh_from_db()
    assert customer_user.email == "new@example.test"
    assert "auth.email_changed" in actions_about(customer_user)


def test_the_front_door(client: Client, customer_user: User, staff: Callable[[str], User]) -> None:
    assert "Sign in" in client.get("/").content.decode()
    assert sign_in(Client(), customer_user).get("/").status_code == 302
    assert sign_in(Client(), staff("auditor")).get("/").status_code == 302
    assert sign_in(Client(), customer_user).get("/").url != sign_in(Client(), staff("auditor")).get("/").url
