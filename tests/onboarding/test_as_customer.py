"""Staff look at the customer's own page: the same words, nothing alive, recorded, and nothing mixed up."""

import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.db import InternalError
from django.test import Client

from onboarding import as_customer, second_person
from onboarding.models import Application
from portal import audit
from portal.models import AuditEntry, User
from tests.flow import complete_draft, submitted
from tests.onboarding import journeys
from tests.onboarding.papers_support import upload_all
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


class Alive(HTMLParser):
    """What one could press."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in {"form", "script", "iframe"} or (
            tag in {"input", "button", "select", "textarea"} and "disabled" not in given
        ):
            self.found.append(f"{tag} {given}")
        if any(name.startswith(("hx-", "on", "data-")) for name in given):
            self.found.append(f"{tag} {given}")
        if tag == "a" and given.get("href") and "/as-customer/" not in str(given["href"]):
            self.found.append(f"a {given}")


def alive(page: str) -> list[str]:
    parser = Alive()
    parser.feed(page)
    return parser.found


def address(application: Application, page: str = "") -> str:
    return f"/staff/applications/{application.pk}/as-customer/{page}"


def test_it_is_what_the_customer_reads_and_nothing_can_be_pressed(
    customer_user: User, staff: Staff, signed_in: SignIn, settings: Any, tmp_path: Path
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    application = journeys.trust(customer_user)
    upload_all(customer_user, application)
    analyst = staff("compliance_analyst")
    client = signed_in(analyst)
    session = client.cookies["sessionid"].value
    before = AuditEntry.objects.count()
    for page, words in (
        ("home", "Open another account"),
        ("papers", "Upload one or several at once"),
        ("details", "Details"),
    ):
        answer = client.get(address(application, f"{page}/"))
        assert answer.status_code == 200
        assert words in answer.content.decode()
        shown = as_customer.shown(analyst, application, page)[1]
        assert len(shown) > 300
        assert alive(shown) == []
        assert "csrfmiddlewaretoken" not in shown
        assert "/files/" not in shown
        assert set(answer.cookies) <= {"csrftoken"}  # of the staff's own menu
        assert answer["Cache-Control"] == "no-store"
    assert client.cookies["sessionid"].value == session
    assert AuditEntry.objects.count() == before + 3
    entry = AuditEntry.objects.filter(action="customer.viewed_as").latest("at")
    assert (entry.actor, entry.subject_id, entry.after) == (analyst, application.pk, {"page": "details"})
    ruled_out = second_person.about((Application, ""))([application.pk])
    assert ruled_out == {application.pk: {analyst.pk: second_person.VIEWED}}


def test_where_it_stands_and_where_a_draft_leads(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = complete_draft(customer_user)
    client = signed_in(staff("auditor"))
    # A draft leads to a form, where what was typed is the customer's alone.
    text = client.get(address(application)).content.decode()
    assert "The customer is on another page now" in text
    assert "Withdraw it" in text
    done = submitted(make_customer_user("Bo"))
    text = re.sub(r"\s+", " ", client.get(address(done)).content.decode())
    own = re.sub(r"\s+", " ", signed_in(done.customer.user).get(f"/applications/{done.pk}/").content.decode())
    for words in re.findall(r"<p>([^<]{20,})</p>", own[own.index('id="status"') : own.index("</main>")]):
        assert words in text


@pytest.mark.parametrize("role", ["customer", "funding_operator", "administrator"])
def test_others_do_not_look(customer_user: User, staff: Staff, signed_in: SignIn, role: str) -> None:
    application = submitted(customer_user)
    user = customer_user if role == "customer" else staff(role)
    assert signed_in(user).get(address(application)).status_code == 403
    assert not AuditEntry.objects.filter(action="customer.viewed_as").exists()


def test_it_is_read_only_and_of_the_pages_that_are_shown_alone(
    customer_user: User, staff: Staff, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = submitted(customer_user)
    client = signed_in(staff("compliance_analyst"))
    assert client.post(address(application)).status_code == 405
    assert client.get(address(application, "withdraw/")).status_code == 404
    stranger = address(application).replace(str(application.pk), str(customer_user.pk))
    assert client.get(stranger).status_code == 404
    monkeypatch.setattr(
        "onboarding.views.customer._status_context",
        lambda row: audit.record("customer.read", subject=row, actor=None),
    )
    with pytest.raises(InternalError, match="read-only"):
        as_customer.shown(staff("auditor"), application, "application")


def test_what_stands_outside_and_what_acts_is_left_out(customer_user: User, staff: Staff) -> None:
    application = complete_draft(customer_user)
    page = (
        '<header><a href="/x">Out</a></header><main id="main"><form action="/go" class="stack"><input name="a">'
        '<input type="hidden" name="t"><button formaction="/b" onclick="x()">Go &amp; on</button></form>'
        '<script>alert("x")</script><img src="/files/1"><a href="//evil.test/">E</a><a href="javascript:x">J</a>'
        f'<a href="/applications/{application.pk}/papers/">Papers</a><use href="/static/i.svg#x"/></main><p>After</p>'
    )
    shown = as_customer.dead(page, application, as_customer.pages(staff("auditor"), application))
    assert alive(shown) == []
    assert "Out" not in shown
    assert "After" not in shown
    assert "alert" not in shown
    assert "evil" not in shown
    assert "javascript" not in shown
    assert 'disabled="">Go &amp; on</button></div>' in shown
    assert f'href="{address(application, "papers/")}"' in shown
