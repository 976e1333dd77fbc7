"""Stories play to their end, as fast as asked, on the account they were given and on no other."""

import calendar
import json
import time

import pytest

from sandbox import stories
from sandbox.bakkt import events, transfers, updates
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller, Receiver
from tests.sandbox.papers import upload_all
from tests.sandbox.test_account_types import body_of

FAST = 5_000_000.0
PAPERS = {"partyStatus": "UNDER_REVIEW", "reasonCode": "DOCUMENT_VERIFICATION", "link": True}


def said(receiver: Receiver) -> list[tuple[str, str]]:
    """Status and reason of each event that came."""
    return [
        (body.get("partyStatus") or body["transactionStatus"], body.get("reasonCode", ""))
        for body in (hook.body for hook in receiver.got)
    ]


def play_out(box: SandboxProcess) -> None:
    end = time.monotonic() + 15
    while any(run["state"] == "playing" for run in box.state()["runs"]):
        assert time.monotonic() < end, box.state()["runs"]
        time.sleep(0.05)
    box.flush()


@pytest.mark.parametrize("name", stories.names())
def test_every_story_is_understood(name: str) -> None:
    story = stories.load(name)
    assert story.title
    assert story.seconds() > 0
    assert story.seconds() / story.speed < 120, "short enough to show to someone"


def test_an_unknown_story_is_named() -> None:
    with pytest.raises(stories.Unknown, match="straight_through"):
        stories.load("../people")


GOOD = {"do": "create", "say": "It begins."}


@pytest.mark.parametrize(
    "change",
    [
        {"person": "nobody"},
        {"speed": 0.5},
        {"speed": "fast"},
        {"steps": []},
        {"steps": [{"do": "wait", "days": 1, "say": "No beginning."}]},
        {"steps": [GOOD, {"do": "dance", "say": "?"}]},
        {"steps": [GOOD, {"do": "wait", "weeks": 1, "say": "?"}]},
        {"steps": [GOOD, {"do": "wait", "days": "one", "say": "?"}]},
        {"steps": [GOOD, {"do": "wait", "days": -1, "say": "?"}]},
        {"steps": [GOOD, {"do": "event", "partyStatus": "ACTIVE", "say": "?"}]},
        {"steps": [GOOD, {"do": "use_link", "result": "maybe", "say": "?"}]},
        {"steps": [GOOD, {"do": "event", "partyStatus": "ACTIVE", "reasonCode": "ENROLLMENT"}]},
        {"steps": [GOOD, {"do": "transfer", "status": "GONE", "say": "?"}]},
        {"steps": [GOOD, {"do": "wire_in", "amount": 5.5, "say": "?"}]},
        {"steps": [GOOD, {"do": "upload", "say": "?"}]},
        {"steps": [GOOD, {"do": "upload", "documentType": "VISA", "owner": "Ella", "say": "?"}]},
        {"steps": [GOOD, {"do": "update", "changes": {}, "say": "?"}]},
        {"steps": [GOOD, {"do": "end_update", "outcome": "perhaps", "say": "?"}]},
        {"steps": ["create"]},
        {"title": None, "steps": None},
    ],
)
def test_a_file_that_is_no_story_is_named(change: dict[str, object]) -> None:
    good = {"title": "T", "about": "A", "person": "stella", "speed": 60, "steps": [GOOD]}
    assert stories.parse("tale", json.dumps(good)).steps == (GOOD,)
    with pytest.raises(ValueError, match=r"tale: "):
        stories.parse("tale", json.dumps(good | change))


def test_stories_know_the_results_of_a_link() -> None:
    assert set(stories.RESULTS) == set(events.RESULTS)
    assert set(stories.ENDS) == {updates.ACCEPTED, updates.REJECTED}
    assert stories.MONEY_ENDS == transfers.ENDS


def test_a_fast_story_leaves_the_others_their_pace(
    box: SandboxProcess, caller: Caller, receiver: Receiver
) -> None:
    caller.create("Verify Document", "acc-0")
    caller.create("Ana Ortiz", "acc-1")
    box.api("POST", "accounts/acc-0/event", PAPERS)
    box.api("POST", "stories/flagged_to_suspended/run", {"speed": FAST})
    end = time.monotonic() + 15
    while any(run["state"] == "playing" for run in box.state()["runs"]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert box.account("acc-0")["link"]["open"] is True
    assert box.account("acc-1")["partyStatus"] == ""


def test_flagged_to_suspended(box: SandboxProcess, receiver: Receiver) -> None:
    run = box.api("POST", "stories/flagged_to_suspended/run", {"speed": FAST})
    play_out(box)
    assert said(receiver) == [
        ("UNDER_REVIEW", "DOCUMENT_VERIFICATION"),
        ("ACTIVE", "ENROLLMENT"),
        ("COMPLETED", ""),
        ("RETURNED", "R01"),
        ("SUSPENDED", "MAX_ACH_RETURNS"),
    ]
    assert {hook.body["partnerPartyRef"] for hook in receiver.got} == {run["account"]}
    account = box.account(run["account"])
    assert (account["name"], account["partyStatus"]) == ("Frank Flagged", "SUSPENDED")
    assert account["link"]["number"] == 2, "the first ran out, the second was used"
    (played,) = box.state()["runs"]
    assert (played["state"], len(played["said"])) == ("done", played["steps"])
    assert box.state()["clock"]["ahead_seconds"] == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("straight_through", [("ACTIVE", "ENROLLMENT")]),
        ("rejected_ofac", [("INACTIVE", "RISK_OFAC")]),
        ("manual_review_then_active", [("UNDER_REVIEW", "PENDING_REVIEW"), ("ACTIVE", "ENROLLMENT")]),
        ("entity_kyb_active", [("UNDER_REVIEW", "PENDING_REVIEW"), ("ACTIVE", "ENROLLMENT")]),
        ("custodial_active", [("ACTIVE", "ENROLLMENT")]),
        ("update_under_review", [("ACTIVE", "ENROLLMENT")]),
        ("deposit_returned", [("ACTIVE", "ENROLLMENT"), ("COMPLETED", "")]),
    ],
)
def test_shorter_stories(
    box: SandboxProcess, receiver: Receiver, name: str, words: list[tuple[str, str]]
) -> None:
    box.api("POST", f"stories/{name}/run", {"speed": FAST})
    play_out(box)
    assert said(receiver) == words


