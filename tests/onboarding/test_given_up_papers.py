"""Papers and the checks of a trust at a provider that falls silent: given up, decided by a person, all ends well."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from onboarding import standing
from onboarding.models import Application, Document
from onboarding.operations import KYB_TRIGGER, UPLOAD
from onboarding.services import application_submit
from portal.models import OutboundCall, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver, exchanges, later
from tests.flow import drain, publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import upload, upload_all
from tests.onboarding.test_given_up import cases, decide, latest, now

SignIn = Callable[[User], Client]
Staff = Callable[[str], User]
#: Moments at which workers come round: the last one is past the provider's memory of a key.
ROUNDS: tuple[dict[str, float], ...] = ({}, {"hours": 2}, {"days": 2}, {"days": 10})
AFTERWARDS = {"days": 10.0, "hours": 1.0}


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


def silence(box: SandboxProcess, operation: str) -> None:
    """The provider takes the connection and never says a word, until the outbox gives the call up."""
    box.fault("hang", operation, seconds=5, count=None)
    for round_ in ROUNDS:
        with later(**round_):
            drain()
    box.api("DELETE", "faults")


def told(application: Application, signed_in: SignIn) -> str:
    """The customer's own page."""
    address = f"/applications/{application.pk}/"
    return signed_in(application.customer.user).get(address).content.decode()


def test_a_paper(box: SandboxProcess, customer_user: User, staff: Staff, signed_in: SignIn) -> None:
    application = journeys.trust(customer_user)
    application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    found = upload(customer_user, application, type="TRUST_CERTIFICATION")
    silence(box, "upload_document")
    call = latest(UPLOAD)
    assert call.status == OutboundCall.Status.NEEDS_PERSON
    assert call.attempts >= 2
    [case] = cases()
    assert (case.status, case.subject_id) == ("open", found.pk)
    found.refresh_from_db()
    assert found.status == Document.Status.SENDING
    assert account_of(application).stuck_at is not None
    assert "Something could not be passed on to the provider so far." in told(application, signed_in)

    with later(**AFTERWARDS):
        decide(staff("compliance_analyst"), "again")
        drain()
    found.refresh_from_db()
    assert found.status == Document.Status.AT_PROVIDER
    (there,) = box.account(application.reference)["documents"]
    assert there["sha256"] == found.sha256
    assert [case.status for case in cases()] == ["closed"]
    assert account_of(application).stuck_at is None
    assert "could not be passed on" not in told(application, signed_in)


def test_the_checks_of_a_trust(
    box: SandboxProcess, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = journeys.trust(customer_user)
    upload_all(customer_user, application)
    application_submit(actor=customer_user, application_id=application.pk, source="page")
    silence(box, "trigger_kyb")
    call = latest(KYB_TRIGGER)
    assert call.status == OutboundCall.Status.NEEDS_PERSON
    [case] = cases()
    assert (case.status, case.subject_id) == ("open", account_of(application).pk)
    assert standing.ball(now(application)).holder == "us"
    assert "Something could not be passed on to the provider so far." in told(application, signed_in)

    with later(**AFTERWARDS):
        decide(staff("compliance_analyst"), "again")
        drain()
        assert [case.status for case in cases()] == ["closed"]
        assert account_of(application).stuck_at is None
        deliver(box)
    # Asked more than once, begun once: the account is open, and nothing more is asked of anybody.
    assert OutboundCall.objects.filter(operation=KYB_TRIGGER).count() == 1
    assert len(exchanges(box, "trigger_kyb")) >= 3
    assert now(application).status == Application.Status.APPROVED
    assert account_of(application).status == "active"
    assert standing.standing(now(application)).next_kind == "none"
