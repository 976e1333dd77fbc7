"""Second reviews: drawn by lot and again, blind, compared, settled, and what they say of reasons."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from compliance import drawing, jobs, kinds, quality_panel, reviewing, seen, services
from compliance.models import Case, CaseDecision, Proposal, Review, ReviewDraw, ReviewPolicy, SeenEvidence
from compliance.panels import Asked
from compliance.sums import Period
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, User
from tests.compliance.conftest import opened, subject_of
from tests.compliance.kinds import KIND, Seen
from tests.compliance.test_dashboard import decide, take
from tests.compliance.test_queues import queue
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
WEEK = date(2026, 9, 14)
MONDAY = datetime(2026, 9, 14, 13, tzinfo=UTC)


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def first(staff: Staff) -> User:
    return staff("compliance_analyst")


@pytest.fixture
def second(staff: Staff) -> User:
    return staff("compliance_analyst")


def policy(manager: User, usual: int = 100, per_person: int = 0, **percents: int) -> ReviewPolicy:
    return services.review_policy_save(
        actor=manager,
        percents={KIND: percents["parrots"]} if percents else {},
        usual_percent=usual,
        per_person=per_person,
        version=ReviewPolicy.current().version,
    )


def decided(actor: User, number: int = 1, reason: str = "nap") -> list[Case]:
    found = []
    for _ in range(number):
        case = opened(subject_of(make_customer_user()))
        take(case, actor)
        decide(case, actor, reason=reason)
        found.append(case)
    return found


def drawn(manager: User, first: User, number: int = 1, reason: str = "nap") -> list[Review]:
    """Reviews of so many decisions, all of them drawn."""
    with time_machine.travel(MONDAY):
        policy(manager)
        decided(first, number, reason)
    with time_machine.travel(MONDAY + timedelta(days=7)):
        jobs.reviews_draw()
    return list(Review.objects.order_by("pk"))


def again(actor: User, decision: str = "stun", reason: str = "nap", text: str = "") -> Review:
    review = services.review_take(actor=actor)
    assert review is not None
    return services.review_decide(
        actor=actor, review_id=review.pk, decision=decision, reason_code=reason, text=text
    )


def test_a_week_is_drawn_once_and_the_same_again(manager: User, first: User, second: User) -> None:
    with time_machine.travel(MONDAY):
        policy(manager, usual=0, parrots=20, per_person=2)
        decided(first, 9)
        decided(second, 1)
    with time_machine.travel(MONDAY + timedelta(days=6)):
        assert jobs.reviews_draw() == 0  # of the week before, in which there was nothing
    # The week after was missed, and is made up for.
    with time_machine.travel(MONDAY + timedelta(days=15)):
        assert jobs.reviews_draw() >= 3
        assert jobs.reviews_draw() == 0
    draw = ReviewDraw.objects.get(week=WEEK)
    assert (draw.pool, draw.picked) == (10, Review.objects.count())
    mine = Review.objects.filter(decision__actor=second)
    assert mine.count() == 1 and Review.objects.filter(decision__actor=first).count() >= 2
    lots = [drawing.lot(draw.seed, row.decision_id) for row in Review.objects.filter(draw=draw)]
    everybody = sorted(
        drawing.lot(draw.seed, key) for key in CaseDecision.objects.values_list("pk", flat=True)
    )
    assert set(everybody[:2]) <= set(lots)
    assert drawing.drawn_again(draw)
    Review.objects.filter(pk=mine.get().pk).delete()
    assert not drawing.drawn_again(draw)
    entry = AuditEntry.objects.get(action="review.drawn", subject_id=draw.pk)
    assert (
        entry.after is not None
        and entry.after["lots"] == draw.seed
        and len(entry.after["picked"]) == draw.picked
    )


@pytest.mark.parametrize(
    ("percent", "per_person", "by_first", "by_second"),
    [(0, 3, 0, 0), (1, 0, None, None), (100, 0, 5, 2), (50, 9, 5, 2), (10, 1, None, None)],
)
def test_how_much_is_drawn(
    percent: int, per_person: int, by_first: int | None, by_second: int | None
) -> None:
    ids = [CaseDecision().pk for _ in range(9)]
    pot = [drawing.Ticket(key, key, KIND, ids[7] if at < 5 else ids[8]) for at, key in enumerate(ids[:7])]
    row = ReviewDraw(seed="abc", percents={KIND: percent}, usual_percent=50, per_person=per_person)
    picked = drawing.pick(pot, row)
    assert picked == drawing.pick(pot[::-1], row)
    counts = [sum(ticket.person == key for ticket in picked) for key in (ids[7], ids[8])]
    if by_first is None:
        assert sum(counts) >= -(-7 * percent // 100) and min(counts) >= per_person
    else:
        assert counts == [by_first, by_second]


def test_the_second_sees_what_the_first_saw_and_nothing_of_what_came(
    manager: User, first: User, second: User, signed_in: SignIn, effects: Seen
) -> None:
    with time_machine.travel(MONDAY):
        policy(manager)
        case = opened(subject_of(make_customer_user()))
        take(case, first)
        services.case_note(actor=first, case_id=case.pk, text="It snores, so it naps.")
        decide(case, first)
        opened_again = opened(subject_of(make_customer_user()), title="Another")
    with time_machine.travel(MONDAY + timedelta(days=7)):
        jobs.reviews_draw()
        # Afterwards the subject reads otherwise.
        gone = kinds.Section("The parrot", (kinds.Row("Plumage", "Grey, it was stunned"),))
        object.__setattr__(kinds.get(KIND), "evidence", lambda _: (gone,))
        client = signed_in(second)
        assert client.post(reverse("reviews:next")).status_code == 302
        review = Review.objects.get(reviewer=second)
        page = client.get(reverse("reviews:detail", args=[review.pk])).content.decode()
        assert "Blue" in page and "Resting" in page and "It said nothing for a day" in page
        for told in ("Grey", "snores", "stunned", "/staff/cage/", "Stunned", first.label + ",", "Decided:"):
            assert told not in page, told
        # The case itself is closed to them until they have decided, and open to others.
        assert client.get(reverse("cases:detail", args=[case.pk])).status_code == 403
        assert client.get(reverse("cases:detail", args=[opened_again.pk])).status_code == 200
        assert signed_in(manager).get(reverse("cases:detail", args=[case.pk])).status_code == 200
        before = len(effects.effects)
        refused = client.post(reverse("reviews:decide", args=[review.pk]), {"review-decision": "stun"})
        assert refused.status_code == 422 and "Choose a reason" in refused.content.decode()
        given = {"review-decision": "stun", "review-reason_stun": "moult", "review-text": "Feathers"}
        answer = client.post(reverse("reviews:decide", args=[review.pk]), given, follow=True).content.decode()
        assert "Which stands?" in answer and "It naps" in answer and "It moults" in answer
        assert len(effects.effects) == before and CaseDecision.objects.filter(case=case).count() == 1
        assert "Second review" in client.get(reverse("cases:detail", args=[case.pk])).content.decode()
    kept = SeenEvidence.objects.get(decision__case=case)
    assert "Blue" not in str(kept.__dict__) and "Blue" in str(kept.sections.reveal())
    assert seen.forget([case.subject_id]) == 1
    assert seen.sections(CaseDecision.objects.get(case=case)) == []


@pytest.fixture(autouse=True)
def _evidence() -> Any:
    kind = kinds.get(KIND)
    kept = kind.evidence
    yield
    object.__setattr__(kind, "evidence", kept)


def test_who_may_not_and_that_nobody_waits_on_nobody(
    manager: User, first: User, second: User, staff: Staff, signed_in: SignIn
) -> None:
    (review,) = drawn(manager, first)
    said = {
        person.role + str(number): [reason.text for reason in reviewing.why_not(person, review)]
        for number, person in enumerate((first, second, manager, staff("auditor"), staff("funding_operator")))
    }
    assert said["compliance_analyst0"] == ["You decided it."]
    assert said["compliance_analyst1"] == said["compliance_manager2"] == []
    assert said["auditor3"] and said["funding_operator4"]
    assert services.review_take(actor=first) is None
    with pytest.raises(Forbidden):
        services.review_take(actor=staff("auditor"))
    services.case_note(actor=second, case_id=review.case_id, text="I looked at it too.")
    assert reviewing.eligible([review])[review.pk] == [manager]
    services.case_note(actor=manager, case_id=review.case_id, text="So did I.")
    assert reviewing.eligible([review])[review.pk] == []
    client = signed_in(manager)
    assert "Nobody may make it" in client.get(reverse("reviews:list")).content.decode()
    waiting = client.get(reverse("reviews:detail", args=[review.pk])).content.decode()
    assert "Nobody may make this review" in waiting
    assert "It naps" not in waiting
    # A queue that their role does not decide in counts too.
    third = staff("compliance_analyst")
    assert reviewing.eligible([review])[review.pk] == [third]
    # Nor does whoever checked the decision as its second person.
    Proposal.objects.create(
        case=review.case,
        maker=first,
        checker=third,
        code="stun",
        label="x",
        seen_version=99,
        status="refused",
    )
    assert reviewing.eligible([review])[review.pk] == []
    narrow = queue(manager, "Managers", decided_by=["compliance_manager"])
    Case.objects.update(queue=narrow)
    assert reviewing.why_not(third, Review.objects.get())[0].is_role
    assert services.review_take(actor=third) is None


def test_taken_one_at_a_time_and_given_back(manager: User, first: User, second: User) -> None:
    drawn(manager, first, 2)
    one = services.review_take(actor=second)
    assert one is not None and services.review_take(actor=second) == one
    other = services.review_take(actor=manager)
    assert other is not None and other != one
    with pytest.raises(Forbidden):
        services.review_put_back(actor=first, review_id=one.pk)
    with pytest.raises(NotFound):
        services.review_decide(actor=first, review_id=one.pk, decision="stun", reason_code="nap")
    services.review_put_back(actor=manager, review_id=one.pk)
    found = Review.objects.get(pk=one.pk)
    assert (found.status, found.reviewer) == (Review.Status.WAITING, None)
    with pytest.raises(Conflict):
        services.review_put_back(actor=manager, review_id=one.pk)


def test_agreeing_ends_it_and_differing_is_talked_about(
    manager: User, first: User, second: User, staff: Staff, signed_in: SignIn
) -> None:
    drawn(manager, first, 4)
    same = again(second)
    assert same.status == Review.Status.AGREED
    with pytest.raises(Conflict):
        services.review_decide(actor=second, review_id=same.pk, decision="stun", reason_code="nap")
    other_reason, other = again(second, reason="moult"), again(second, "bury", "", "It is gone.")
    third = again(second, "bury", "", "Gone too.")
    assert (other_reason.same_decision, other_reason.same_reason) == (True, False)
    assert other.status == third.status == Review.Status.DISAGREED
    for nobody in (first, second, staff("auditor")):
        with pytest.raises(Forbidden):
            services.review_settle(actor=nobody, review_id=other.pk, stands="first", lesson="Look twice.")
    with pytest.raises(Invalid):
        services.review_settle(actor=manager, review_id=other.pk, stands="third", lesson="Look twice.")
    with pytest.raises(Invalid):
        services.review_settle(actor=manager, review_id=other.pk, stands="first", lesson=" \x00")
    client = signed_in(manager)
    address = reverse("reviews:settle", args=[other.pk])
    assert client.post(address, {"settle-stands": "second"}).status_code == 422
    client.post(address, {"settle-stands": "second", "settle-lesson": "Hold a mirror to its beak."})
    found = Review.objects.get(pk=other.pk)
    assert (found.status, found.stands, found.judged_by) == (Review.Status.SETTLED, "second", manager)
    with pytest.raises(Conflict):
        services.review_settle(actor=manager, review_id=other.pk, stands="first", lesson="Once more.")
    # Both see what was learnt, and the checklist's page suggests it beside the kind.
    for person in (first, second):
        page = signed_in(person).get(reverse("reviews:detail", args=[other.pk])).content.decode()
        assert "Hold a mirror" in page
    quality = client.get(reverse("reviews:quality")).content.decode()
    assert (
        "3 of 4 reviewers decided otherwise" in quality
        and "Hold a mirror" in quality
        and "The same" in quality
    )
    # The dashboard says the same, and its numbers lead to their lists.
    content = quality_panel.quality(Asked(manager, Period.of(clock.today(), clock.today(), "")))
    assert content is not None
    (row,) = content.table.rows
    assert [cell.text for cell in row] == [
        "Silent parrot",
        "It rests: stun it",
        "It naps",
        "4",
        "25.0 %",
        "2",
        "1",
    ]
    for cell in row:
        if cell.url:
            assert len(client.get(cell.url).context["rows"]) == int(cell.text)
    assert [one.value for one in content.stats] == ["4", "25.0 %", "2"]


def test_what_was_learnt_stands_beside_the_checklist_of_every_such_case(
    manager: User, first: User, second: User, signed_in: SignIn, django_capture_on_commit_callbacks: Any
) -> None:
    drawn(manager, first, 1)
    differs = again(second, "bury", "", "It is gone.")
    page = reverse("cases:detail", args=[opened(subject_of(make_customer_user())).pk])
    client = signed_in(first)
    reviewing.lessons_changed()
    assert "second reviews taught" not in client.get(page).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        services.review_settle(
            actor=manager, review_id=differs.pk, stands="second", lesson="Hold a mirror\nto it."
        )
    shown = client.get(page).content.decode()
    assert "What second reviews taught" in shown and "Hold a mirror<br>to it." in shown
    assert reviewing.lessons("tests.other") == ()
    with time_machine.travel(clock.now() + reviewing.LOOKED_BACK + timedelta(days=1)):
        reviewing.lessons_changed()
        assert reviewing.lessons(KIND) == ()
    reviewing.lessons_changed()


def test_the_policy_and_who_sees_what(
    manager: User, first: User, second: User, staff: Staff, signed_in: SignIn
) -> None:
    (review,) = drawn(manager, first)
    quality, listed = reverse("reviews:quality"), reverse("reviews:list")
    with pytest.raises(Forbidden):
        policy(first)
    with pytest.raises(Invalid):
        policy(manager, usual=101)
    client = signed_in(manager)
    given = {"policy-version": 2, "policy-usual_percent": "7", "policy-per_person": "2"}
    assert client.post(quality, given | {"policy-usual_percent": "700"}).status_code == 422
    assert client.post(quality, given | {"policy-version": 1}).status_code == 422
    parrots = [kind.name for kind in kinds.all_kinds()].index(KIND)
    assert client.post(quality, given | {f"policy-kind_{parrots}": "0"}).status_code == 302
    current = ReviewPolicy.current()
    assert (current.percents, current.usual_percent, current.per_person) == ({KIND: 0}, 7, 2)
    assert AuditEntry.objects.filter(action="review.policy").count() == 2
    auditor = signed_in(staff("auditor"))
    assert auditor.get(quality).status_code == auditor.get(listed).status_code == 200
    assert auditor.post(quality, given).status_code == 403
    assert auditor.post(reverse("reviews:next")).status_code == 403
    mine = signed_in(first)
    assert mine.get(quality).status_code == 403
    assert mine.get(listed).context["rows"] == []
    assert mine.get(reverse("reviews:detail", args=[review.pk])).status_code == 404
    assert signed_in(staff("funding_operator")).get(listed).status_code == 403
    again(second)
    assert len(mine.get(listed).context["rows"]) == len(signed_in(second).get(listed).context["rows"]) == 1
    assert client.get(f"{listed}?status=x&first=y&outcome=z&after=1").status_code == 200


def test_evidence_of_before_is_nothing_and_papers_keep_their_links() -> None:
    rows = (kinds.Row("Paper", "Passport", "/p/", is_paper=True), kinds.Row("Page", "Its page", "/q/"))
    kind = kinds.CaseKind("x", "X", "", (), evidence=lambda _: (kinds.Section("A", rows),))
    (section,) = seen.taken(kind, Case())
    assert section["rows"] == [["Paper", "Passport", "/p/"], ["Page", "Its page", ""]]
    assert seen.sections(CaseDecision()) == []
