"""The REST API against its own OpenAPI document: whatever is sent, the answer is one the document promises.

The generator is derandomized, so each run sends the same requests.
"""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
import schemathesis
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as conformance

from onboarding import services
from onboarding.agreements import agreement_publish
from onboarding.models import AgreementAcceptance, Application, Owner
from portal.models import User
from tests.flow import complete_draft
from tests.onboarding import answers
from tests.people import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.once]

DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
schema = schemathesis.openapi.from_dict(DOCUMENT)
schema.app = get_wsgi_application()
schema.config.update(base_url="http://localhost")
# Another version of tus is refused by 412, as its protocol says.
schema.config.checks.negative_data_rejection.expected_statuses.append("412")
schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

AS_DOCUMENTED = [
    not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
    conformance.response_headers_conformance,
]
#: What contradicts the document is refused, and so is a request without the documented token or header.
REFUSED = [
    conformance.negative_data_rejection,
    conformance.missing_required_header,
    conformance.unsupported_method,
    conformance.ignored_auth,
]
CALM = settings(
    max_examples=10,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

HOSTILE = {
    "nul": "a\x00b",
    "half a surrogate pair": "a\ud800b",
    "long": "a" * 10_000,
    "right to left": "\u202eevil\u202c שלום",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "digits of elsewhere": "³٤๕",
    "sql": "'; DROP TABLE portal_user; --",
    "template": "{{ settings.SECRET_KEY }}{% debug %}${7*7}",
    "format": "%s%n%(x)s{0.__class__}",
    "markup": "<script>alert(1)</script>",
    "lines": "a\r\nX-Evil: 1\r\n\r\nb",
    "combining": "Z̸" + "̸" * 2_000,
}


@pytest.fixture
def token(customer_user: User, client: Client) -> Iterator[str]:
    """An access token, got as an app gets it."""
    signed_in = client.post(
        "/api/auth/app/v1/auth/login",
        {"email": customer_user.email, "password": PASSWORD},
        content_type="application/json",
    )
    # From here on the requests share the test's transaction, as those of Django's test client do.
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield str(signed_in.json()["meta"]["access_token"])
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.fixture
def draft(customer_user: User) -> Application:
    """A draft that could be handed in."""
    return complete_draft(customer_user)


@pytest.fixture
def company(customer_user: User) -> Owner:
    """A person of a company's draft who is not the applicant."""
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", country="US", source="api"
    )
    return services.owner_add(
        actor=customer_user,
        application_id=application.pk,
        role="BENEFICIAL_OWNER",
        country="US",
        given_name="Bo",
        family_name="Lee",
        source="api",
    )


def check(case: Case, token: str, checks: list[Any]) -> Any:
    cache.clear()  # or the rate limit would answer most of them
    return case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)


@schema.parametrize()
@CALM
def test_anything_is_answered_as_documented(case: Case, token: str) -> None:
    check(case, token, AS_DOCUMENTED + REFUSED)


@schema.given(with_version=st.booleans())
@schema.include(path_regex="application_id").parametrize()
@CALM
def test_anything_sent_to_an_own_application_is_answered_as_documented(
    case: Case, token: str, draft: Application, company: Owner, with_version: bool
) -> None:
    mine = draft
    if "owner_id" in case.path_parameters:
        mine = company.application
        case.path_parameters["owner_id"] = str(company.pk)
    case.path_parameters["application_id"] = str(mine.pk)
    if with_version:
        case.headers["If-Match"] = Application.objects.get(pk=mine.pk).etag
    check(case, token, AS_DOCUMENTED)


