"""The operations page says in one look whether the background works, and which queue nobody works."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from portal import heartbeat
from portal.models import User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        ((), ("Not seen lately", "No worker or no beat")),
        (("webhooks", "documents", "bulk"), ("Partly stopped", "No worker takes: provider, default")),
        (heartbeat.QUEUES, ("Running",)),
    ],
)
def test_what_works_in_the_background(
    seen: tuple[str, ...],
    said: tuple[str, ...],
    staff: Callable[[str], User],
    signed_in: Callable[[User], Client],
) -> None:
    for queue in seen:
        heartbeat.beat(queue)
    page = signed_in(staff("auditor")).get(reverse("operations:home")).content.decode()
    for words in said:
        assert words in page
