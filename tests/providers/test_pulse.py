"""The heartbeat of the partner API: kept when it answers, and named by its environment."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from pytest_django import Settings

from portal import clock
from portal.models import Heartbeat, User
from providers import pulse
from tests.providers import talker as talking

pytestmark = pytest.mark.django_db


def test_it_is_kept_when_it_answers_and_said_when_it_does_not(
    talker: talking.Talker,
    settings: Settings,
    staff: Callable[[str], User],
    signed_in: Callable[[User], Client],
) -> None:
    settings.BAKKT_PARTNER_URL = settings.SANDBOX_URL = talker.url
    talker.then(
        "/partner/v1/oauth2/token",
        talking.answer(body={"accessToken": "T", "expiresIn": "600", "tokenType": "Bearer"}),
    )
    talker.then("/partner/v1/heartbeat", talking.answer(body={"result": "PONG"}))
    assert pulse.ask()
    client = signed_in(staff("administrator"))
    page = client.get("/staff/operations/").content.decode()
    assert "Bakkt partner API" in page and "Answers" in page and "stand-in" in page
    Heartbeat.objects.filter(name=pulse.NAME).update(at=clock.now() - timedelta(minutes=5))
    assert "Silent" in client.get("/staff/operations/").content.decode()
    settings.BAKKT_PARTNER_URL = ""
    assert not pulse.ask()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://gql-gw.mkt.ptr.bakkt.com", "PTR"),
        ("https://gql-gw.mkt.bakkt.com", "production"),
        ("", "not connected"),
    ],
)
def test_the_environment_is_named(settings: Settings, url: str, words: str) -> None:
    settings.BAKKT_PARTNER_URL, settings.SANDBOX_URL = url, ""
    assert pulse.environment() == words