def test_a_story_waits_for_a_name(box: SandboxProcess, caller: Caller, receiver: Receiver) -> None:
    box.api("POST", "stories/rejected_ofac/run", {"givenName": "ana", "familyName": "Ortiz", "speed": FAST})
    caller.create("Someone Else", "acc-0")
    assert [run["state"] for run in box.state()["runs"]] == ["waiting"]
    caller.create("Ana Ortiz", "acc-1")
    play_out(box)
    assert box.account("acc-1")["reasonCode"] == "RISK_OFAC"
    assert [h.body["partyStatus"] for h in receiver.got if h.body["partnerPartyRef"] == "acc-1"] == [
        "INACTIVE"
    ]


def test_a_story_takes_over_an_account_and_is_stopped(box: SandboxProcess, caller: Caller) -> None:
    caller.create()
    run = box.api("POST", "stories/manual_review_then_active/run", {"clientAccountId": "acc-1", "speed": 1})
    assert (run["state"], run["account"]) == ("playing", "acc-1")
    assert box.account("acc-1")["next"] is None, "its own outcome no longer comes"
    box.api("POST", "clock/advance", {"seconds": 1801})
    assert box.account("acc-1")["reasonCode"] == "PENDING_REVIEW"
    box.api("POST", f"runs/{run['id']}/stop")
    box.api("POST", "clock/advance", {"seconds": 86400})
    assert box.account("acc-1")["reasonCode"] == "PENDING_REVIEW"


def test_a_fast_story_tells_the_expiry_in_real_time(box: SandboxProcess, receiver: Receiver) -> None:
    box.api("POST", "stories/flagged_to_suspended/run", {"speed": 500_000})
    (hook,) = receiver.wait(1)
    left = time.strptime(hook.body["verificationURLExpiry"][:19], "%Y-%m-%dT%H:%M:%S")
    assert calendar.timegm(left) - time.time() < 10, "72 hours pass in about a second"
    play_out(box)


def test_a_companys_story_brings_what_its_screening_needs(box: SandboxProcess, caller: Caller) -> None:
    run = box.api("POST", "stories/entity_kyb_active/run", {"speed": 1})
    assert box.account(run["account"])["missing"] != []
    box.api("POST", "clock/advance", {"seconds": 86400 + 10})
    account = box.account(run["account"])
    assert account["missing"] == []
    assert len(account["documents"]) == 5
    assert account["partyStatus"] == "", "screening runs"
    trigger = caller.post(f"{V2}/accounts/triggerKYBScreening/{run['account']}")
    assert trigger.status_code == 200
    box.api("POST", "clock/advance", {"seconds": 6 * 3600})
    assert box.account(run["account"])["reasonCode"] == "PENDING_REVIEW"


def test_a_companys_story_takes_over_when_its_screening_is_triggered(
    box: SandboxProcess, caller: Caller, receiver: Receiver
) -> None:
    body = body_of("ella")
    box.api(
        "POST", "stories/entity_kyb_active/run", {"givenName": "Ella", "familyName": "Entity", "speed": FAST}
    )
    assert caller.save(body).status_code == 200
    assert [run["state"] for run in box.state()["runs"]] == ["waiting"]
    upload_all(caller, body)
    assert caller.post(f"{V2}/accounts/triggerKYBScreening/acc-1").status_code == 200
    play_out(box)
    assert said(receiver) == [("UNDER_REVIEW", "PENDING_REVIEW"), ("ACTIVE", "ENROLLMENT")]
    assert len(box.account("acc-1")["documents"]) == 4, "the story added none to the partner's own"


def test_a_storys_update_waits_for_its_end(box: SandboxProcess, caller: Caller) -> None:
    run = box.api("POST", "stories/update_under_review/run", {"speed": 1})
    box.api("POST", "clock/advance", {"seconds": 3 * 86400 + 601})
    path = f"{V2}/accounts/{run['account']}"
    assert len(caller.get(path).json()["pendingUpdateIds"]) == 1
    box.api("POST", "clock/advance", {"seconds": 86400})
    box.flush()
    assert len(caller.get(path).json()["pendingUpdateIds"]) == 1, "time and flushing do not end it"
    box.api("POST", "clock/advance", {"seconds": 86400})
    account = caller.get(path).json()
    assert account["pendingUpdateIds"] == []
    assert account["request"]["owners"][0]["mailingAddress"]["streetAddress"] == ["77 New Street"]


def test_a_stopped_story_lets_the_review_go(box: SandboxProcess, caller: Caller) -> None:
    run = box.api("POST", "stories/update_under_review/run", {"speed": 1})
    box.api("POST", "clock/advance", {"seconds": 3 * 86400 + 601})
    box.api("POST", f"runs/{run['id']}/stop")
    box.flush()
    assert caller.get(f"{V2}/accounts/{run['account']}").json()["pendingUpdateIds"] == []
