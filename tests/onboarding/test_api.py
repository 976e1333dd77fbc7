"""The REST API: who reaches what, versions, repeated requests, and that bad input is answered, never a fault."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from onboarding import completeness, services
from onboarding.models import Application, Owner
from portal.models import OutboundCall, User
from tests.flow import complete_draft, publish_agreements, submitted
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]
API = "/api/v1"


@pytest.fixture
def app(customer_user: User, signed_in: SignIn) -> Client:
    """The customer's app."""
    return signed_in(customer_user)


@pytest.fixture
def draft(customer_user: User) -> Application:
    """An empty draft, agreements in force."""
    publish_agreements()
    return services.application_start(actor=customer_user, source="api")


def at(application: Application, rest: str = "") -> str:
    return f"{API}/applications/{application.pk}{rest}"


def send(client: Client, method: str, path: str, body: Any = None, **headers: str) -> Any:
    raw = body if isinstance(body, str) else json.dumps(body)
    return client.generic(method, path, raw, content_type="application/json", headers=headers)


def put(client: Client, application: Application, step: str, body: Any) -> Any:
    version = Application.objects.get(pk=application.pk).version
    return send(client, "PUT", at(application, f"/steps/{step}"), body, **{"If-Match": f'"{version}"'})


def pointed(response: Any) -> set[str]:
    assert response.status_code == 422, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    return {row["pointer"] for row in response.json()["errors"]}


def everything(application: Application) -> list[tuple[str, str, Any]]:
    """Every endpoint, with a body that would do something."""
    accepted = [
        {"agreement": str(row.pk), "text_sha256": row.text_sha256}
        for row in completeness.agreements_in_force()
    ]
    return [
        ("GET", at(application), None),
        ("PUT", at(application, "/steps/address"), answers.HOME | {"home_city": "Dallas"}),
        ("POST", at(application, "/agreements"), {"accepted": accepted}),
        ("POST", at(application, "/submit"), None),
        ("DELETE", at(application), None),
    ]


SHARED = [
    ("GET", f"{API}/applications", None),
    ("POST", f"{API}/applications", {"account_type": "INDIVIDUAL"}),
    ("GET", f"{API}/agreements", None),
]


def state(application: Application) -> tuple[Any, ...]:
    row = Application.objects.get(pk=application.pk)
    city = journeys.kept(row, "address")["home_city"]
    return row.status, row.version, city, OutboundCall.objects.count()


# --- Who ----------------------------------------------------------------------------------------------------


def test_every_endpoint_for_everybody_else(
    customer_user: User, client: Client, staff: Staff, signed_in: SignIn
) -> None:
    application = complete_draft(customer_user)
    before = state(application)
    match = {"If-Match": f'"{application.version}"'}
    agent, stranger = signed_in(staff("compliance_manager")), signed_in(make_customer_user())
    for method, path, body in everything(application) + SHARED:
        for asker, status in ((client, 401), (agent, 403)):
            refused = send(asker, method, path, body, **match)
            assert refused.status_code == status, (method, path)
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert refused.json()["status"] == status
    for method, path, body in everything(application):
        refused = send(stranger, method, path, body, **match)
        assert refused.status_code == 404, (method, path)
        assert refused.headers["Content-Type"] == "application/problem+json"
    assert stranger.get(f"{API}/applications").json()["results"] == []
    assert state(application) == before


def test_the_whole_way_by_app(app: Client, customer_user: User) -> None:
    publish_agreements()
    started = send(app, "POST", f"{API}/applications", {})
    assert started.status_code == 201
    assert started.json()["next_action"]["kind"] == "continue_application"
    application = Application.objects.get()
    etag = started.headers["ETag"]
    for step, given in answers.STEPS.items():
        saved = send(app, "PUT", at(application, f"/steps/{step}"), given, **{"If-Match": etag})
        assert saved.status_code == 200, saved.content
        assert saved.headers["ETag"] != etag
        etag = saved.headers["ETag"]
    shown = app.get(f"{API}/agreements").json()
    accepted = [{"agreement": row["id"], "text_sha256": row["text_sha256"]} for row in shown]
    agreed = send(app, "POST", at(application, "/agreements"), {"accepted": accepted}, **{"If-Match": etag})
    assert agreed.status_code == 200
    assert all(step["done"] for step in agreed.json()["steps"])
    for _ in range(2):
        sent = send(app, "POST", at(application, "/submit"))
        assert (sent.status_code, sent.json()["status"]) == (200, "submitted")
    assert (sent.json()["ball"]["holder"], sent.json()["next_action"]["kind"]) == ("us", "wait")
    assert sent.json()["next_action"]["poll_after"]
    assert OutboundCall.objects.count() == 1
    assert send(app, "DELETE", at(application)).status_code == 409
    assert put(app, application, "contact", answers.CONTACT).status_code == 409


