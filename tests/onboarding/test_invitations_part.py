# ruff: noqa: F811  (fixtures are imported by name)
"""Owners who fill in their own part: who sees and changes what afterwards, the same by REST, and what it costs."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding import completeness, drafts, services
from onboarding.models import AgreementAcceptance, Application, Owner
from portal.errors import Forbidden, Invalid, NotFound
from portal.models import User
from tests.onboarding import answers, journeys
from tests.onboarding.invitations_support import (  # noqa: F401
    SECRET_STREET,
    Case,
    SignIn,
    accept_as,
    case,
    last_token,
    page,
)
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db

# --- Afterwards: who sees and changes what ------------------------------------------------------------------


def test_the_whole_part_by_its_owner_alone(case: Case, signed_in: SignIn) -> None:
    case.claim()
    browser = signed_in(case.invited)
    assert case.application.reference in page(browser.get(reverse("customer:home")))
    assert "To do" in page(browser.get(case.url("part")))
    case.fill()
    shown = browser.get(case.url("person_step", case.owner.pk, "address"))
    assert shown.status_code == 200 and SECRET_STREET in page(shown)
    address = case.url("person_step", case.owner.pk, "agreements")
    asked = completeness.agreements_for(drafts.load(case.application), Owner.objects.get(pk=case.owner.pk))
    assert len(asked) == 2
    given = {f"accept_{row.pk}": "on" for row in asked} | {
        f"shown_{row.pk}": row.text_sha256 for row in asked
    }
    assert browser.get(address).status_code == 200
    assert browser.post(address, given)["Location"] == case.url("part")
    rows = AgreementAcceptance.objects.all()
    assert {(row.owner_id, row.accepted_by_id) for row in rows} == {(case.owner.pk, case.invited.pk)}
    assert "Your part is complete" in page(browser.get(case.url("part")))


def test_the_applicant_sees_progress_and_no_answers(case: Case, signed_in: SignIn) -> None:
    case.claim()
    case.fill()
    browser = signed_in(case.applicant)
    people = page(browser.get(case.url("step", "owners")))
    assert "Fills in their own part" in people and "4 of 5 steps" in people
    assert browser.get(case.url("person_step", case.owner.pk, "address"))["Location"] == case.url(
        "step", "owners"
    )
    with pytest.raises(Forbidden):
        journeys.save(case.applicant, case.application, {"address": answers.HOME}, case.owner)
    details = page(browser.get(case.url("details")))
    details += str(browser.get(f"/api/v1/applications/{case.application.pk}/details").json())
    assert SECRET_STREET not in details
    answer = browser.get(f"/api/v1/applications/{case.application.pk}").json()
    theirs = [row for row in answer["steps"] if row["owner"] == str(case.owner.pk)]
    assert [row["done"] for row in theirs] == [True, True, True, True, False]
    assert all(row["answers"] == {} for row in theirs)
    assert SECRET_STREET not in people + str(answer)


def test_the_review_leaves_out_what_others_answered(case: Case, signed_in: SignIn) -> None:
    case.claim()
    case.fill()
    accept_as(case.invited, case.application)
    journeys.save(case.applicant, case.application, journeys.entity_steps() | answers.STEPS)
    services.owner_change(
        actor=case.applicant,
        application_id=case.application.pk,
        owner_id=None,
        changes={"is_control_person": True},
        source="page",
    )
    journeys.save(case.applicant, case.application, {"owners": {"no_beneficial_owners": True}})
    accept_as(case.applicant, case.application)
    review = page(signed_in(case.applicant).get(case.url("review")))
    assert "Filled in their own part" in review
    assert SECRET_STREET not in review
    assert answers.HOME["home_line1"] in review
    services.application_submit(actor=case.applicant, application_id=case.application.pk, source="page")
    assert signed_in(case.invited).get(case.url("part")).status_code == 200


def test_staff_see_everything_as_before(case: Case, staff: Callable[[str], User], signed_in: SignIn) -> None:
    case.claim()
    case.fill()
    shown = signed_in(staff("onboarding_agent")).get(reverse("staff:application", args=[case.application.pk]))
    assert SECRET_STREET in page(shown)


def test_the_rest_stays_the_applicant_s(case: Case, signed_in: SignIn) -> None:
    case.claim()
    browser = signed_in(case.invited)
    applicant = drafts.applicant_of(case.application)
    for name, more in [
        ("application", ()),
        ("resume", ()),
        ("review", ()),
        ("withdraw", ()),
        ("status_part", ()),
        ("step", ("identity",)),
        ("step", ("owners",)),
        ("step", ("investment",)),
        ("step", ("agreements",)),
        ("person_step", (applicant.pk, "identity")),
        ("person", (case.owner.pk,)),
        ("person_remove", (case.owner.pk,)),
        ("person_add", ()),
        ("applicant", ()),
    ]:
        for response in (browser.get(case.url(name, *more)), browser.post(case.url(name, *more))):
            assert response.status_code in {404, 405}, name
    before = Application.objects.values().get(pk=case.application.pk)
    for refused in (
        lambda: services.application_submit(
            actor=case.invited, application_id=case.application.pk, source="page"
        ),
        lambda: services.application_withdraw(
            actor=case.invited, application_id=case.application.pk, source="page"
        ),
        lambda: journeys.save(case.invited, case.application, {"identity": answers.IDENTITY}),
        lambda: journeys.save(case.invited, case.application, {"investment": answers.INVESTMENT}),
        lambda: journeys.add(case.invited, case.application, "AUTHORIZED_MEMBER"),
    ):
        with pytest.raises(NotFound):
            refused()
    assert Application.objects.values().get(pk=case.application.pk) == before


def test_nobody_claims_two_parts_of_one_application(case: Case) -> None:
    case.claim()
    other = journeys.add(case.applicant, case.application, "AUTHORIZED_AGENT")
    case.owner = other
    with pytest.raises(Invalid):
        case.invite()


# --- By REST ------------------------------------------------------------------------------------------------


def test_the_way_by_rest(case: Case, signed_in: SignIn) -> None:
    applicant, invited = signed_in(case.applicant), signed_in(case.invited)
    base = f"/api/v1/applications/{case.application.pk}"
    version = applicant.get(base)["ETag"]

    def send(client: Client, method: str, path: str, body: Any, etag: str = "") -> Any:
        headers = {"If-Match": etag} if etag else {}
        return client.generic(
            method, path, data=json.dumps(body), content_type="application/json", headers=headers
        )

    assert send(applicant, "POST", f"{base}/owners/{case.owner.pk}/invitation", {}).status_code == 428
    sent = send(
        applicant,
        "POST",
        f"{base}/owners/{case.owner.pk}/invitation",
        {"email": case.invited.email},
        version,
    )
    assert sent.status_code == 200, sent.content
    assert last_token() not in sent.content.decode()
    assert invited.get(base).status_code == 404
    token = last_token()
    stranger = signed_in(make_customer_user("Sam Strange"))
    assert send(stranger, "POST", "/api/v1/invitations/accept", {"token": token}).status_code == 403
    taken = send(invited, "POST", "/api/v1/invitations/accept", {"token": token})
    assert taken.status_code == 200
    body = taken.json()
    assert [row["id"] for row in body["owners"]] == [str(case.owner.pk)]
    assert {row["owner"] for row in body["steps"]} == {str(case.owner.pk)}
    assert body["owners"][0]["fills_in_themselves"] is True
    steps = f"{base}/owners/{case.owner.pk}/steps"
    saved = send(invited, "PUT", f"{steps}/address", answers.HOME, taken["ETag"])
    assert saved.status_code == 200, saved.content
    refused = send(applicant, "PUT", f"{steps}/address", answers.HOME, saved["ETag"])
    assert refused.status_code == 403
    assert send(invited, "PUT", f"{base}/steps/identity", {}, saved["ETag"]).status_code == 404
    assert send(invited, "POST", f"{base}/submit", {}).status_code == 404
    assert invited.delete(base).status_code == 404
    parts = invited.get("/api/v1/parts").json()
    assert [(row["application"], row["role"]) for row in parts] == [
        (str(case.application.pk), "AUTHORIZED_MEMBER")
    ]
    assert applicant.get("/api/v1/parts").json() == stranger.get("/api/v1/parts").json() == []


# --- Cost ---------------------------------------------------------------------------------------------------


def test_pages_cost_the_same_for_few_and_many(case: Case, signed_in: SignIn) -> None:
    case.claim()
    invited, applicant = signed_in(case.invited), signed_in(case.applicant)

    def cost(client: Client, url: str) -> int:
        client.get(url)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    pages = [(invited, reverse("customer:home")), (applicant, case.url("step", "owners"))]
    few = [cost(*row) for row in pages]
    for number in range(3):
        other = journeys.add(case.applicant, case.application, "AUTHORIZED_AGENT")
        services.owner_invite(
            actor=case.applicant,
            application_id=case.application.pk,
            owner_id=other.pk,
            email=f"more{number}@example.test",
            source="page",
        )
        user = make_customer_user()
        application = services.application_start(
            actor=user, account_type="ENTITY", entity_type="LLC", source="page"
        )
        owner = journeys.add(user, application, "AUTHORIZED_MEMBER")
        Case(application, user, owner, case.invited).claim()
    assert [cost(*row) for row in pages] == few
