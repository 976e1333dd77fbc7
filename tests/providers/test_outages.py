"""What staff see of a provider's silence: what was recovered by reading, outages, and the notes on them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from portal import clock
from portal.errors import Forbidden, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, User
from providers import expected, selectors
from providers.models import ExpectedEvent, ProviderOutage

pytestmark = pytest.mark.django_db
State = ExpectedEvent.State


@pytest.fixture
def outage(db: None) -> ProviderOutage:
    return ProviderOutage.objects.create(provider="bakkt", late_count=12)


def settled(state: str, *, hours_ago: float) -> None:
    moment = clock.now() - timedelta(hours=hours_ago)
    ExpectedEvent.objects.create(
        subject_type="portal.user",
        subject_id=new_id(),
        kind="PARTY_STATUS",
        provider="bakkt",
        state=state,
        due_at=moment,
        next_look_at=moment,
        settled_at=moment,
    )


def test_what_was_recovered_is_counted_by_when_and_what_came_by_itself_is_not(
    staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    for hours in (1, 23.9, 24.1, 167.9, 168.1):
        settled(State.RECOVERED, hours_ago=hours)
    settled(State.MET, hours_ago=1)
    assert selectors.answers_recovered() == {"day": 2, "week": 4}
    page = signed_in(staff("auditor")).get(reverse("operations:home")).content.decode()
    assert "Recovered by poll, 24 hours" in page
    assert "Recovered by poll, 7 days" in page


def test_a_note_is_kept_shown_and_its_forerunner_stays_in_the_trail(
    outage: ProviderOutage, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    operator = staff("funding_operator")
    client = signed_in(operator)
    address = reverse("operations:outage", args=[outage.pk])
    assert address in client.get(reverse("operations:home")).content.decode()
    assert client.get(address).status_code == 200
    for note in ("Ticket 4711", "Ticket 4711: they <work> on it"):
        assert client.post(address, {"note": note}).status_code == 302
    outage.refresh_from_db()
    assert (outage.note, outage.noted_by) == ("Ticket 4711: they <work> on it", operator)
    page = client.get(reverse("operations:home")).content.decode()
    # In the banner while it lasts, and in the list.
    assert page.count("Ticket 4711: they &lt;work&gt; on it") == 2
    entries = AuditEntry.objects.filter(action="provider.outage_note").order_by("id")
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"note": ""}, {"note": "Ticket 4711"}),
        ({"note": "Ticket 4711"}, {"note": "Ticket 4711: they <work> on it"}),
    ]
    assert {entry.actor for entry in entries} == {operator}


@pytest.mark.parametrize("note", ["", "x" * 501])
def test_a_note_that_is_none_or_too_long_is_told_and_changes_nothing(
    outage: ProviderOutage, note: str, staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    client = signed_in(staff("administrator"))
    answer = client.post(reverse("operations:outage", args=[outage.pk]), {"note": note})
    assert answer.status_code == 422
    outage.refresh_from_db()
    assert outage.noted_at is None


@pytest.mark.parametrize("role", ["auditor", "onboarding_agent", "compliance_analyst", "customer"])
def test_who_may_not_write_notes(
    role: str,
    outage: ProviderOutage,
    customer_user: User,
    staff: Callable[[str], User],
    signed_in: Callable[[User], Client],
) -> None:
    person = customer_user if role == "customer" else staff(role)
    with pytest.raises(Forbidden):
        expected.note_outage(actor=person, outage_id=outage.pk, note="No")
    address = reverse("operations:outage", args=[outage.pk])
    client = signed_in(person)
    assert client.get(address).status_code in (403, 404)
    assert client.post(address, {"note": "No"}).status_code in (403, 404)
    outage.refresh_from_db()
    assert (outage.note, outage.noted_at) == ("", None)
    assert not AuditEntry.objects.filter(action="provider.outage_note").exists()
    if role != "customer":
        assert address not in client.get(reverse("operations:home")).content.decode()


def test_nobody_writes_about_an_outage_that_is_not_there(
    staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    actor = staff("administrator")
    with pytest.raises(NotFound):
        expected.note_outage(actor=actor, outage_id=new_id(), note="Gone")
    assert signed_in(actor).get(reverse("operations:outage", args=[new_id()])).status_code == 404
    assert Client().get(reverse("operations:outage", args=[new_id()])).status_code == 302


def test_the_code_before_this_still_opens_an_outage(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO providers_provideroutage (id, provider, started_at, late_count) "
            "VALUES (%s, 'bakkt', now(), 5)",
            [new_id()],
        )
    assert ProviderOutage.objects.get().note == ""