def test_a_draft_is_withdrawn(app: Client, draft: Application) -> None:
    gone = send(app, "DELETE", at(draft))
    assert (gone.status_code, gone.json()["status"]) == (200, "withdrawn")
    assert gone.json()["next_action"]["kind"] == "start_application"


def test_an_incomplete_draft_says_everything_that_is_missing(app: Client, draft: Application) -> None:
    found = pointed(send(app, "POST", at(draft, "/submit")))
    assert {f"/{step}" for step in answers.STEPS} <= found
    assert any(pointer.startswith("/agreements/") for pointer in found)


def test_sensitive_answers_are_masked_in_every_answer(app: Client, customer_user: User) -> None:
    application = complete_draft(customer_user)
    for answer in (
        app.get(at(application)),
        app.get(f"{API}/applications"),
        send(app, "POST", f"{API}/applications", {}),
        put(app, application, "identity", answers.IDENTITY),
        send(app, "POST", at(application, "/submit")),
    ):
        assert answer.status_code in {200, 201}
        words = answer.content.decode()
        for secret in ("536221234", "536-22", "1988-04-17"):
            assert secret not in words
    identity = app.get(at(application)).json()["steps"][0]["answers"]
    assert identity["tax_id"] == "•••-••-1234"


# --- Versions and repeated requests -------------------------------------------------------------------------


def test_if_match_missing_malformed_or_stale(app: Client, customer_user: User) -> None:
    application = complete_draft(customer_user)
    before = state(application)
    for method, path, body in everything(application)[1:3]:
        assert send(app, method, path, body).status_code == 428
        for header in ("3", "*", '"x"', '"-1"', '"99999999999999999999"', '"1", "2"'):
            assert send(app, method, path, body, **{"If-Match": header}).status_code == 422, header
        stale = send(app, method, path, body, **{"If-Match": '"1"'})
        assert (stale.status_code, stale.json()["type"]) == (412, "/docs/problems/stale-draft")
    late = send(app, "POST", at(application, "/submit"), **{"If-Match": '"1"'})
    assert late.status_code == 412
    assert state(application) == before


def test_a_repeated_start_gets_the_first_answer(app: Client) -> None:
    key = {"Idempotency-Key": "one"}
    first = send(app, "POST", f"{API}/applications", {"account_type": "INDIVIDUAL"}, **key)
    again = send(app, "POST", f"{API}/applications", {"account_type": "INDIVIDUAL"}, **key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert (again.json(), again.headers["ETag"]) == (first.json(), first.headers["ETag"])
    other = send(app, "POST", f"{API}/applications", {}, **key)
    assert (other.status_code, other.json()["type"]) == (409, "/docs/problems/idempotency-key-reused")
    long = send(app, "POST", f"{API}/applications", {}, **{"Idempotency-Key": "k" * 201})
    assert long.status_code == 422
    assert Application.objects.count() == 1


def test_a_key_of_another_application_s_person_is_refused(app: Client, customer_user: User) -> None:
    publish_agreements()
    person = {"role": "BENEFICIARY", "country": "US"}
    found = []
    for kind in ("ENTITY_PERSONAL_TRUST", "CUSTODIAL"):
        draft = services.application_start(actor=customer_user, account_type=kind, source="api")
        headers = {"Idempotency-Key": "one", "If-Match": draft.etag}
        found.append(send(app, "POST", at(draft, "/owners"), person, **headers))
        if kind == "ENTITY_PERSONAL_TRUST":
            again = send(app, "POST", at(draft, "/owners"), person, **headers)
            assert (again.status_code, again.json()) == (201, found[0].json())
    assert [answer.status_code for answer in found] == [201, 409]
    assert found[1].json()["type"] == "/docs/problems/idempotency-key-reused"
    assert Owner.objects.filter(is_applicant=False).count() == 1


def test_a_body_over_the_limit_is_not_read(app: Client, draft: Application, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    large = json.dumps({"email": "a" * 2000})
    for method, path in (("PUT", at(draft, "/steps/contact")), ("POST", f"{API}/applications")):
        answer = send(app, method, path, large, **{"If-Match": draft.etag})
        assert (answer.status_code, answer.json()["type"]) == (413, "/docs/problems/too-large")
    assert not draft.steps.exists()


def test_a_nested_body_is_refused_before_anything_reads_it(app: Client, draft: Application) -> None:
    for depth, status in ((15, 422), (25, 400), (300, 400), (100_000, 400)):
        body = '{"email": ' + "[" * depth + "]" * depth + "}"
        answer = send(app, "PUT", at(draft, "/steps/contact"), body, **{"If-Match": draft.etag})
        assert answer.status_code == status, depth


# --- Bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("step", "field", "value"),
    [
        ("identity", "tax_id", "12"),
        ("identity", "tax_id", "000-12-3456"),
        ("identity", "date_of_birth", "2020-01-01"),
        ("identity", "date_of_birth", "1988-02-30"),
        ("identity", "given_name", "A" * 10_000),
        ("identity", "given_name", "A\x00na"),
        ("identity", "given_name", "Ana 🙂"),
        ("identity", "given_name", "\u202eanA"),
        ("identity", "given_name", "\ud800"),
        ("identity", "tax_id_type", "PASSPORT"),
        ("contact", "phone", "1"),
        ("contact", "email", "nobody"),
        ("address", "home_country", "Atlantis"),
        ("address", "home_country", "FR"),
        ("address", "home_country", "³"),
        ("address", "home_state", "ZZ"),
        ("address", "home_postal_code", "٧٨٧٠١"),
        ("employment", "years_employed", -1),
        ("employment", "years_employed", 4.5),
    ],
)
def test_what_does_not_hold_is_named_by_a_pointer(
    app: Client, draft: Application, step: str, field: str, value: Any
) -> None:
    assert pointed(put(app, draft, step, answers.STEPS[step] | {field: value})) == {f"/{field}"}
    assert not draft.steps.exists()


@pytest.mark.parametrize("step", [*answers.STEPS])
def test_wrong_types_are_answered_field_by_field(app: Client, draft: Application, step: str) -> None:
    for value in ([], ["a"], {}, {"a": {"b": 1}}, -1.5, [[1]]):
        found = pointed(put(app, draft, step, dict.fromkeys(answers.STEPS[step], value)))
        assert found <= {f"/{name}" for name in answers.STEPS[step]}
    for value in (None, True, 7):
        assert put(app, draft, step, dict.fromkeys(answers.STEPS[step], value)).status_code in {200, 422}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 422),
        ("[]", 422),
        ("7", 422),
        ("null", 422),
        ('"a"', 422),
        ("{", 400),
        ("\x00", 400),
        ("NaN", 400),
    ],
)
def test_a_body_that_is_no_object(app: Client, draft: Application, body: str, status: int) -> None:
    assert put(app, draft, "contact", body).status_code == status
    posted = send(app, "POST", at(draft, "/agreements"), body, **{"If-Match": f'"{draft.version}"'})
    assert posted.status_code == status
    if body:
        assert send(app, "POST", f"{API}/applications", body).status_code == status
    assert not draft.steps.exists()


