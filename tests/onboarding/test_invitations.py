# ruff: noqa: F811  (fixtures are imported by name)
"""Inviting an owner to fill in their own part: sending, links that are worth nothing, races for the part."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import connections
from django.test import Client
from django.urls import reverse

from onboarding import services
from onboarding.models import Owner, OwnerInvitation
from portal import clock
from portal.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, User
from portal.models.mail import MailMessage
from tests.onboarding import journeys
from tests.onboarding.invitations_support import (  # noqa: F401
    SECRET_STREET,
    Case,
    SignIn,
    accept_as,
    case,
    last_token,
    page,
)
from tests.people import PASSWORD, make_customer_user

pytestmark = pytest.mark.django_db

# --- Sending ------------------------------------------------------------------------------------------------


def test_the_letter_alone_holds_the_link(case: Case) -> None:
    token = case.invite()
    row = OwnerInvitation.objects.get()
    assert (row.email, row.state) == (case.invited.email, "open")
    assert token not in str(vars(row))
    assert case.invited.email not in str(list(AuditEntry.objects.values_list("after", flat=True)))
    assert MailMessage.objects.get().content.reveal()["to"] == [case.invited.email]


def test_the_address_is_asked_for_when_it_is_missing(case: Case, signed_in: SignIn) -> None:
    browser = signed_in(case.applicant)
    url = case.url("person_invite", case.owner.pk)
    assert browser.post(url, {"email": ""}).status_code == 422
    with pytest.raises(Invalid):
        case.invite(email="")
    assert browser.post(url, {"email": "kim@example.test"}).status_code == 302
    case.owner.refresh_from_db()
    assert case.owner.email == "kim@example.test"
    case.invite(email="")
    assert OwnerInvitation.objects.filter(email="kim@example.test").count() == 2


@pytest.mark.parametrize(
    "email", ["nobody", "a@b@c", "x" * 250 + "@example.test", "<script>@x", "a\x00@b.test"]
)
def test_an_address_that_does_not_hold_is_named(case: Case, signed_in: SignIn, email: str) -> None:
    response = signed_in(case.applicant).post(case.url("person_invite", case.owner.pk), {"email": email})
    assert response.status_code == 422
    assert not OwnerInvitation.objects.exists()


def test_neither_the_applicant_s_own_address_nor_one_for_two_people(case: Case) -> None:
    with pytest.raises(Invalid, match="Look at"):
        case.invite(email=case.applicant.email)
    case.invite()
    other = journeys.add(case.applicant, case.application, "AUTHORIZED_AGENT")
    with pytest.raises(Invalid):
        services.owner_invite(
            actor=case.applicant,
            application_id=case.application.pk,
            owner_id=other.pk,
            email=case.invited.email.upper(),
            source="page",
        )


def test_who_does_not_accept_for_themselves_is_not_invited(case: Case) -> None:
    case.owner = journeys.add(case.applicant, case.application, "BENEFICIAL_OWNER")
    with pytest.raises(Conflict):
        case.invite()


def test_letters_of_a_day_are_bounded(case: Case) -> None:
    for _ in range(20):
        case.invite()
    with pytest.raises(Conflict, match="tomorrow"):
        case.invite()
    with time_machine.travel(clock.now() + timedelta(days=1, minutes=1), tick=False):
        case.invite()


def test_a_stranger_invites_nobody(case: Case, signed_in: SignIn) -> None:
    stranger = make_customer_user("Sam Strange")
    with pytest.raises(NotFound):
        services.owner_invite(
            actor=stranger,
            application_id=case.application.pk,
            owner_id=case.owner.pk,
            email=stranger.email,
            source="page",
        )
    assert signed_in(stranger).get(case.url("person_invite", case.owner.pk)).status_code == 404
    case.claim()
    assert signed_in(case.invited).get(case.url("person_invite", case.owner.pk)).status_code == 404
    assert OwnerInvitation.objects.count() == 1


# --- Links that are worth nothing ---------------------------------------------------------------------------


def test_every_worthless_link_says_why(case: Case, signed_in: SignIn) -> None:
    browser = signed_in(case.invited)
    old = case.invite()
    new = case.invite()
    replaced = browser.get(reverse("customer:invitation", args=[old]))
    assert replaced.status_code == 410 and "newer invitation" in page(replaced)
    unknown = browser.get(reverse("customer:invitation", args=["x" * 43]))
    assert unknown.status_code == 404 and "does not exist" in page(unknown)
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1), tick=False):
        late = signed_in(case.invited)
        ended = late.get(reverse("customer:invitation", args=[new]))
        assert ended.status_code == 410 and "run out" in page(ended)
        with pytest.raises(Conflict, match="run out"):
            services.invitation_accept(actor=case.invited, token=new, source="page")
    stranger = signed_in(make_customer_user("Sam Strange"))
    for answer in (
        stranger.get(reverse("customer:invitation", args=[new])),
        stranger.post(reverse("customer:invitation", args=[new])),
    ):
        assert answer.status_code == 403 and "another e-mail address" in page(answer)
        assert case.invited.email not in page(answer)
    services.invitation_accept(actor=case.invited, token=new, source="page")
    used = stranger.get(reverse("customer:invitation", args=[new]))
    assert used.status_code == 410 and "used already" in page(used)


def test_an_unverified_address_is_not_enough(case: Case) -> None:
    token = case.invite()
    EmailAddress.objects.filter(user=case.invited).update(verified=False)
    with pytest.raises(Forbidden):
        services.invitation_accept(actor=case.invited, token=token, source="page")
    assert Owner.objects.get(pk=case.owner.pk).user is None


def test_staff_take_no_part(case: Case, staff: Callable[[str], User]) -> None:
    agent = staff("onboarding_agent")
    token = case.invite(email=agent.email)
    with pytest.raises(Forbidden):
        services.invitation_accept(actor=agent, token=token, source="page")


def test_looking_at_the_page_takes_nothing(case: Case, signed_in: SignIn) -> None:
    address = reverse("customer:invitation", args=[case.invite()])
    browser = signed_in(case.invited)
    shown = browser.get(address)
    assert shown.status_code == 200 and "Take this part" in page(shown)
    assert (shown["Referrer-Policy"], shown["Cache-Control"]) == ("strict-origin", "no-store")
    assert Owner.objects.get(pk=case.owner.pk).user is None
    assert browser.post(address)["Location"] == case.url("part")
    assert Owner.objects.get(pk=case.owner.pk).user == case.invited
    assert browser.get(address)["Location"] == case.url("part")


def test_who_signs_in_after_following_the_link_comes_back_to_it(case: Case) -> None:
    address = reverse("customer:invitation", args=[case.invite()])
    browser = Client()
    assert "exactly the e-mail address" in page(browser.get(address))
    assert browser.post(address).status_code == 200
    assert Owner.objects.get(pk=case.owner.pk).user is None
    signed = browser.post(
        reverse("account_login"), {"login": case.invited.email, "password": PASSWORD}, follow=True
    )
    assert signed.redirect_chain[-1][0] == address
    assert browser.get(reverse("customer:home")).status_code == 200


def test_a_handed_in_application_takes_nobody_in(case: Case, signed_in: SignIn) -> None:
    token = case.invite()
    services.application_withdraw(actor=case.applicant, application_id=case.application.pk, source="page")
    shown = signed_in(case.invited).get(reverse("customer:invitation", args=[token]))
    assert shown.status_code == 410 and "no longer being filled in" in page(shown)
    with pytest.raises(Conflict):
        services.invitation_accept(actor=case.invited, token=token, source="page")


def test_a_person_who_was_removed_has_no_link_and_no_part(case: Case, signed_in: SignIn) -> None:
    case.claim()
    case.fill()
    services.owner_remove(
        actor=case.applicant, application_id=case.application.pk, owner_id=case.owner.pk, source="page"
    )
    assert not OwnerInvitation.objects.exists()
    assert signed_in(case.invited).get(case.url("part")).status_code == 404


# --- Races --------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_are_one_claim(case: Case) -> None:
    token = case.invite()
    assert at_once([case.invited, case.invited], token) == [None, None]
    assert AuditEntry.objects.filter(action="application.owner_joined").count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_people_at_once_one_has_the_part(case: Case) -> None:
    token = case.invite()
    second = make_customer_user("Kim Lee")
    # An address may stand in two logins, but only one of them has proved it.
    EmailAddress.objects.create(user=second, email=case.invited.email, verified=False)
    results = at_once([case.invited, second], token)
    assert [type(result) for result in results if result is not None] == [Forbidden]
    assert Owner.objects.get(pk=case.owner.pk).user == case.invited


@pytest.mark.django_db(transaction=True)
def test_two_invitations_at_once_leave_one_link_open(case: Case) -> None:
    errors: list[Exception] = []

    def send() -> None:
        try:
            case.invite()
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert sorted(row.state for row in OwnerInvitation.objects.all()) == ["open", "revoked"]


def at_once(people: list[User], token: str) -> list[DomainError | None]:
    """Each takes the part at the same moment; what each was told."""
    results: dict[int, DomainError | None] = {}
    start = threading.Barrier(len(people))

    def claim(place: int) -> None:
        start.wait()
        try:
            services.invitation_accept(actor=people[place], token=token, source="page")
            results[place] = None
        except DomainError as error:
            results[place] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=claim, args=[place]) for place in range(len(people))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[place] for place in range(len(people))]
