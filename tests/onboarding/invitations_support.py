"""A company with one more member to invite, and what tests of invitations share."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import completeness, drafts, services
from onboarding.models import Application, Owner
from portal.models import User
from portal.models.mail import MailMessage
from tests.flow import publish_agreements
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

SignIn = Callable[[User], Client]
SECRET_STREET = "77 Quiet Lane"


@dataclass
class Case:
    """A company whose applicant added one more authorised member."""

    application: Application
    applicant: User
    owner: Owner
    invited: User

    def invite(self, **more: Any) -> str:
        """Send the invitation; the token that stands in the letter."""
        services.owner_invite(
            actor=self.applicant,
            application_id=self.application.pk,
            owner_id=self.owner.pk,
            source="page",
            **({"email": self.invited.email} | more),
        )
        return last_token()

    def claim(self) -> Owner:
        return services.invitation_accept(actor=self.invited, token=self.invite(), source="page")

    def url(self, name: str, *more: Any) -> str:
        return reverse(f"customer:{name}", args=[self.application.pk, *more])

    def fill(self) -> None:
        """The invited person answers everything but the agreements."""
        steps = journeys.person_steps(7)
        steps["address"] = answers.HOME | {"home_line1": SECRET_STREET}
        journeys.save(self.invited, self.application, steps, self.owner)


def last_token() -> str:
    text = MailMessage.objects.latest("created_at").content.reveal()["text"]
    found = re.search(r"/invite/([\w-]+)/", text)
    assert found, text
    return found[1]


@pytest.fixture
def case(customer_user: User) -> Case:
    publish_agreements()
    application = services.application_start(
        actor=customer_user, account_type="ENTITY", entity_type="LLC", source="page"
    )
    owner = journeys.add(customer_user, application, "AUTHORIZED_MEMBER", given_name="Kim", family_name="Lee")
    return Case(application, customer_user, owner, make_customer_user("Kim Lee"))


def page(response: Any) -> str:
    return str(response.content.decode())


def accept_as(user: User, application: Application) -> None:
    draft = drafts.load(application)
    asked = completeness.agreements_for(draft, draft.part_of(user))
    services.agreements_accept(
        actor=user,
        application_id=application.pk,
        accepted={row.pk: row.text_sha256 for row in asked},
        source="page",
    )