def test_names_nobody_asked_for_are_refused_by_name(app: Client, draft: Application) -> None:
    odd = {"status": "approved", "a/b~c": 1, "\ud800": 1, "\x00": 1}
    found = pointed(put(app, draft, "contact", answers.CONTACT | odd))
    assert {"/status", "/a~1b~0c"} <= found
    assert len(found) == 4
    wrong = pointed(send(app, "POST", f"{API}/applications", {"account_type": "\ud800"}))
    assert wrong == {"/account_type"}


def test_agreements_not_shown_are_not_accepted(app: Client, draft: Application) -> None:
    rows = completeness.agreements_in_force()
    match = {"If-Match": f'"{draft.version}"'}
    for accepted in (
        [],
        [{"agreement": str(rows[0].pk), "text_sha256": "0" * 64}],
        [{"agreement": "x", "text_sha256": "y"}],
        [7],
        {"agreement": 1},
        None,
    ):
        answer = send(app, "POST", at(draft, "/agreements"), {"accepted": accepted}, **match)
        assert pointed(answer), accepted
    assert not Owner.objects.get(application=draft).acceptances.exists()


def test_unknown_addresses_are_problems(app: Client, draft: Application) -> None:
    assert put(app, draft, "nonsense", {}).status_code == 404
    for path in ("/nothing", "/applications/x", "/applications/01900000-0000-7000-8000-000000000000"):
        answer = app.get(f"{API}{path}")
        assert answer.status_code == 404
        assert answer.headers["Content-Type"] == "application/problem+json"


# --- Paging -------------------------------------------------------------------------------------------------


def test_the_list_pages_by_cursor_and_reads_odd_ones_as_none(app: Client, customer_user: User) -> None:
    customer = services.customer_of(customer_user)
    rows = [
        Application.objects.create(customer=customer, account_type="INDIVIDUAL", status="withdrawn")
        for _ in range(27)
    ]
    first = app.get(f"{API}/applications").json()
    second = app.get(f"{API}/applications?cursor={first['next']}").json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert ids == [str(row.pk) for row in reversed(rows)]
    assert second["next"] is None
    for cursor in ("x", "%00", "%F0%9F%99%82"):
        assert app.get(f"{API}/applications?cursor={cursor}").json() == first


def test_the_list_costs_the_same_for_few_and_many(customer_user: User, app: Client) -> None:
    customer = submitted(customer_user).customer

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert app.get(f"{API}/applications").status_code == 200
        return len(queries)

    cost()
    few = cost()
    for _ in range(11):
        Application.objects.create(customer=customer, account_type="INDIVIDUAL", status="withdrawn")
    assert cost() == few
