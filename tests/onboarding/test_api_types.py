"""Every type of account by REST alone, from the start to ACTIVE: what an app does, following `steps`, `roles`, `papers`
and `next_action`."""

import json
from typing import Any

import pytest
from django.test import Client

from onboarding.models import Application
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.faults.way import deliver, exchanges
from tests.flow import drain, publish_agreements
from tests.onboarding import answers, journeys, papers_support
from tests.onboarding.invitations_support import last_token
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db


class App:
    """A mobile app that carries the version along."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.state: dict[str, Any] = {}

    def call(self, method: str, path: str, body: Any = None, *, expect: int = 200) -> dict[str, Any]:
        """Call below the application's address; the answer becomes the state."""
        headers = {"If-Match": f'"{self.state["version"]}"'} if self.state else {}
        base = f"/api/v1/applications{'/' + self.state['id'] if self.state else ''}"
        answer = self.client.generic(
            method, f"{base}{path}", json.dumps(body), content_type="application/json", headers=headers
        )
        assert answer.status_code == expect, answer.content
        found: dict[str, Any] = answer.json()
        if expect < 300:
            self.state = found
        return found

    def fill(self, steps: dict[str, dict[str, Any]], owner: str = "") -> None:
        """Save steps of the applicant, the account or another person."""
        for step, given in steps.items():
            self.call("PUT", f"{f'/owners/{owner}' if owner else ''}/steps/{step}", given)

    def add(self, **person: Any) -> str:
        """Add a person; returns the id."""
        before = {row["id"] for row in self.state["owners"]}
        self.call("POST", "/owners", {"country": "US"} | person, expect=201)
        (new,) = {row["id"] for row in self.state["owners"]} - before
        return str(new)

    def upload_papers(self, *, but_of: str = "") -> None:
        """Upload every file that is asked for, but those of an owner who uploads their own."""
        path = f"/api/v1/applications/{self.state['id']}/documents"
        for paper in self.client.get(path).json()["papers"]:
            if but_of and paper["owner"] == but_of:
                continue
            kind = "PASSPORT" if "PASSPORT" in paper["types"] else paper["types"][0]
            given: dict[str, Any] = {
                "type": kind,
                "file": papers_support.file(papers_support.pdf(), "paper.pdf"),
            }
            if paper["owner"]:
                given |= {"owner": paper["owner"], "expires_on": papers_support.VALID_UNTIL.isoformat()}
            answer = self.client.post(path, given)
            assert answer.status_code == 201, answer.content
        left = {paper["owner"] for paper in self.client.get(path).json()["papers"] if not paper["done"]}
        assert left == ({but_of} if but_of else set())

    def becomes_active(self, box: SandboxProcess) -> None:
        """The workers pass everything on, the provider answers, and the app reads it."""
        drain()
        deliver(box)
        self.call("GET", "")
        assert self.state["status"] == "approved"
        assert self.state["account"]["status"] == "active"
        assert self.state["next_action"]["kind"] == "none"

    def accept_and_submit(self) -> None:
        """Accept what waits for the applicant and hand in."""
        listed = self.client.get("/api/v1/agreements").json()
        accepted = [{"agreement": row["id"], "text_sha256": row["text_sha256"]} for row in listed]
        self.call("POST", "/agreements", {"accepted": accepted})
        assert [
            step["path"] for step in self.state["steps"] if not step["done"] and not step["optional"]
        ] == []
        self.call("POST", "/submit")
        assert self.state["status"] == "submitted"


@pytest.fixture
def app(client: Client, customer_user: User) -> App:
    """The customer's app."""
    publish_agreements()
    client.force_login(customer_user)
    return App(client)


def test_an_individual(app: App, box: SandboxProcess) -> None:
    app.call("POST", "", {}, expect=201)
    app.fill(answers.STEPS)
    app.accept_and_submit()
    app.becomes_active(box)


def test_a_child_s_account(app: App, box: SandboxProcess) -> None:
    app.call("POST", "", {"account_type": "CUSTODIAL"}, expect=201)
    assert {row["role"]: (row["least"], row["most"]) for row in app.state["roles"]} == {
        "CUSTODIAN": (1, 2),
        "MINOR_OWNER": (1, 1),
    }
    app.fill(answers.STEPS)
    minor = app.add(role="MINOR_OWNER", given_name="Leo", family_name="Ortiz")
    own = journeys.person_steps(1, works=False, given_name="Leo", date_of_birth="2015-05-02")
    assert {step["name"] for step in app.state["steps"] if step["owner"] == minor} == set(own)
    app.fill(own, minor)
    app.fill({"owners": {}})
    app.accept_and_submit()
    app.becomes_active(box)


