"""The customer's pages over HTTP: saving step by step, two devices at once, handing in, and whose it is."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import completeness, drafts, services
from onboarding.models import Application, ApplicationStep
from portal.ids import new_id
from portal.models import OutboundCall, User
from tests.flow import complete_draft, publish_agreements, submitted
from tests.onboarding import answers, journeys
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]

#: Every page of one application.
PAGES = ("application", "resume", "status_part", "review", "withdraw")


@pytest.fixture
def browser(customer_user: User, signed_in: SignIn) -> Client:
    """The customer's browser."""
    return signed_in(customer_user)


@pytest.fixture
def draft(customer_user: User) -> Application:
    """An empty draft, agreements in force."""
    publish_agreements()
    return services.application_start(actor=customer_user, source="page")


def url(name: str, application: Application, *more: str) -> str:
    return reverse(f"customer:{name}", args=[application.pk, *more])


def step_url(application: Application, step: str) -> str:
    return url("step", application, step)


def typed(step: str, *, version: int = 0, **changed: Any) -> dict[str, Any]:
    """A step's answers as a browser posts them: the date in three boxes, a checkbox only when ticked."""
    data: dict[str, Any] = {**answers.STEPS.get(step, {}), **changed, "step_version": str(version)}
    if "date_of_birth" in data:
        parts = str(data.pop("date_of_birth") or "--").split("-")
        for name, value in zip(("year", "month", "day"), parts, strict=True):
            data[f"date_of_birth_{name}"] = value
    return {name: value for name, value in data.items() if value is not False}


def page(response: Any) -> str:
    return response.content.decode()


START = {"account_type": "INDIVIDUAL", "country": "US"}


def owner_of(application: Application) -> Any:
    return drafts.applicant_of(Application.objects.get(pk=application.pk))


# --- Step by step -------------------------------------------------------------------------------------------


def test_from_the_first_step_to_the_review(browser: Client) -> None:
    publish_agreements()
    started = browser.post(reverse("customer:start"), START, follow=True)
    application = Application.objects.get()
    assert started.redirect_chain[-1][0] == step_url(application, "identity")
    order = [*answers.STEPS, "trusted_contact", "agreements"]
    for step, following in pairwise(order):
        assert browser.get(step_url(application, step)).status_code == 200
        saved = browser.post(step_url(application, step), typed(step))
        assert (saved.status_code, saved.headers["Location"]) == (302, step_url(application, following))
    data = {
        f"{word}_{row.pk}": value
        for row in completeness.agreements_in_force()
        for word, value in (("accept", "1"), ("shown", row.text_sha256))
    }
    accepted = browser.post(step_url(application, "agreements"), data)
    assert accepted.headers["Location"] == url("review", application)
    review = page(browser.get(url("review", application)))
    assert "100 Sample Street" in review
    assert "•••-••-1234" in review
    assert "536221234" not in review.replace("-", "")


def test_starting_twice_is_one_draft(browser: Client) -> None:
    for _ in range(2):
        assert browser.post(reverse("customer:start"), START).status_code == 302
    assert Application.objects.count() == 1
    assert "For a child" in page(browser.get(reverse("customer:start")))


def test_save_and_finish_later_goes_home_and_coming_back_goes_on(browser: Client, draft: Application) -> None:
    left = browser.post(step_url(draft, "identity"), typed("identity") | {"save_and_leave": "1"}, follow=True)
    assert left.redirect_chain[-1][0] == reverse("customer:home")
    assert "Come back any time" in page(left)
    assert owner_of(draft).given_name == "Ana"
    assert browser.get(url("resume", draft)).headers["Location"] == step_url(draft, "contact")


def test_what_does_not_hold_is_said_on_top_and_beside_and_nothing_is_lost(
    browser: Client, draft: Application
) -> None:
    refused = browser.post(
        step_url(draft, "identity"), typed("identity", given_name="Ana 7", date_of_birth="2020-01-01")
    )
    assert refused.status_code == 422
    shown = page(refused)
    assert "<title>Error: " in shown
    assert "error-summary" in shown
    assert 'href="#id_given_name"' in shown
    assert shown.count("must be 18 or older") == 2
    assert 'value="Ana 7"' in shown
    assert 'value="Ortiz"' in shown
    assert not ApplicationStep.objects.exists()
    assert owner_of(draft).family_name == ""


