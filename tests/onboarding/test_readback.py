"""Staff compare our record with the provider's and resolve what differs."""

from collections.abc import Callable

import pytest
from django.test import Client

from onboarding import services
from onboarding.models import AccountUpdate, Application, Owner
from portal.errors import Conflict, Forbidden
from portal.models import AuditEntry, Role, User
from sandbox.testing import SandboxProcess
from tests.flow import drain
from tests.onboarding.test_updates import ask, opened, there

SignIn = Callable[[User], Client]


def drift(box: SandboxProcess, application: Application) -> None:
    changes = {
        "owners[0].phoneNumber": "+15125550111",
        "owners[0].identity.middleNames": "Maria",
        "owners[0].identity.taxId": "536229999",
    }
    box.api("POST", f"accounts/{application.reference}/drift", {"changes": changes})


def test_the_page_shows_every_difference_masked(
    box: SandboxProcess,
    customer_user: User,
    staff: Callable[[str], User],
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    analyst = signed_in(staff("compliance_analyst"))
    address = f"/staff/applications/{application.pk}/compare/"
    assert "The copies agree" in analyst.post(address).content.decode()
    drift(box, application)
    page = analyst.post(address).content.decode()
    for text in (
        "+15125550111",
        "+15125550142",
        "Maria",
        "Ours would blank it",
        "Changed by the provider alone",
    ):
        assert text in page
    assert "536229999" not in page
    assert AuditEntry.objects.filter(action="account.compare").count() == 2


def test_ours_is_sent_again(box: SandboxProcess, customer_user: User, staff: Callable[[str], User]) -> None:
    application = opened(box, customer_user)
    changes = {"owners[0].phoneNumber": "+15125550111"}
    box.api("POST", f"accounts/{application.reference}/drift", {"changes": changes})
    services.update_resend(
        actor=staff("compliance_analyst"), application_id=application.pk, reason="Asked them", source="page"
    )
    drain()
    assert there(application)["owners"][0]["phoneNumber"] == "+15125550142"
    assert AccountUpdate.objects.get().status in {"in_review", "applied"}


def test_theirs_is_taken_over_without_a_call(
    box: SandboxProcess,
    customer_user: User,
    staff: Callable[[str], User],
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    drift(box, application)
    owner = Owner.objects.get(application=application)
    analyst = signed_in(staff("compliance_analyst"))
    base = f"/staff/applications/{application.pk}/compare/{owner.pk}"
    analyst.post(f"{base}/contact/take/", {"reason": ""})
    assert Owner.objects.get(pk=owner.pk).phone == "+15125550142"
    analyst.post(f"{base}/contact/take/", {"reason": "The customer confirmed it"})
    analyst.post(f"{base}/identity/take/", {"reason": "The customer confirmed it"})
    owner.refresh_from_db()
    assert (owner.phone, owner.middle_names) == ("+15125550111", "Maria")
    # The tax number is the provider's to change, and stays as it was with us.
    assert owner.tax_id.reveal() != "536229999"
    assert AccountUpdate.objects.filter(status="applied").count() == 2


def test_who_may_resolve_and_when(
    box: SandboxProcess,
    customer_user: User,
    staff: Callable[[str], User],
) -> None:
    application = opened(box, customer_user)
    for role in (Role.AUDITOR, Role.FUNDING_OPERATOR, Role.ONBOARDING_AGENT):
        with pytest.raises(Forbidden):
            services.update_resend(
                actor=staff(role), application_id=application.pk, reason="Because", source="page"
            )
    ask(application)
    with pytest.raises(Conflict):
        services.update_resend(
            actor=staff("compliance_manager"), application_id=application.pk, reason="Because", source="page"
        )


def test_a_provider_that_does_not_answer_is_told(
    box: SandboxProcess,
    customer_user: User,
    staff: Callable[[str], User],
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    box.fault("500_before", "read_account", count=None)
    page = (
        signed_in(staff("compliance_analyst"))
        .post(f"/staff/applications/{application.pk}/compare/")
        .content.decode()
    )
    assert "could not be read" in page
