"""The mail page and the codes of the demo's staff: only in development."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from portal import mail
from portal.auth.demo import enrol_totp
from portal.auth.factors import has_second_factor
from portal.models import MailMessage, User
from tests.portal.auth_flows import code_of, log_in, signed_in_as

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture
def mails() -> list[MailMessage]:
    context = {
        "name": "Ana",
        "role": "Auditor",
        "link": "http://localhost:8000/x/y/",
        "hours": 24,
        "is_staff_member": 1,
    }
    for to in ("first@example.test", "second@example.test"):
        mail.send(to=to, subject=f"To {to}", template="staff_invitation", context=context)
    return list(MailMessage.objects.order_by("created_at"))


def test_mails_are_listed_newest_first_and_filtered(client: Client, mails: list[MailMessage]) -> None:
    page = client.get("/dev/mail/").content.decode()
    assert page.index("To second@example.test") < page.index("To first@example.test")
    page = client.get("/dev/mail/?to=FIRST").content.decode()
    assert "To first@example.test" in page
    assert "To second@example.test" not in page
    assert "No message" in client.get("/dev/mail/?to=nobody").content.decode()


def test_links_of_a_mail_are_clickable(client: Client, mails: list[MailMessage]) -> None:
    page = client.get(f"/dev/mail/{mails[0].pk}/").content.decode()
    assert 'href="http://localhost:8000/x/y/"' in page


def test_nothing_of_it_in_production(
    client: Client, mails: list[MailMessage], settings: Any, staff: Callable[[str], User]
) -> None:
    settings.ENVIRONMENT, settings.DEBUG = "production", False
    for path in ("/dev/mail/", f"/dev/mail/{mails[0].pk}/", "/dev/totp/auditor/"):
        assert client.get(path).status_code == 404, path
    with pytest.raises(RuntimeError):
        enrol_totp(staff("auditor"), SECRET)


def test_codes_show_for_demo_accounts_only(
    client: Client, settings: Any, staff: Callable[[str], User]
) -> None:
    settings.DEBUG = True
    demo, real = staff("auditor"), staff("auditor")
    Authenticator.objects.filter(user=demo).delete()
    enrol_totp(demo, SECRET)
    enrol_totp(demo, SECRET)
    assert has_second_factor(demo)
    page = client.get("/dev/totp/auditor/").content.decode()
    assert demo.email in page
    assert real.email not in page
    log_in(client, demo.email)
    client.post("/account/2fa/authenticate/", {"code": code_of(SECRET)})
    assert signed_in_as(client) == str(demo.pk)


def test_codes_do_not_show_without_debug(client: Client, settings: Any) -> None:
    settings.DEBUG = False
    assert client.get("/dev/totp/auditor/").status_code == 404
    settings.DEBUG = True
    assert client.get("/dev/totp/auditor/").status_code == 200
    assert client.get("/dev/totp/nonsense/").status_code == 404
