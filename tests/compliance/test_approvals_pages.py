"""The pages of the second person: the list, bulk approval, and the card on a case, for every role and odd input."""

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import services
from compliance.models import Case, CaseDecision, Proposal
from portal.models import User
from tests.compliance.conftest import ready
from tests.compliance.kinds import Seen, ruled_out
from tests.compliance.test_four_eyes import needs_two, now, proposed, status

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = reverse("cases:approvals")
MANY = reverse("cases:approve_many")


@pytest.fixture
def ana(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture
def ben(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture(autouse=True)
def _two(staff: Staff) -> None:
    ruled_out.clear()
    needs_two(staff("compliance_manager"))


def page(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def url(name: str, made: Proposal) -> str:
    return reverse(f"cases:{name}", args=[made.case_id])


def value(made: Proposal) -> str:
    return f"{made.case_id}~{made.pk}~{now(made).version}"


def test_the_maker_waits_and_the_checker_approves(
    ana: User, ben: User, signed_in: SignIn, effects: Seen
) -> None:
    case = ready(ana)
    maker, checker = signed_in(ana), signed_in(ben)
    assert "A second person approves it." in page(maker, url("detail", Proposal(case=case)))
    answer = maker.post(
        reverse("cases:decide", args=[case.pk]),
        {
            "decide-version": case.version,
            "decide-decision": "stun",
            "decide-reason_stun": "nap",
            "decide-text": "Ten hours.",
        },
        follow=True,
    ).content.decode()
    assert "Proposed: It rests: stun it. A second person approves it." in answer
    assert "You proposed it." in answer
    assert "Withdraw the proposal" in answer
    assert reverse("cases:approve", args=[case.pk]) not in answer
    made = Proposal.objects.get()
    sent = {"proposal": str(made.pk), "version": str(now(made).version)}
    assert maker.post(url("approve", made), sent).status_code == 409

    shown = page(checker, url("detail", made))
    for words in ("Ten hours.", "It naps", "Plumage", "Who can approve it now", ben.label):
        assert words in shown
    short = checker.post(url("send_back", made), {**sent, "send_back-reason": "x"})
    assert (short.status_code, "Say why, in a few words." in short.content.decode()) == (422, True)
    back = checker.post(url("send_back", made), {**sent, "send_back-reason": "Look at its feet"})
    assert back.status_code == 302
    again = page(maker, url("detail", made))
    assert "Look at its feet" in again
    assert re.search(r'value="stun"[^>]* checked', again)  # what she chose is there still
    second = proposed(ana, now(made))
    done = checker.post(
        url("approve", second), {"proposal": str(second.pk), "version": now(second).version}, follow=True
    ).content.decode()
    assert "Approved: It rests: stun it." in done
    assert f"Proposed by {ana.label}" in done
    assert f"Approved by {ben.label}" in done
    late = signed_in(ana).post(url("withdraw", second), {"proposal": str(second.pk)})
    assert (late.status_code, "has approved it already" in late.content.decode()) == (409, True)


def test_bad_input_is_told_and_changes_nothing(ana: User, ben: User, signed_in: SignIn) -> None:
    made, client = proposed(ana, ready(ana)), signed_in(ben)
    for key in ("", "x", "\x00", str(made.case_id)):
        for name in ("approve", "withdraw"):
            sent = {"proposal": key, "version": "99999999999"}
            assert client.post(url(name, made), sent).status_code == (409 if len(key) < 2 else 404)
    assert client.post(url("approve", made), {"proposal": str(made.pk)}).status_code == 409
    for values in ([], ["x"], ["a~b~c"], [f"{made.case_id}~{made.pk}"]):
        answer = client.post(MANY, {"chosen": values}, follow=True)
        assert "Choose at least one case." in answer.content.decode()
    for query in ("after=x", "before=%00", "whose=mine&after=1", "whose=?"):
        assert client.get(f"{LIST}?{query}").status_code == 200
    for name in ("approve", "send_back", "withdraw"):
        assert client.get(url(name, made)).status_code == 405
    assert status(made) == ("waiting_approval", "waiting")


def test_the_list_shows_what_is_mine_to_approve(
    ana: User, ben: User, signed_in: SignIn, staff: Staff, effects: Seen
) -> None:
    made = [proposed(ana, ready(ana)) for _ in range(2)]
    barred = proposed(ana, ready(ana))
    own = proposed(ben, ready(ben))
    sell = staff("compliance_manager")
    managers = proposed(sell, ready(sell), "sell")
    ruled_out[now(barred).subject_id] = {ben.pk: "plucked it lately"}
    client = signed_in(ben)
    shown = page(client, LIST)
    references = {row: now(row).reference for row in (*made, barred, own, managers)}
    assert [row for row in references if references[row] in shown] == [*made, barred]
    assert "You plucked it lately." in shown
    assert value(barred) not in shown
    mine = page(client, f"{LIST}?whose=mine")
    assert [row for row in references if references[row] in mine] == [own]
    assert "Waiting for a second person: " in mine

    outcome = client.post(MANY, {"chosen": [value(made[0]), value(barred)]}).content.decode()
    assert "Done for 1 of 2." in outcome
    assert "You plucked it lately." in outcome
    assert (CaseDecision.objects.count(), len(effects.effects)) == (1, 1)
    # The list of cases says for whom it waits.
    cases = page(signed_in(ana), f"{reverse('cases:list')}?status=waiting_approval")
    assert references[made[1]] in cases
    assert "Waiting for a second person:" in cases


def test_who_sees_every_queue_sees_all_that_waits_and_what_waits_for_nobody(
    ana: User, ben: User, signed_in: SignIn, staff: Staff
) -> None:
    made = [proposed(ana, ready(ana)), proposed(ben, ready(ben))]
    references = [now(row).reference for row in made]
    for role in ("auditor", "compliance_manager"):
        shown = page(signed_in(staff(role)), f"{LIST}?whose=all")
        assert all(reference in shown for reference in references)
        assert "Waiting for a second person: " in shown and "Nobody now" not in shown
        assert "Approve the chosen" not in shown
    # Whoever sees some queues alone has no such list, and an auditor no other.
    shown = page(signed_in(ana), f"{LIST}?whose=all")
    assert references[1] in shown and references[0] not in shown and "All that wait" not in shown
    auditor = signed_in(staff("auditor"))
    shown = page(auditor, f"{LIST}?whose=mine")
    assert references[0] in shown and "Proposed by me" not in shown
    assert reverse("cases:approvals") in page(auditor, reverse("cases:list"))
    User.objects.exclude(pk__in=[ana.pk, ben.pk]).exclude(role="auditor").update(is_active=False)
    services.away_set(actor=ben, person=ben, is_away=True)
    assert "Nobody now" in page(auditor, LIST)
    services.case_withdraw(actor=ana, case_id=made[0].case_id, proposal_id=made[0].pk)
    services.case_withdraw(actor=ben, case_id=made[1].case_id, proposal_id=made[1].pk)
    assert "Nothing waits for a second person" in page(auditor, LIST)


@pytest.mark.parametrize(
    ("role", "sees", "answers"),
    [
        ("auditor", 403, 403),
        ("administrator", 403, 403),
        ("onboarding_agent", 403, 404),
        ("funding_operator", 403, 403),
        ("customer", 403, 403),
    ],
)
def test_other_roles_have_no_part_in_it(
    ana: User, staff: Staff, signed_in: SignIn, customer_user: User, role: str, sees: int, answers: int
) -> None:
    made = proposed(ana, ready(ana))
    client = signed_in(customer_user if role == "customer" else staff(role))
    # An auditor reads what waits and for whom, and answers nothing.
    assert client.get(LIST).status_code == (200 if role == "auditor" else sees)
    assert client.post(MANY, {"chosen": value(made)}).status_code == sees
    sent = {"proposal": str(made.pk), "version": now(made).version, "send_back-reason": "Look at its feet"}
    for name in ("approve", "send_back", "withdraw"):
        assert client.post(url(name, made), sent).status_code == answers
    assert status(made) == ("waiting_approval", "waiting")
    assert Client().get(LIST).status_code == 302


def test_the_lists_cost_the_same_however_much_waits(ana: User, ben: User, signed_in: SignIn) -> None:
    client, costs = signed_in(ben), []
    for _ in range(2):
        for _ in range(3):
            services.case_note(actor=ana, case_id=proposed(ana, ready(ana)).case_id, text="A note")
        for address in (LIST, f"{reverse('cases:list')}?status=waiting_approval"):
            client.get(address)  # what a process remembers is not counted
            with CaptureQueriesContext(connection) as queries:
                page(client, address)
            costs.append(len(queries))
    assert costs[:2] == costs[2:]
    assert Case.objects.filter(status="waiting_approval").count() == 6
