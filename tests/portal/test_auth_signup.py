"""Signing up: always a customer, only with a verified address, and without telling who has an account."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from portal.models import AuditEntry, MailMessage, Role, User
from tests.people import PASSWORD, make_customer_user
from tests.portal.auth_flows import link_in, log_in, mails_to, signed_in_as

pytestmark = pytest.mark.django_db
NEW = {"name": "Ana Ortiz", "email": "ana@example.test", "password1": PASSWORD}


def test_signing_up_verifying_and_signing_in(client: Client) -> None:
    answer = client.post("/account/signup/", NEW)
    assert answer.url == "/account/confirm-email/"
    user = User.objects.get(email="ana@example.test")
    assert (user.name, user.role, signed_in_as(client)) == ("Ana Ortiz", Role.CUSTOMER, "")

    path = link_in(mails_to("ana@example.test")[0]["text"])
    assert b"ana@example.test" in client.get(path).content
    assert not EmailAddress.objects.get(user=user).verified, "opening the link alone must not verify"
    assert client.post(path).status_code == 302
    assert EmailAddress.objects.get(user=user).verified

    browser = Client()
    assert log_in(browser, "ana@example.test").url == "/"
    assert signed_in_as(browser) == str(user.pk)
    actions = set(AuditEntry.objects.filter(subject_id=user.pk).values_list("action", flat=True))
    assert actions >= {"auth.signed_up", "auth.email_confirmed", "auth.login"}


def test_the_link_leads_to_the_portal_whatever_host_asked(client: Client) -> None:
    client.post("/account/signup/", NEW, headers={"host": "127.0.0.1"})
    assert "http://localhost:8000/account/confirm-email/" in mails_to("ana@example.test")[0]["text"]


def test_without_verification_there_is_no_session(client: Client) -> None:
    client.post("/account/signup/", NEW)
    assert log_in(Client(), "ana@example.test").url == "/account/confirm-email/"
    assert signed_in_as(client) == ""


@pytest.mark.parametrize(
    "extra", [{"role": "administrator"}, {"is_active": "1", "role": "auditor", "is_staff": "1"}]
)
def test_the_role_is_never_read_from_input(client: Client, extra: dict[str, str]) -> None:
    client.post("/account/signup/", NEW | extra)
    assert User.objects.get(email="ana@example.test").role == Role.CUSTOMER


@pytest.mark.parametrize(
    "name", ["Win at http://evil.test", "mail me@evil.test", "www.evil.test", "<b>Ana</b>"]
)
def test_a_name_carries_no_link_into_our_mails(client: Client, name: str) -> None:
    assert client.post("/account/signup/", NEW | {"name": name}).status_code == 200
    assert not User.objects.exists()


@pytest.mark.parametrize("password", ["short", "password1234", "ana@example.test"])
def test_weak_passwords_are_refused(client: Client, password: str) -> None:
    assert client.post("/account/signup/", NEW | {"password1": password}).status_code == 200
    assert not User.objects.exists()


def test_signing_up_with_a_taken_address_answers_as_with_a_free_one(client: Client) -> None:
    taken = make_customer_user()
    free_answer = client.post("/account/signup/", NEW)
    taken_answer = Client().post("/account/signup/", NEW | {"email": taken.email.upper()})
    assert (free_answer.status_code, free_answer.url) == (taken_answer.status_code, taken_answer.url)
    assert User.objects.filter(email__iexact=taken.email).count() == 1
    assert [mail["subject"] for mail in mails_to(taken.email)] == ["You have an account already"]


def test_asking_for_a_new_password_answers_alike_for_known_and_unknown(client: Client) -> None:
    known = make_customer_user()
    answers = [
        client.post("/account/password/reset/", {"email": email})
        for email in (known.email, "no@example.test")
    ]
    assert len({(answer.status_code, answer.url) for answer in answers}) == 1
    assert [mail["subject"] for mail in mails_to("no@example.test")] == [
        "There is no account with this address"
    ]


def test_wrong_password_and_unknown_address_look_the_same(client: Client) -> None:
    known = make_customer_user()
    pages = [
        log_in(client, email, "not the password").content.decode()
        for email in (known.email, "no@example.test")
    ]
    told = [page.replace(known.email, "X").replace("no@example.test", "X") for page in pages]
    assert "not correct" in told[0]
    strip = [[line for line in page.splitlines() if "csrfmiddlewaretoken" not in line] for page in told]
    assert strip[0] == strip[1]


def test_signed_in_people_are_sent_away_from_sign_up(client: Client) -> None:
    client.force_login(make_customer_user())
    assert client.get("/account/signup/").url == "/"
    assert MailMessage.objects.count() == 0