@pytest.mark.parametrize("step", [*answers.STEPS])
def test_an_empty_or_hostile_post_is_a_page(browser: Client, draft: Application, step: str) -> None:
    assert browser.post(step_url(draft, step), {}).status_code == 422
    names = [*typed(step), "step_version"]
    for value in ("\x00", "a\x00b", "\u202eabc", "🙂", "9" * 10_000, "<script>alert(1)</script>"):
        response = browser.post(step_url(draft, step), dict.fromkeys(names, value))
        assert response.status_code == 422, value
        assert "<script>alert(1)" not in page(response)
    assert not ApplicationStep.objects.exists()


@pytest.mark.parametrize(
    ("step", "condition"),
    [
        ("trusted_contact", "has_contact=on"),
        ("trusted_contact", "contact_has_address=on"),
        ("address", "mailing_same="),
    ],
)
def test_a_box_is_named_as_the_browser_holds_it(
    browser: Client, draft: Application, step: str, condition: str
) -> None:
    html = browser.get(step_url(draft, step)).content.decode()
    assert f'data-shown-when="{condition}"' in html


def test_kept_sensitive_answers_stay_when_left_blank_and_are_never_in_the_page(
    browser: Client, customer_user: User
) -> None:
    draft = complete_draft(customer_user, **answers.ANA)
    shown = page(browser.get(step_url(draft, "identity")))
    for secret in ("536221234", "536-22-1234", "536-22", "1988"):
        assert secret not in shown
    assert "We have •••-••-1234. Leave this empty to keep it." in shown
    blank = typed("identity", version=1, given_name="Anna", tax_id="", date_of_birth=None)
    assert browser.post(step_url(draft, "identity"), blank).status_code == 302
    owner = owner_of(draft)
    kept = (owner.given_name, owner.tax_id.reveal(), str(owner.date_of_birth.reveal()))
    assert kept == ("Anna", "536221234", "1988-04-17")


def test_a_refused_page_does_not_give_away_what_is_kept(browser: Client, customer_user: User) -> None:
    draft = complete_draft(customer_user, **answers.ANA)
    blank = typed("identity", version=1, given_name="7", tax_id="", date_of_birth=None)
    refused = browser.post(step_url(draft, "identity"), blank)
    assert refused.status_code == 422
    for secret in ("536221234", "536-22", "1988"):
        assert secret not in page(refused)


# --- Two devices --------------------------------------------------------------------------------------------


def test_two_devices_nothing_is_lost_and_the_second_save_is_deliberate(
    browser: Client, customer_user: User, draft: Application, signed_in: SignIn
) -> None:
    phone = signed_in(customer_user)
    assert phone.post(step_url(draft, "address"), typed("address", home_city="Dallas")).status_code == 302
    late = browser.post(step_url(draft, "address"), typed("address", home_city="Houston"))
    assert late.status_code == 409
    shown = page(late)
    assert "changed on another device" in shown
    assert "Dallas" in shown
    assert 'value="Houston"' in shown
    assert journeys.kept(draft, "address")["home_city"] == "Dallas"  # type: ignore[index]

    hidden = shown.rpartition('name="step_version" value="')[2].partition('"')[0]
    again = browser.post(
        step_url(draft, "address"), typed("address", version=int(hidden), home_city="Houston")
    )
    assert again.status_code == 302
    assert journeys.kept(draft, "address")["home_city"] == "Houston"  # type: ignore[index]


def test_a_conflict_shows_of_a_tax_number_no_more_than_its_mask(
    browser: Client, customer_user: User, draft: Application, signed_in: SignIn
) -> None:
    phone = signed_in(customer_user)
    phone.post(step_url(draft, "identity"), typed("identity", tax_id="219-09-9999"))
    late = browser.post(step_url(draft, "identity"), typed("identity"))
    assert late.status_code == 409
    assert "•••-••-9999" in page(late)
    assert "219099999" not in page(late).replace("-", "")
    assert owner_of(draft).tax_id.reveal() == "219099999"


# --- Agreements, review, handing in -------------------------------------------------------------------------


def test_agreements_left_out_or_changed_meanwhile_are_named(browser: Client, draft: Application) -> None:
    first, second = completeness.agreements_in_force()
    refused = browser.post(
        step_url(draft, "agreements"), {f"accept_{first.pk}": "1", f"shown_{first.pk}": "\x00" * 64}
    )
    assert refused.status_code == 422
    assert f"“{first.title}” was changed." in page(refused)
    assert f"Read and accept “{second.title}”." in page(refused)
    assert not owner_of(draft).acceptances.exists()


