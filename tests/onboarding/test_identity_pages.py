"""The pages and endpoints of the identity check: who may, what they say, and what they cost."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onboarding.identity.delivery import Ways, delivery_now
from onboarding.models import Application, IdentityCheck, IdentityLink
from onboarding.views.identity import words_for
from portal import clock
from portal.models import AuditEntry, Role, User
from tests.faults.way import later
from tests.flow import submitted
from tests.onboarding.identity_support import actions, check_of, living, tick, told
from tests.people import make_customer_user

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
URL = "https://verify.example/s/7d1c"


@pytest.fixture
def application(customer_user: User) -> Application:
    found = submitted(customer_user)
    told(found, url=URL)
    return found


def page_of(application: Application, rest: str = "") -> str:
    return f"/applications/{application.pk}/identity-check/{rest}"


def api_of(application: Application, rest: str = "") -> str:
    return f"/api/v1/applications/{application.pk}/identity-check{rest}"


def test_the_page_says_what_to_have_and_until_when(application: Application, signed_in: SignIn) -> None:
    answer = signed_in(application.customer.user).get(page_of(application))
    text = answer.content.decode()
    assert "2 days and 23 hours" in text
    assert f'data-countdown="{72 * 3600 - 1}"' in text or 'data-countdown="2591' in text
    for words in ("driver&#x27;s licence", "driver's licence"):
        if words in text:
            break
    else:
        pytest.fail("it does not say what to have at hand")
    assert "does not yet mean that the account is opened" in text
    assert URL not in text
    assert "no-cache" in answer["Cache-Control"]
    assert "https:" in answer["Content-Security-Policy"].partition("form-action")[2].partition(";")[0]


@pytest.mark.parametrize("rest", ["", "open/", "new/", "phone/"])
def test_nobody_else_reaches_it(
    application: Application, signed_in: SignIn, staff: Staff, client: Client, rest: str
) -> None:
    method = "get" if not rest else "post"
    before = actions(application)
    assert getattr(client, method)(page_of(application, rest)).status_code == 302
    assert getattr(signed_in(make_customer_user()), method)(page_of(application, rest)).status_code == 404
    manager = signed_in(staff(Role.COMPLIANCE_MANAGER))
    assert getattr(manager, method)(page_of(application, rest)).status_code == 403
    assert actions(application) == before


@pytest.mark.parametrize("rest", ["open/", "new/", "phone/"])
def test_what_gives_or_fetches_a_link_is_no_get(
    application: Application, signed_in: SignIn, rest: str
) -> None:
    assert signed_in(application.customer.user).get(page_of(application, rest)).status_code == 405


def test_out_by_a_redirect_that_tells_nobody(application: Application, signed_in: SignIn) -> None:
    answer = signed_in(application.customer.user).post(page_of(application, "open/"))
    assert (answer.status_code, answer["Location"], answer["Referrer-Policy"]) == (303, URL, "no-referrer")
    assert "no-store" in answer["Cache-Control"]
    assert not answer.content
    entry = AuditEntry.objects.get(action="identity_check.opened")
    assert (entry.actor, entry.source, entry.after) == (application.customer.user, "page", {"number": 1})
    assert living(application).opened_at is not None


def test_the_code_for_a_phone_holds_an_address_of_ours(application: Application, signed_in: SignIn) -> None:
    client = signed_in(application.customer.user)
    assert "QR code" not in client.get(page_of(application)).content.decode()
    text = client.post(page_of(application, "phone/")).content.decode()
    assert 'aria-label="QR code' in text
    assert '<div class="qr"' in text
    assert " style=" not in text
    assert client.post("/applications/continue-check/none/").status_code == 404
    assert "works no more" in client.get("/applications/continue-check/none/").content.decode()


def test_expired_the_page_offers_what_is_left(application: Application, signed_in: SignIn) -> None:
    with later(hours=73):
        client = signed_in(application.customer.user)
        text = client.get(page_of(application)).content.decode()
        assert "You have 2 of 3 links left" in text
        answer = client.post(page_of(application, "open/"), follow=True)
        assert "no link that works now" in answer.content.decode()
        assert check_of(application).expirations == 0, "a press that is refused writes nothing"
        tick()
    assert check_of(application).expirations == 1


def test_the_end_of_links_says_what_happens_next(application: Application, signed_in: SignIn) -> None:
    IdentityCheck.objects.update(expirations=2)
    with later(hours=73):
        tick()
        check_of(application).move_to("exhausted", actor=None)
        text = signed_in(application.customer.user).get(page_of(application)).content.decode()
        assert "writes to you, usually within two business days" in text
        assert "identity-check/new/" not in text


def test_no_check_no_page(customer_user: User, signed_in: SignIn) -> None:
    application = submitted(customer_user)
    client = signed_in(customer_user)
    assert client.get(page_of(application)).status_code == 404
    for rest in ("open/", "new/", "phone/"):
        assert client.post(page_of(application, rest)).status_code == 404
    assert client.get(api_of(application)).status_code == 404


def test_the_status_page_leads_to_it_without_a_link(application: Application, signed_in: SignIn) -> None:
    text = signed_in(application.customer.user).get(f"/applications/{application.pk}/").content.decode()
    assert page_of(application) in text
    assert URL not in text


def test_the_api_gives_the_link_to_a_post_alone(application: Application, signed_in: SignIn) -> None:
    client = signed_in(application.customer.user)
    state = client.get(api_of(application)).json()
    until = datetime.fromisoformat(state.pop("expires_at"))
    assert timedelta(hours=71) < until - clock.now() <= timedelta(hours=72)
    assert state["title"], state.pop("body")
    assert {name: state[name] for name in state if name not in {"title", "body"}} == {
        "status": "awaiting_customer", "links_used": 1, "links_left": 2, "may_open": True, "may_renew": False,
        "with_us": False, "also_sent": [],
    }  # fmt: skip
    action = client.get(f"/api/v1/applications/{application.pk}").json()["next_action"]
    assert (action["kind"], "url" in action) == ("verify_identity", False)
    assert datetime.fromisoformat(action["expires_at"]) == until
    assert not IdentityLink.objects.exclude(opened_at=None).exists()
    given = client.post(api_of(application, "/link"))
    assert given.json() == {"url": URL, "expires_at": action["expires_at"]}
    assert given["Cache-Control"] == "no-store"
    assert AuditEntry.objects.get(action="identity_check.opened").source == "api"
    same = client.post(api_of(application, "/renewal"))
    assert (same.status_code, same.json()["links_used"]) == (200, 1)


def test_the_api_refuses_strangers_staff_and_what_is_over(
    application: Application, signed_in: SignIn, staff: Staff, client: Client
) -> None:
    calls = [("get", ""), ("post", "/link"), ("post", "/renewal")]
    for method, rest in calls:
        assert getattr(client, method)(api_of(application, rest)).status_code == 401
        stranger = signed_in(make_customer_user())
        assert getattr(stranger, method)(api_of(application, rest)).status_code == 404
        manager = signed_in(staff(Role.COMPLIANCE_MANAGER))
        assert getattr(manager, method)(api_of(application, rest)).status_code == 403
    assert actions(application) == ["begin", "link"]
    with later(hours=73):
        own = signed_in(application.customer.user)
        assert own.post(api_of(application, "/link")).json()["type"] == "/docs/problems/conflict"
        state = own.get(api_of(application)).json()
        assert (state["status"], state["may_renew"], state["links_left"]) == ("expired", True, 2)
        action = own.get(f"/api/v1/applications/{application.pk}").json()["next_action"]
        assert (action["kind"], action["expires_at"]) == ("renew_identity_link", None)
        away = own.post(api_of(application, "/renewal"))
        assert (away.status_code, away["Retry-After"]) == (503, "15"), "there is no provider in this test"
        assert away.json()["type"] == "/docs/problems/provider-away"


def test_the_staff_page_shows_the_links_and_who_may_ask(
    application: Application, signed_in: SignIn, staff: Staff
) -> None:
    path = f"/staff/applications/{application.pk}/"
    for role, may in (
        (Role.COMPLIANCE_MANAGER, True),
        (Role.COMPLIANCE_ANALYST, False),
        (Role.AUDITOR, False),
    ):
        client = signed_in(staff(role))
        text = client.get(path).content.decode()
        assert "1 of 3 given out, 2 left; 0 ran out" in text
        assert "Came from the provider" in text
        assert "Not opened" in text
        assert ("ask for a link all the same" in text) is may
        answer = client.post(f"{path}identity-check/", {"override-reason": "x" if may else "Spoke with them"})
        assert answer.status_code == (302 if may else 403)
    assert not AuditEntry.objects.filter(action="identity_check.override").exists()


def test_the_ways_are_for_administrators(signed_in: SignIn, staff: Staff, customer_user: User) -> None:
    path = "/staff/identity-check/delivery/"
    for role in (Role.COMPLIANCE_MANAGER, Role.AUDITOR, Role.ONBOARDING_AGENT):
        assert signed_in(staff(role)).get(path).status_code == 403
        assert signed_in(staff(role)).post(path, {"in_app": "on"}).status_code == 403
    admin = signed_in(staff(Role.ADMINISTRATOR))
    assert "no way for us to switch them" in " ".join(admin.get(path).content.decode().split())
    refused = admin.post(path, {"mail_by_us": "on"})
    assert refused.status_code == 422
    assert "Choose at least one" in refused.content.decode()
    assert delivery_now() == Ways(True, False, False, True)
    for _ in range(2):
        assert admin.post(path, {"in_app": "on", "sms_by_vendor": "on"}).status_code == 302
    assert delivery_now() == Ways(True, True, False, False)
    assert AuditEntry.objects.filter(action="identity_delivery.change").count() == 1
    application = submitted(customer_user)
    told(application, url=URL)
    text = signed_in(customer_user).get(page_of(application)).content.decode()
    assert "to your phone as an SMS" in text
    assert "to your e-mail address" not in text


def test_lists_cost_the_same_however_many_checks(signed_in: SignIn, staff: Staff) -> None:
    desk = signed_in(staff(Role.COMPLIANCE_ANALYST))

    def costs() -> list[int]:
        found = []
        for path in ("/staff/applications/", "/staff/applications/?waiting_on=us"):
            with CaptureQueriesContext(connection) as queries:
                assert desk.get(path).status_code == 200
            found.append(len(queries))
        return found

    def more(number: int) -> None:
        application = submitted(make_customer_user())
        told(application, url=f"{URL}{number}")
        check_of(application).move_to("expired", actor=None)

    more(0)
    costs()
    one = costs()
    for number in range(1, 5):
        more(number)
    assert costs() == one


@pytest.mark.parametrize(
    ("left", "words"),
    [
        ({"hours": 72}, "3 days"),
        ({"hours": 71, "minutes": 59}, "2 days and 23 hours"),
        ({"hours": 25, "minutes": 30}, "1 day and 1 hour"),
        ({"hours": 1}, "1 hour"),
        ({"minutes": 61}, "1 hour and 1 minute"),
        ({"seconds": 119}, "1 minute"),
        ({"seconds": 59}, "less than a minute"),
        ({"hours": -5}, "less than a minute"),
    ],
)
def test_time_left_in_words(left: dict[str, int], words: str) -> None:
    now = clock.now()
    assert words_for(now + timedelta(**left), now) == words
