"""What may be traded where the customer lives: told before they hand in, and in nobody's way."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from onboarding import availability, services
from onboarding.models import Address, Application, JurisdictionReading
from portal.models import User
from sandbox.testing import SandboxProcess
from tests.faults.way import exchanges, later
from tests.flow import complete_draft
from tests.people import make_customer_user

SignIn = Callable[[User], Client]


def living_in(user: User, **place: Any) -> Application:
    """A complete draft of somebody who lives there."""
    draft = complete_draft(user)
    Address.objects.filter(owner__application=draft).update(**place)
    return draft


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ({"state": "TX"}, "BTC, DOGE, ETH, SOL can be bought and sold."),
        ({"state": "NY", "postal_code": "10001"}, "DOGE, SOL cannot be traded."),
        ({"state": "HI", "postal_code": "96813"}, "BTC, DOGE, ETH, SOL can be sold, and not bought."),
        ({"country": "GB", "state": ""}, "DOGE can be sold, and not bought."),
        ({"country": "KP", "state": ""}, "could not trade"),
        ({"country": "AT", "state": ""}, "The provider names no restriction for Austria."),
    ],
    ids=["open", "some", "sell-only", "abroad", "nothing", "not-listed"],
)
def test_the_review_page_says_it_in_words(
    box: SandboxProcess,
    customer_user: User,
    signed_in: SignIn,
    place: dict[str, str],
    words: str,
) -> None:
    draft = living_in(customer_user, **place)
    found = availability.of(draft)
    assert words in " ".join(found.words)
    assert found.can_trade is (place.get("country") != "KP")
    if "country" in place:
        return  # The other answers are those of somebody at home in the US.
    page = signed_in(customer_user).get(f"/applications/{draft.pk}/review/").content.decode()
    assert words in page
    # It stops nobody.
    services.application_submit(actor=customer_user, application_id=draft.pk, source="page")


def test_what_is_kept_is_read_once_and_again_by_the_job(box: SandboxProcess, customer_user: User) -> None:
    draft = living_in(customer_user, state="TX")
    for _ in range(3):
        availability.of(draft)
    assert availability.refresh_if_due()
    assert len(exchanges(box, "jurisdictions")) == 1
    with later(hours=13):
        assert availability.refresh_if_due()
    assert len(exchanges(box, "jurisdictions")) == 2


@pytest.mark.parametrize("fault", ["500_before", "502_html", "nonsense", "drop_before", "429"])
def test_a_provider_that_does_not_answer_stops_nobody(
    box: SandboxProcess,
    customer_user: User,
    signed_in: SignIn,
    fault: str,
) -> None:
    draft = living_in(customer_user, state="TX")
    box.fault(fault, "jurisdictions", count=None)
    for _ in range(2):
        page = signed_in(customer_user).get(f"/applications/{draft.pk}/review/").content.decode()
        assert availability.NOT_CHECKED in page
    # Pages do not ask again at once.
    assert len(exchanges(box, "jurisdictions")) == 1
    assert availability.of(draft).can_trade is None


def test_an_old_answer_is_kept_for_a_week_and_no_longer(box: SandboxProcess, customer_user: User) -> None:
    draft = living_in(customer_user, state="TX")
    assert availability.refresh()
    box.fault("500_before", "jurisdictions", count=None)
    with later(days=6):
        assert not availability.refresh_if_due()
        assert availability.of(draft).can_trade is True
    with later(days=8):
        assert availability.of(draft).words == [availability.NOT_CHECKED]


def test_the_api_says_the_same_and_only_to_the_owner(
    box: SandboxProcess,
    customer_user: User,
    signed_in: SignIn,
) -> None:
    draft = living_in(customer_user, state="NY")
    address = f"/api/v1/applications/{draft.pk}/availability"
    body = signed_in(customer_user).get(address).json()
    assert (body["place"], body["can_trade"]) == ("New York", True)
    assert body["orders"] == {
        "open": ["BTC", "ETH"],
        "sell_only": [],
        "prohibited": ["DOGE", "SOL"],
        "unclear": [],
    }
    assert signed_in(make_customer_user("Bo")).get(address).status_code == 404
    assert Client().get(address).status_code in {401, 403}


def test_staff_who_fill_in_read_it_too(
    box: SandboxProcess,
    staff: Callable[[str], User],
    signed_in: SignIn,
) -> None:
    agent = staff("onboarding_agent")
    draft = services.application_start_for(
        actor=agent,
        name="Ana Ortiz",
        email="ana.new@example.test",
        account_type="INDIVIDUAL",
        country="KP",
        source="page",
    )
    page = signed_in(agent).get(f"/staff/applications/{draft.pk}/fill/").content.decode()
    assert "This account could not trade" in page


def test_a_word_nobody_knows_is_unclear(db: None) -> None:
    JurisdictionReading.objects.create(country="USA", state="TX", orders={"BTC": "MAYBE"})
    assert availability._coins({"BTC": "MAYBE"}).unclear == ("BTC",)
