"""The webhook pages: who sees what, what is hidden, and that nothing is done before it was shown."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from onboarding.models import ProviderAccount
from portal import clock
from portal.ids import new_id
from portal.models import AuditEntry, User
from providers import inbox, masking
from providers.models import InboundEvent
from tests.flow import submitted
from tests.providers.inbox_support import Renamer, fresh, handling, stored

pytestmark = pytest.mark.django_db
Status = InboundEvent.Status
SignIn = Callable[[User], Client]
Staff = Callable[[str], User]

SECRETS = {
    "verificationURL": "https://check.example/start?token=abc",
    "note": "see https://check.example/other or ana@example.test",
    "owners": [{"name": {"given": "Ana"}, "taxId": "912-34-5678"}],
    "deep": {"homeAddress": {"line": "17 Larkspur Lane"}, "phoneNumber": "+15125550142"},
}
SHOWN = {"partnerPartyRef": "PA-1234-5678", "requestId": "req-77", "partyStatus": "ACTIVE", "retry": False}
TELLTALES = ("check.example", "Ana", "912-34", "Larkspur", "5550142", "ana@")

VIEWERS = {
    "onboarding_agent",
    "compliance_analyst",
    "compliance_manager",
    "funding_operator",
    "auditor",
    "administrator",
}
REPLAYERS = {"compliance_manager", "funding_operator", "administrator"}
REVEALERS = {"compliance_analyst", "compliance_manager"}


@pytest.fixture
def renamer() -> Iterator[Renamer]:
    handler = Renamer()
    with handling(handler):
        yield handler


@pytest.fixture
def operator(staff: Staff, signed_in: SignIn) -> Client:
    """A browser that may see and replay."""
    return signed_in(staff("compliance_manager"))


def url(name: str, event: InboundEvent | None = None) -> str:
    return reverse(f"inbox:{name}", args=[event.pk] if event else [])


def text(response: Any) -> str:
    return response.content.decode()


# --- Who ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", sorted(VIEWERS | {"customer", ""}))
def test_every_page_for_every_role(
    role: str, renamer: Renamer, customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    event = stored(
        {"ref": customer_user.email, "name": "Renamed"}, status=Status.FAILED, next_attempt_at=None
    )
    user = customer_user if role in {"customer", ""} else staff(role)
    client = signed_in(user) if role else Client()
    seen = inbox.preview(event).fingerprint

    def right(allowed: set[str], yes: int) -> int:
        return yes if role in allowed else 403 if role else 302

    reason = {"reason": "checking"}
    assert client.get(url("list")).status_code == right(VIEWERS, 200)
    assert client.get(url("detail", event)).status_code == right(VIEWERS, 200)
    assert client.get(url("replay", event)).status_code == right(REPLAYERS, 200)
    assert client.get(url("replay_many")).status_code == right(REPLAYERS, 200)
    assert client.post(url("reveal", event), reason).status_code == right(REVEALERS, 302)
    assert AuditEntry.objects.filter(action="pii.reveal").exists() == (role in REVEALERS)
    picked = {"event": f"{event.pk}:{seen}"}
    may = role in REPLAYERS
    if not may:
        assert client.post(url("replay_many"), reason | picked).status_code == right(REPLAYERS, 200)
        assert client.post(url("replay", event), reason | {"seen": seen}).status_code == right(REPLAYERS, 302)
        assert fresh(event).status == Status.FAILED
        assert renamer.applied == 1  # The preview above, rolled back.
    else:
        assert client.post(url("replay", event), reason | {"seen": seen}).status_code == 302
        assert fresh(event).status == Status.PROCESSED


@pytest.mark.parametrize("role", sorted(VIEWERS))
def test_the_page_offers_only_what_the_role_may_do(role: str, staff: Staff, signed_in: SignIn) -> None:
    event = stored(SHOWN, status=Status.FAILED)
    page = text(signed_in(staff(role)).get(url("detail", event)))
    assert (url("replay", event) in page) == (role in REPLAYERS)
    assert (url("reveal", event) in page) == (role in REVEALERS)


def test_an_unknown_webhook_is_not_found(operator: Client) -> None:
    for name in ("detail", "replay"):
        assert operator.get(reverse(f"inbox:{name}", args=[new_id()])).status_code == 404
    assert operator.post(reverse("inbox:reveal", args=[new_id()]), {"reason": "checking"}).status_code == 404


def test_pages_that_change_something_take_no_get(operator: Client) -> None:
    assert operator.get(url("reveal", stored(SHOWN))).status_code == 405


# --- What is hidden -----------------------------------------------------------------------------------------


def test_the_body_is_shown_without_personal_data_and_links(operator: Client) -> None:
    page = text(operator.get(url("detail", stored(SHOWN | SECRETS))))
    for value in ("PA-1234-5678", "req-77", "ACTIVE"):
        assert value in page
    for telltale in TELLTALES:
        assert telltale not in page


def test_a_body_that_is_no_json_is_hidden_whole(operator: Client) -> None:
    page = text(operator.get(url("detail", stored(b"Ana Ortiz <b>hello</b>"))))
    assert "not JSON" in page
    assert "Ana" not in page


def test_revealing_shows_it_for_a_while_for_a_reason_and_leaves_a_trace(
    staff: Staff, signed_in: SignIn
) -> None:
    actor = staff("compliance_analyst")
    event = stored(SHOWN | SECRETS)
    response = signed_in(actor).post(url("reveal", event), {"reason": "the customer called"}, follow=True)
    assert "https://check.example/start" in text(response)
    assert response["Cache-Control"] == "no-store"
    entry = AuditEntry.objects.get(action="pii.reveal")
    assert (entry.actor, entry.subject_id, entry.reason) == (actor, event.pk, "the customer called")
    assert "check.example" not in json.dumps(entry.after)
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        assert "https://check.example/start" not in text(signed_in(actor).get(url("detail", event)))


def test_without_a_reason_nothing_is_revealed(operator: Client) -> None:
    response = operator.post(url("reveal", stored(SHOWN | SECRETS)), {"reason": " "})
    assert response.status_code == 422
    assert "check.example" not in text(response)
    assert not AuditEntry.objects.filter(action="pii.reveal").exists()


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\ud800", "\\ud800": 1}',
        b"[" * 300 + b"]" * 300,
        b"[" * 60_000,
        b"null",
        b"\x00",
        b"1e999",
        b"",
    ],
)
def test_no_body_breaks_the_page(operator: Client, body: bytes) -> None:
    event = stored(body)
    assert operator.get(url("detail", event)).status_code == 200
    assert operator.post(url("reveal", event), {"reason": "checking"}, follow=True).status_code == 200


def test_markup_in_a_webhook_is_text(operator: Client) -> None:
    evil = "<script>alert(1)</script>"
    event = stored({"partnerPartyRef": evil}, kind=evil, party_ref=evil, outcome=evil, headers={"Date": evil})
    for page in (operator.get(url("detail", event)), operator.get(url("list"))):
        assert evil not in text(page)
        assert "&lt;script&gt;" in text(page)


@pytest.mark.parametrize(
    ("key", "hidden"),
    [
        ("verificationURL", True), ("verificationUrlExpiry", False), ("tax_id", True), ("dateOfBirth", True),
        ("familyName", True), ("emailAddress", True), ("accountNumber", True), ("postalCode", True), ("iban", True),
        ("partnerPartyRef", False), ("partyStatus", False), ("reasonCode", False), ("requestId", False),
        ("partnerWebhookType", False), ("amount", False), ("transactionStatus", False), ("uuid", False),
    ],
)  # fmt: skip
def test_which_keys_are_hidden(key: str, hidden: bool) -> None:
    assert masking.masked(json.dumps({key: "value"})) == {key: masking.HIDDEN if hidden else "value"}


# --- The list -----------------------------------------------------------------------------------------------


def listed(client: Client, **query: str) -> list[str]:
    return [str(row["event"].pk) for row in client.get(url("list"), query).context["rows"]]


def test_search_and_filters(operator: Client) -> None:
    one = stored(b"1", party_ref="PA-1", provider_request_id="req-1", kind="PARTY_EVENT", status="processed")
    two = stored(b"2", party_ref="PA-2", kind="FIAT_EVENT", status="failed")
    with time_machine.travel(clock.now() - timedelta(days=10)):
        old = stored(b"3", provider="plaid")
    today, week_ago = f"{clock.today()}", f"{clock.today() - timedelta(days=7)}"
    assert (
        listed(operator, q="pa-1")
        == listed(operator, q=" req-1 ")
        == listed(operator, q=str(one.pk))
        == [str(one.pk)]
    )
    assert listed(operator, status="failed") == listed(operator, kind="FIAT_EVENT") == [str(two.pk)]
    assert listed(operator, until=week_ago) == [str(old.pk)]
    assert set(listed(operator, since=today, until=today)) == {str(one.pk), str(two.pk)}
    assert set(listed(operator, provider="bakkt")) == {str(one.pk), str(two.pk)}
    assert listed(operator, q="pa-1", status="failed") == []


@pytest.mark.parametrize(
    "query", ["status=nothing", "since=soon", "until=9999-12-31", "after=x", "provider=x"]
)
def test_an_address_that_does_not_hold_is_no_error(operator: Client, query: str) -> None:
    event = stored(b"1")
    response = operator.get(f"{url('list')}?{query}")
    assert [row["event"].pk for row in response.context["rows"]] == [event.pk]


def test_empty_states(operator: Client) -> None:
    assert "No webhooks yet" in text(operator.get(url("list")))
    assert "No webhook matches" in text(operator.get(url("list"), {"q": "PA-9"}))


def test_filters_stay_in_the_pages_and_each_can_be_taken_away(operator: Client) -> None:
    for number in range(30):
        stored(b"%d" % number, kind="PARTY_EVENT", status="failed")
    first = operator.get(url("list"), {"kind": "PARTY_EVENT", "status": "failed"})
    assert {"label": "Kind: PARTY_EVENT", "url": "?status=failed"} in first.context["chips"]
    second = operator.get(url("list") + first.context["older"])
    seen = [row["event"].pk for page in (first, second) for row in page.context["rows"]]
    assert len(seen) == len(set(seen)) == 30
    assert second.context["older"] == ""
    back = operator.get(url("list") + second.context["newer"])
    assert [row["event"].pk for row in back.context["rows"]] == seen[:25]


@pytest.mark.parametrize("page", ["list", "detail"])
def test_queries_do_not_grow_with_rows(
    page: str, operator: Client, renamer: Renamer, customer_user: User, django_assert_max_num_queries: Any
) -> None:
    def ask() -> int:
        with django_assert_max_num_queries(30) as captured:
            assert operator.get(url("list") if page == "list" else url("detail", event)).status_code == 200
        return len(captured)

    event = stored({"ref": customer_user.email, "name": "Renamed"})
    inbox.process_due()
    ask()
    few = ask()
    actor = User.objects.get(role="compliance_manager")
    for number in range(20):
        stored(b"%d" % number)
        inbox.replay(actor=actor, event_id=event.pk, reason="again")
        inbox.process(event.pk)
    assert ask() == few


# --- One webhook --------------------------------------------------------------------------------------------


def test_the_page_leads_to_what_it_is_about(customer_user: User, operator: Client) -> None:
    application = submitted(customer_user)
    account = ProviderAccount.objects.get(application=application)
    event = stored(
        {
            "partnerWebhookType": "PARTY_EVENT",
            "partnerPartyRef": account.client_account_id,
            "partyStatus": "ACTIVE",
            "reasonCode": "ENROLLMENT",
        }
    )
    inbox.process_due()
    page = text(operator.get(url("detail", event)))
    assert f'href="{reverse("staff:application", args=[application.pk])}"' in page
    assert "Account status: pending → active" in page


def test_the_history_names_who_replayed_and_why(
    renamer: Renamer, customer_user: User, operator: Client
) -> None:
    event = stored({"ref": customer_user.email, "name": "Renamed"})
    inbox.process_due()
    shown = operator.get(url("replay", event))
    assert "It would change nothing" in text(shown)
    assert "Stale, no effect." in text(shown)
    assert fresh(event).status == Status.PROCESSED
    operator.post(
        url("replay", event), {"reason": "the customer asks", "seen": shown.context["plan"].fingerprint}
    )
    page = operator.get(url("detail", event))
    titles = [step.title for step in page.context["history"]]
    assert titles == ["Received", "Processed", "Put back to be processed again", "No effect"]
    assert "the customer asks" in text(page)
    assert "Compliance manager" in text(page)


# --- Replay -------------------------------------------------------------------------------------------------


def test_nothing_is_replayed_that_was_not_shown(
    renamer: Renamer, customer_user: User, operator: Client
) -> None:
    event = stored({"ref": customer_user.email, "name": "Renamed"}, status=Status.FAILED)
    for seen in ({}, {"seen": ""}, {"seen": "0" * 16}):
        response = operator.post(url("replay", event), {"reason": "checking", **seen})
        assert response.status_code == 302
        assert fresh(event).status == Status.FAILED, seen


def test_a_replay_needs_a_reason(renamer: Renamer, customer_user: User, operator: Client) -> None:
    event = stored({"ref": customer_user.email, "name": "Renamed"}, status=Status.FAILED)
    seen = inbox.preview(event).fingerprint
    assert operator.post(url("replay", event), {"reason": "", "seen": seen}).status_code == 422
    assert fresh(event).status == Status.FAILED


def test_an_event_whose_processing_raises_can_be_looked_at(
    renamer: Renamer, customer_user: User, operator: Client
) -> None:
    event = stored(b'{"unexpected": 1}', status=Status.FAILED)
    assert operator.get(url("detail", event)).status_code == 200
    page = text(operator.get(url("replay", event)))
    assert "It would fail again" in page
    assert "KeyError was raised" in page


def test_a_waiting_event_is_not_replayed(operator: Client) -> None:
    event = stored(SHOWN)
    response = operator.get(url("replay", event), follow=True)
    assert "still waiting" in text(response)


def test_many_are_replayed_after_all_were_shown(
    renamer: Renamer, customer_user: User, operator: Client
) -> None:
    good = stored({"ref": customer_user.email, "name": "Renamed"}, status=Status.FAILED, next_attempt_at=None)
    lost = stored({"ref": "nobody@example.test", "name": "X"}, status=Status.FAILED, next_attempt_at=None)
    fine = stored({"ref": "nobody@example.test", "name": "Y"}, status=Status.PROCESSED, next_attempt_at=None)
    listing = operator.get(url("list"), {"status": "failed"})
    page = operator.get(listing.context["replay_url"])
    plans = {row["event"].pk: row["plan"] for row in page.context["rows"]}
    assert set(plans) == {good.pk, lost.pk}
    assert "Nobody has this reference." in text(page)
    picked = [f"{pk}:{plan.fingerprint}" for pk, plan in plans.items()]
    done = operator.post(url("replay_many"), {"event": [*picked, "nonsense"], "reason": "after the fix"})
    assert {row["result"].event.pk: row["result"].event.status for row in done.context["results"]} == {
        good.pk: Status.PROCESSED,
        lost.pk: Status.QUARANTINED,
    }
    assert fresh(fine).status == Status.PROCESSED
    assert AuditEntry.objects.filter(action="webhook.replay", reason="after the fix").count() == 2


def test_many_need_a_reason_and_a_choice(renamer: Renamer, customer_user: User, operator: Client) -> None:
    event = stored(
        {"ref": customer_user.email, "name": "Renamed"}, status=Status.FAILED, next_attempt_at=None
    )
    picked = f"{event.pk}:{inbox.preview(event).fingerprint}"
    assert operator.post(url("replay_many"), {"event": picked, "reason": ""}).status_code == 422
    response = operator.post(url("replay_many"), {"reason": "after the fix"})
    assert response.status_code == 422
    assert "Choose at least one webhook." in text(response)
    assert fresh(event).status == Status.FAILED