def test_agreements_that_wait_and_their_certificate_are_as_documented(token: str, draft: Application) -> None:
    accepted = AgreementAcceptance.objects.filter(owner__application=draft).first()
    assert accepted is not None
    case = schema["/api/v1/agreements/acceptances/{acceptance_id}/certificate"]["GET"].Case(
        path_parameters={"acceptance_id": str(accepted.pk)}
    )
    assert check(case, token, AS_DOCUMENTED).content.startswith(b"%PDF")
    services.application_submit(actor=draft.customer.user, application_id=draft.pk, source="page")
    agreement_publish(name="e-sign", version="2", title="Electronic consent", text="You consent again.")
    (waiting,) = check(schema["/api/v1/agreements/pending"]["GET"].Case(), token, AS_DOCUMENTED).json()
    case = schema["/api/v1/agreements/acceptances"]["POST"].Case(
        body={"accepted": [{"agreement": waiting["id"], "text_sha256": waiting["text_sha256"]}]},
        media_type="application/json",
    )
    assert check(case, token, AS_DOCUMENTED).status_code == 200


def texts_of(step: str) -> list[str]:
    """The fields of a step that take free text, as the document has them."""
    fields = DOCUMENT["components"]["schemas"][f"{step.capitalize()}StepRequest"]["properties"]
    return [name for name, kind in fields.items() if kind.get("type") in ("string", ["string", "null"])]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_answers_are_refused_by_name_or_kept_as_text(
    token: str, draft: Application, name: str
) -> None:
    for step, given in answers.STEPS.items():
        hostile = dict.fromkeys(texts_of(step), HOSTILE[name])
        while True:
            case = schema["/api/v1/applications/{application_id}/steps/{step}"]["PUT"].Case(
                path_parameters={"application_id": str(draft.pk), "step": step},
                headers={"If-Match": Application.objects.get(pk=draft.pk).etag},
                body=given | hostile,
                media_type="application/json",
            )
            answer = check(case, token, AS_DOCUMENTED)
            if answer.status_code == 200:
                break
            refused = {row["pointer"].removeprefix("/") for row in answer.json()["errors"]}
            assert refused and refused <= set(hostile), step
            hostile = {field: sent for field, sent in hostile.items() if field not in refused}
        kept = {row["name"]: row for row in answer.json()["steps"]}[step]["answers"]
        # White space is made plain, and a question that is not asked keeps no answer.
        assert {kept.get(field, "") for field in hostile} <= {"", " ".join(HOSTILE[name].split())}


def test_hostile_addresses_and_headers_are_problems(token: str, draft: Application, client: Client) -> None:
    mine = f"/api/v1/applications/{draft.pk}"
    bearer = {"Authorization": f"Bearer {token}"}

    def status(method: str, path: str, **headers: str) -> int:
        answer = client.generic(method, path, "{}", content_type="application/json", headers=bearer | headers)
        kind = "application/json" if answer.status_code < 300 else "application/problem+json"
        assert answer.headers["Content-Type"] == kind, (path, headers)
        return answer.status_code

    for name, text in HOSTILE.items():
        cache.clear()
        segment = quote_from_bytes(text.encode("utf-8", "surrogatepass"), safe="")
        header = text.encode("utf-8", "surrogatepass").decode("latin-1")
        key = 201 if re.fullmatch("[!-~]{1,200}", header) else 422
        found = {
            "id": status("GET", f"/api/v1/applications/{segment}"),
            "step": status("PUT", f"{mine}/steps/{segment}", **{"If-Match": draft.etag}),
            "cursor": status("GET", f"/api/v1/applications?cursor={segment}"),
            "version": status("PUT", f"{mine}/steps/contact", **{"If-Match": header}),
            "version, not required": status("POST", f"{mine}/submit", **{"If-Match": header}),
            "key": status("POST", "/api/v1/applications", **{"Idempotency-Key": header}),
            "token": status("GET", mine, Authorization=f"Bearer {header}"),
            "accept": status("GET", mine, Accept=header),
        }
        assert [*found.values()] == [404, 404, 200, 422, 422, key, 401, 406], (name, found)
    for name, text in HOSTILE.items():
        header = text.encode("utf-8", "surrogatepass").decode("latin-1")
        sent = status("POST", f"{mine}/submit", **{"User-Agent": header, "X-Request-ID": header})
        assert sent == 200, name
