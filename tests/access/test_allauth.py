"""Django-allauth's own addresses, for every role and for staff without their second factor, against their own table."""

import logging
from collections.abc import Iterator

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from django.conf import settings
from django.db import transaction
from django.http import HttpResponse
from django.template.backends.django import Template
from django.test import Client
from django.urls import reverse

from portal.models import Role, User
from tests.access.allauth import ANY, BEFORE_FACTOR, PAGES, REST, TO_ENROL
from tests.access.table import ALLAUTH
from tests.access.walk import Undone, patterns
from tests.people import make_customer_user, make_staff
from tests.portal.auth_flows import log_in, signed_in_as, totp_code

pytestmark = pytest.mark.django_db
NOBODY, NOT_SHOWN, NONE_YET = "nobody", "staff, factor not shown", "staff, no factor yet"
TABLE = PAGES | REST
#: Of one-time links that lead nowhere.
LINKS = {
    "account_confirm_email": "/account/confirm-email/none/",
    "account_reset_password_from_key": "/account/password/reset/key/1-none/",
}
KEYS = {"mfa_remove_webauthn": "remove", "mfa_edit_webauthn": "edit"}
LED_TO = {
    "/": "home",
    "/account/login/": "sign in",
    "/account/2fa/": "set up a factor",
    "/account/2fa/reauthenticate/": "show the factor",
}
STATUSES = {
    200: "open", 400: "open", 401: "sign in", 404: "not there", 405: "no such method", 409: "midway", 410: "no session",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _only_the_answer(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Template, "render", lambda *_, **__: "")
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def sessions() -> dict[str, str]:
    """The session of each, by its key: staff and a customer signed in with a code, two of the staff without one."""
    customer = make_customer_user()
    totp.TOTP.activate(customer, totp.generate_totp_secret())
    people = {role: make_staff(role) for role in Role.values if role != Role.CUSTOMER}
    found = {NOBODY: ""} | {
        role: _by_code(user) for role, user in (people | {Role.CUSTOMER: customer}).items()
    }
    without = make_staff(Role.COMPLIANCE_MANAGER)
    Authenticator.objects.filter(user=without).delete()
    for name, user in ((NOT_SHOWN, make_staff(Role.COMPLIANCE_MANAGER)), (NONE_YET, without)):
        client = Client()
        client.force_login(user)
        found[name] = client.cookies[settings.SESSION_COOKIE_NAME].value
    return found


def _by_code(user: User) -> str:
    RecoveryCodes.activate(user)
    client = Client()
    log_in(client, user.email)
    client.post("/account/2fa/authenticate/", {"code": totp_code(user)})
    assert signed_in_as(client) == str(user.pk)
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def _addresses() -> dict[str, str]:
    """Where each is; that of a key is another's."""
    owner = make_customer_user("Ben Okri")
    key = Authenticator.objects.create(user=owner, type=Authenticator.Type.WEBAUTHN, data={"name": "Mine"})
    found = {name for name, _ in patterns() if name.startswith(ALLAUTH)}
    assert found == set(TABLE), (
        "an address of allauth's came or went: say in tests/access/allauth.py who opens it"
    )
    others = LINKS | {name: f"/account/2fa/webauthn/keys/{key.pk}/{word}/" for name, word in KEYS.items()}
    return {name: others.get(name) or reverse(name) for name in found}


def _asked(name: str, method: str, path: str, session: str) -> str:
    """What the address answers, in a word; nothing of the request stays. Signing out takes the client with it."""
    client = Client(headers={"X-Session-Token": session} if session and name in REST else None)
    if session and name in PAGES:
        client.cookies[settings.SESSION_COOKIE_NAME] = session
    form = "application/json" if name in REST else "application/x-www-form-urlencoded"
    found = "fault"
    try:
        with transaction.atomic():
            client.raise_request_exception = False
            found = _word(client.generic(method, path, b"", content_type=form))
            raise Undone
    except Undone:
        return found


def _word(response: HttpResponse) -> str:
    if response.status_code == 302:
        return LED_TO.get(response["Location"].partition("?")[0], "open")
    return STATUSES.get(response.status_code, str(response.status_code))


def _expected(who: str, name: str, word: str) -> set[str]:
    """What the table's word comes to for them."""
    if word == "off":
        return {"not there"}
    if who in {NOT_SHOWN, NONE_YET} and name not in BEFORE_FACTOR | {
        "headless:openapi_yaml",
        "headless:openapi_json",
    }:
        if name in REST:
            return {"no session"}
        if who == NOT_SHOWN:
            return {"show the factor"}
        if name not in TO_ENROL:
            return {"set up a factor"}
    signed_in = who != NOBODY
    return {
        "public": {"open", "not there"} if name in LINKS else {"open"},
        # To sign in by a passkey with none at hand leads to the page that asks for one.
        "stranger": {"home"} if signed_in else {"sign in" if name == "mfa_login_webauthn" else "open"},
        # A factor that was set up or taken away leads to the list of them.
        "signed in": {"open", "set up a factor"} if signed_in else {"sign in", "midway"},
        "own": {"not there"} if signed_in else {"sign in"},
        "midway": {"sign in", "home", "midway"},
        "leave": {"sign in"},
    }[word]


def test_each_address_is_opened_by_whom_the_table_says(sessions: dict[str, str]) -> None:
    wrong = []
    for name, path in _addresses().items():
        for method, word in TABLE[name].items():
            for who, session in sessions.items():
                found = _asked(name, method, path, session)
                if found not in _expected(who, name, word):
                    wrong.append(f"{name} {method} as {who} ({word}): {found}")
    assert not wrong, "\n".join(sorted(wrong))


def test_a_method_that_is_not_declared_does_nothing(sessions: dict[str, str]) -> None:
    """allauth looks at what is sent before it looks at the method: what is refused for its form is refused."""
    wrong = []
    for name, path in _addresses().items():
        # Django takes PUT to a page with a form for POST, and a page that needs a link shows what is wrong with it.
        methods = set(ANY) - set(TABLE[name]) - ({"PUT"} if name in PAGES else set())
        for method in methods if name not in LINKS else ():
            for who in (NOBODY, Role.CUSTOMER, Role.ADMINISTRATOR):
                client = Client(
                    headers={"X-Session-Token": sessions[who]} if name in REST and sessions[who] else None
                )
                if sessions[who]:
                    client.cookies[settings.SESSION_COOKIE_NAME] = sessions[who]
                status = client.generic(method, path, b"", content_type="application/json").status_code
                if not 300 <= status < 500:
                    wrong.append(f"{name} {method} as {who}: {status}")
    assert not wrong, "\n".join(sorted(wrong))