def test_a_company(app: App, box: SandboxProcess) -> None:
    missing = app.call("POST", "", {"account_type": "ENTITY"}, expect=422)
    assert missing["errors"][0]["pointer"] == "/entity_type"
    app.call("POST", "", {"account_type": "ENTITY", "entity_type": "CORPORATE"}, expect=201)
    app.fill(journeys.entity_steps() | answers.STEPS)
    applicant = next(row["id"] for row in app.state["owners"] if row["is_applicant"])
    app.call("PATCH", f"/owners/{applicant}", {"is_control_person": True, "ownership_percent": 60})
    holder = app.add(role="BENEFICIAL_OWNER", ownership_percent=40, country="US")
    app.fill(journeys.person_steps(2), holder)
    app.fill({"owners": {"no_beneficial_owners": False}})
    app.accept_and_submit()
    drain()
    app.call("GET", "")
    assert (app.state["status"], app.state["next_action"]["kind"]) == ("received", "upload_documents")
    assert not exchanges(box, "trigger_kyb")
    app.upload_papers()
    app.becomes_active(box)
    assert len(exchanges(box, "trigger_kyb")) == 1


def test_a_company_whose_second_member_fills_in_their_part(app: App, box: SandboxProcess) -> None:
    app.call("POST", "", {"account_type": "ENTITY", "entity_type": "LLC"}, expect=201)
    app.fill(journeys.entity_steps() | answers.STEPS)
    applicant = next(row["id"] for row in app.state["owners"] if row["is_applicant"])
    app.call("PATCH", f"/owners/{applicant}", {"is_control_person": True})
    member = app.add(role="AUTHORIZED_MEMBER", given_name="Kim", family_name="Lee")
    kim = make_customer_user("Kim Lee")
    app.call("POST", f"/owners/{member}/invitation", {"email": kim.email})
    theirs = App(Client())
    theirs.client.force_login(kim)
    taken = theirs.client.post(
        "/api/v1/invitations/accept", json.dumps({"token": last_token()}), content_type="application/json"
    )
    assert taken.status_code == 200, taken.content
    theirs.state = taken.json()
    theirs.fill(journeys.person_steps(4, given_name="Kim", family_name="Lee"), member)
    listed = theirs.client.get("/api/v1/agreements").json()
    accepted = [{"agreement": row["id"], "text_sha256": row["text_sha256"]} for row in listed]
    theirs.call("POST", "/agreements", {"accepted": accepted})
    app.call("GET", "")
    app.fill({"owners": {"no_beneficial_owners": True}})
    app.accept_and_submit()
    drain()
    app.upload_papers(but_of=member)
    theirs.upload_papers()
    app.becomes_active(box)


def test_a_personal_trust(app: App, box: SandboxProcess) -> None:
    app.call("POST", "", {"account_type": "ENTITY_PERSONAL_TRUST"}, expect=201)
    assert app.state["entity_type"] == "TRUST"
    app.fill(journeys.entity_steps() | answers.STEPS | {"owners": {}})
    app.accept_and_submit()
    drain()
    app.upload_papers()
    app.becomes_active(box)
    assert len(exchanges(box, "trigger_kyb")) == 1


def test_somebody_who_lives_abroad(app: App, box: SandboxProcess) -> None:
    app.call("POST", "", {"country": "DEU"}, expect=201)
    wrong = app.call(
        "PUT", "/steps/identity", answers.IDENTITY | {"tax_id_type": "NONE", "tax_id": ""}, expect=422
    )
    assert [row["pointer"] for row in wrong["errors"]] == ["/no_tax_id_reason"]
    app.call(
        "PUT",
        "/steps/identity",
        answers.IDENTITY | {"tax_id_type": "NATIONAL_ID", "tax_id": "65929970489", "tax_id_country": "DEU"},
    )
    bad = app.call("PUT", "/steps/address", journeys.BERLIN | {"home_postal_code": "1011"}, expect=422)
    assert bad["errors"][0]["detail"] == "Enter a postal code as Germany writes it, such as 26133."
    app.fill({"contact": answers.CONTACT, "address": journeys.BERLIN, "employment": {"situation": "RETIRED"}})
    app.fill({"investment": answers.INVESTMENT})
    app.accept_and_submit()
    app.upload_papers()
    app.becomes_active(box)


def test_a_person_removed_and_a_role_that_is_full(app: App) -> None:
    app.call("POST", "", {"account_type": "CUSTODIAL"}, expect=201)
    minor = app.add(role="MINOR_OWNER")
    full = app.call("POST", "/owners", {"role": "MINOR_OWNER", "country": "US"}, expect=422)
    assert full["errors"][0]["pointer"] == "/role"
    app.call("DELETE", f"/owners/{minor}")
    assert len(app.state["owners"]) == 1
    app.call("DELETE", f"/owners/{minor}", expect=404)
    assert Application.objects.count() == 1