def test_the_review_of_an_unfinished_draft_goes_to_what_is_missing(
    browser: Client, draft: Application
) -> None:
    assert browser.get(url("review", draft)).headers["Location"] == url("resume", draft)
    handed_in = browser.post(url("review", draft), follow=True)
    assert handed_in.redirect_chain[-1][0] == step_url(draft, "identity")
    assert "Something is still missing" in page(handed_in)
    assert not OutboundCall.objects.exists()


def test_handing_in_twice_is_one_submission(browser: Client, customer_user: User) -> None:
    draft = complete_draft(customer_user)
    for _ in range(2):
        sent = browser.post(url("review", draft))
        assert (sent.status_code, sent.headers["Location"]) == (302, url("application", draft))
    assert OutboundCall.objects.count() == 1
    assert "We have your application" in page(browser.get(url("application", draft)))
    assert browser.get(url("review", draft)).headers["Location"] == url("application", draft)
    for method in (browser.get, browser.post):
        answer = method(step_url(draft, "contact"))
        assert answer.headers["Location"] == url("application", draft)


def test_the_status_fragment_is_no_whole_page(browser: Client, customer_user: User) -> None:
    application = submitted(customer_user)
    fragment = page(browser.get(url("status_part", application)))
    assert "We have your application" in fragment
    assert "<html" not in fragment


def test_a_draft_is_withdrawn_after_a_question_a_submission_is_not(
    browser: Client, customer_user: User
) -> None:
    draft = complete_draft(customer_user)
    assert browser.get(url("withdraw", draft)).status_code == 200
    draft.refresh_from_db()
    assert draft.status == Application.Status.DRAFT
    assert browser.post(url("withdraw", draft)).headers["Location"] == reverse("customer:home")
    draft.refresh_from_db()
    assert draft.status == Application.Status.WITHDRAWN

    application = submitted(make_customer_user())
    other = Client()
    other.force_login(application.customer.user)
    assert other.post(url("withdraw", application)).status_code == 409
    application.refresh_from_db()
    assert application.status == Application.Status.SUBMITTED


# --- Whose --------------------------------------------------------------------------------------------------


def everything(application: Application) -> list[str]:
    steps = [step_url(application, step) for step in [*answers.STEPS, "agreements"]]
    return [url(name, application) for name in PAGES] + steps


def test_another_customers_application_is_not_there(customer_user: User, signed_in: SignIn) -> None:
    theirs = complete_draft(customer_user)
    stranger = signed_in(make_customer_user("Someone Else"))
    for address in everything(theirs):
        assert stranger.get(address).status_code == 404, address
    for address in (step_url(theirs, "address"), url("review", theirs), url("withdraw", theirs)):
        assert stranger.post(address, typed("address", version=1, home_city="Dallas")).status_code == 404
    theirs.refresh_from_db()
    assert theirs.status == Application.Status.DRAFT
    assert journeys.kept(theirs, "address")["home_city"] == "Austin"  # type: ignore[index]
    assert "Reference" not in page(stranger.get(reverse("customer:home")))


def test_staff_have_pages_of_their_own(
    customer_user: User, roles: list[str], staff: Staff, signed_in: SignIn
) -> None:
    application = complete_draft(customer_user)
    for role in roles:
        if role == "customer":
            continue
        client = signed_in(staff(role))
        assert client.get(url("application", application)).status_code == 403
        assert client.post(url("review", application)).status_code == 403
        assert client.post(url("withdraw", application)).status_code == 403
    application.refresh_from_db()
    assert application.status == Application.Status.DRAFT


def test_nobody_signed_in_is_sent_to_sign_in(customer_user: User, client: Client) -> None:
    application = complete_draft(customer_user)
    for address in [reverse("customer:home"), *everything(application)]:
        answer = client.get(address)
        assert answer.status_code == 302, address
        assert "login" in answer.headers["Location"]


def test_what_does_not_exist_is_not_found(browser: Client, draft: Application) -> None:
    assert browser.get(reverse("customer:application", args=[new_id()])).status_code == 404
    assert browser.get(step_url(draft, "nonsense")).status_code == 404
    assert browser.post(step_url(draft, "nonsense"), {}).status_code == 404


@pytest.mark.parametrize("query", ["q=%00", "after=%00", "after=x", "status=%00", "after=%ED%A0%80"])
def test_odd_addresses_are_answered(browser: Client, customer_user: User, query: str) -> None:
    application = submitted(customer_user)
    for address in (reverse("customer:home"), url("application", application)):
        assert browser.get(f"{address}?{query}").status_code == 200
