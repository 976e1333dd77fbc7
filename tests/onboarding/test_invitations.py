"""Owners who fill in their own part: inviting, taking the part, and who sees and changes what afterwards."""

import json
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from onboarding import completeness, drafts, services
from onboarding.models import AgreementAcceptance, Application, Owner, OwnerInvitation
from portal import clock
from portal.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, User
from portal.models.mail import MailMessage
from tests.flow import publish_agreements
from tests.onboarding import answers, journeys
from tests.people import PASSWORD, make_customer_user

pytestmark = pytest.mark.django_db
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


def accept_as(user: User, application: Application) -> None:
    draft = drafts.load(application)
    asked = completeness.agreements_for(draft, draft.part_of(user))
    services.agreements_accept(
        actor=user,
        application_id=application.pk,
        accepted={row.pk: row.text_sha256 for row in asked},
        source="page",
    )


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
