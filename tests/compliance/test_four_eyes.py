"""Four eyes: a proposal causes nothing, a second person causes it once, and what comes between is looked at first."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from compliance import approvers, jobs, permissions, seen, services, standing, timeline
from compliance.models import Case, CaseDecision, Proposal
from compliance.models.approvals import FORGOTTEN
from portal import clock
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, User
from tests.compliance.conftest import a_subject, opened, ready, subject_of
from tests.compliance.kinds import PARROT, Seen, plumage, ruled_out
from tests.compliance.test_open import together, waits_for_us
from tests.compliance.test_queues import queue, rule, version
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]


@pytest.fixture(autouse=True)
def _as_usual() -> Iterator[None]:
    yield
    ruled_out.clear()
    plumage.clear()


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def ana(staff: Staff) -> User:
    """The maker."""
    return staff("compliance_analyst")


@pytest.fixture
def ben(staff: Staff) -> User:
    """The checker."""
    return staff("compliance_analyst")


def needs_two(manager: User, **how: Any) -> None:
    given: dict[str, Any] = {"kind": "", "decision": "", "priority_from": 1, "amount": None, **how}
    services.approval_rule_add(actor=manager, version=version(), **given)


def proposed(maker: User, case: Case, decision: str = "stun", **how: Any) -> Proposal:
    reasons = {"stun": {"reason_code": "nap"}, "bury": {"text": "It is no more."}}
    given = {"version": case.version, **reasons.get(decision, {}), **how}
    made = services.case_decide(actor=maker, case_id=case.pk, decision=decision, **given)
    assert isinstance(made, Proposal)
    return made


def approve(checker: User, made: Proposal, **how: Any) -> CaseDecision:
    case = now(made)
    given = {"proposal_id": made.pk, "version": case.version, **how}
    return services.case_approve(actor=checker, case_id=case.pk, **given)


def send_back(checker: User, made: Proposal) -> Proposal:
    return services.case_send_back(
        actor=checker, case_id=made.case_id, proposal_id=made.pk, reason="Look at its feet"
    )


def now(made: Proposal) -> Case:
    return Case.objects.select_related("assignee", "queue").get(pk=made.case_id)


def status(made: Proposal) -> tuple[str, str]:
    return now(made).status, Proposal.objects.get(pk=made.pk).status


def letters() -> list[str]:
    return [row.subject for row in MailMessage.objects.order_by("pk")]


def test_a_decision_that_needs_two_is_caused_by_the_second(
    manager: User, ana: User, ben: User, effects: Seen, customer_user: User
) -> None:
    needs_two(manager)
    case = ready(ana, subject_of(customer_user))
    due = case.due_at
    until = clock.now() + timedelta(days=3)
    services.case_wait(actor=ana, case_id=case.pk, on="customer", until=until, reason="A photo")
    case = Case.objects.get(pk=case.pk)
    made = proposed(ana, case, text="Ten hours.")
    assert status(made) == ("waiting_approval", "waiting")
    assert (effects.effects, CaseDecision.objects.count(), now(made).waiting_until) == ([], 0, None)
    # Its clock stood still while it waited for the customer, and runs on while it waits for a colleague.
    assert due
    assert timedelta(0) <= now(made).due_at - due < timedelta(minutes=1)
    # The same click again is the same proposal.
    assert proposed(ana, case, text="Ten hours.").pk == made.pk

    decision = approve(ben, made)
    (ruling,) = effects.effects
    assert (ruling.actor, ruling.approver, ruling.text) == (ana, ben, "Ten hours.")
    assert (decision.actor, decision.proposal, decision.seen_version) == (ana, made, case.version)
    assert status(made) == ("closed", "approved")
    # Once more, by either of them, is the first one.
    assert approve(ben, made).pk == decision.pk
    repeated = services.case_decide(
        actor=ana, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
    )
    assert repeated == decision
    assert len(effects.effects) == 1

    entry = AuditEntry.objects.get(action="case.decided")
    assert (entry.actor, entry.after["proposed_by"], entry.after["approved_by"]) == (
        ben, str(ana.pk), str(ben.pk),
    )  # fmt: skip
    assert AuditEntry.objects.get(action="case.proposed").actor == ana
    assert "Ten hours" not in str(list(AuditEntry.objects.values_list("after", flat=True)))
    history = timeline.history(case, timeline.decisions(case))
    assert any(
        ana.label in item.actor and ben.label in item.actor for item in history if "Decided" in item.title
    )
    reopened = services.case_reopen(actor=ben, case_id=case.pk, reason="It spoke again")
    assert (reopened.status, reopened.decisions.count(), reopened.proposals.count()) == ("open", 1, 1)
    # What was proposed stays as it was, whoever writes to the database.
    assert made.pk
    with pytest.raises(IntegrityError), transaction.atomic():
        Proposal.objects.filter(pk=made.pk).update(checker=ana)


def test_what_was_proposed_cannot_be_written_over(manager: User, ana: User) -> None:
    needs_two(manager)
    made = proposed(ana, ready(ana))
    for change in (
        lambda: Proposal.objects.filter(pk=made.pk).update(text="Something else"),
        lambda: Proposal.objects.filter(pk=made.pk).update(seen_evidence=[]),
        lambda: Proposal.objects.filter(pk=made.pk).update(seen_evidence=FORGOTTEN, text=""),
        lambda: Proposal.objects.filter(pk=made.pk).delete(),
    ):
        with pytest.raises(Exception, match="append"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    ("barrier", "error", "words"),
    [
        ("maker", Conflict, "You proposed it"),
        ("auditor", Forbidden, "Your role does not"),
        ("away", Conflict, "You are away"),
        ("ruled out", Conflict, "You plucked it lately"),
        ("queue", Forbidden, "does not decide in the queue"),
        ("escalated", Forbidden, "A manager approves it"),
        ("new fact", Conflict, "It ended before you answered. New: It spoke"),
        ("new note", Conflict, "added to the case since you opened it"),
        ("evidence", Conflict, "Changed since compliance analyst proposed it: The parrot, Plumage"),
        ("maker gone", Conflict, "may not decide this any more"),
        ("other case", NotFound, "no such proposal"),
    ],
)
def test_who_cannot_approve_and_what_cannot_be_approved(
    manager: User,
    ana: User,
    ben: User,
    staff: Staff,
    effects: Seen,
    customer_user: User,
    barrier: str,
    error: type[Exception],
    words: str,
) -> None:
    needs_two(manager)
    maker = manager if barrier == "escalated" else ana
    case = ready(ana, subject_of(customer_user))
    if barrier == "escalated":
        services.case_escalate(actor=ana, case_id=case.pk, reason="Too loud")
        case = services.case_assign(actor=manager, case_id=case.pk, to=manager)
    if barrier == "queue":
        rule(manager, queue(manager, "Managers", decided_by=[]))
        jobs.cases_route()
        ana.role = "compliance_manager"
        ana.save()
    made, how = proposed(maker, case), {}
    checker = {"maker": maker, "auditor": staff("auditor")}.get(barrier, ben)
    if barrier == "away":
        services.away_set(actor=ben, person=ben, is_away=True)
    elif barrier == "ruled out":
        ruled_out[customer_user.pk] = {ben.pk: "plucked it lately"}
    elif barrier == "new fact":
        opened(subject_of(customer_user), title="It spoke")
    elif barrier == "new note":
        how = {"version": now(made).version}
        services.case_note(actor=manager, case_id=case.pk, text="It winked.")
    elif barrier == "evidence":
        plumage[customer_user.pk] = "Green"
    elif barrier == "maker gone":
        User.objects.filter(pk=ana.pk).update(is_active=False)
    elif barrier == "other case":
        how = {"proposal_id": proposed(ana, ready(ana)).pk}
    with pytest.raises(error, match=words):
        approve(checker, made, **how)
    assert not effects.effects
    assert not CaseDecision.objects.exists()
    if barrier in {"maker", "auditor", "away", "ruled out", "queue", "escalated"}:
        with pytest.raises(error, match=words):
            send_back(checker, made)
        assert status(made) == ("waiting_approval", "waiting")
    else:
        # What was looked at anew can be decided.
        if barrier == "new note":
            assert approve(ben, made)
        elif barrier in {"evidence", "maker gone"}:
            assert send_back(ben, made).status == "refused"


def test_what_a_maker_saw_is_forgotten_and_who_proposed_and_answered_stays(
    manager: User, ana: User, ben: User, customer_user: User, effects: Seen
) -> None:
    needs_two(manager)
    made, other = proposed(ana, ready(ana, subject_of(customer_user))), proposed(ana, ready(ana))
    approve(ben, made)
    seen.forget([customer_user.pk])
    kept = Proposal.objects.get(pk=made.pk)
    assert kept.seen_evidence == FORGOTTEN != made.seen_evidence
    said = (kept.maker, kept.checker, kept.code, kept.reason_label, kept.text, kept.status)
    assert said == (ana, ben, "stun", "It naps", made.text, "approved")
    assert Proposal.objects.get(pk=other.pk).seen_evidence == other.seen_evidence
    # One that still waits is not approved upon what nobody can compare any more.
    seen.forget([now(other).subject_id])
    with pytest.raises(Conflict, match="What was seen is erased"):
        approve(ben, other)


def test_every_reason_is_given_at_once(manager: User, ana: User, customer_user: User) -> None:
    needs_two(manager)
    made = proposed(ana, ready(ana, subject_of(customer_user)))
    ruled_out[customer_user.pk] = {ana.pk: "plucked it lately"}
    services.away_set(actor=ana, person=ana, is_away=True)
    plumage[customer_user.pk] = "Green"
    made = Proposal.objects.select_related("maker", "case__queue").get(pk=made.pk)
    around = approvers.Around.of([made.case])
    reasons = approvers.why_not_approve(ana, made, around, PARROT.evidence(made.case))
    assert [reason.text for reason in reasons] == [
        "You proposed it.",
        "You are away.",
        "You plucked it lately.",
        "Changed since compliance analyst proposed it: The parrot, Plumage.",
    ]
    assert all(reason.fix for reason in reasons)


def test_sent_back_it_lies_with_its_maker_who_is_told(
    manager: User, ana: User, ben: User, effects: Seen
) -> None:
    needs_two(manager)
    made = proposed(ana, ready(ana))
    with pytest.raises(Invalid):
        services.case_send_back(actor=ben, case_id=made.case_id, proposal_id=made.pk, reason=" ")
    # Away meanwhile, so nobody has it; and back, so it comes to her again.
    services.away_set(actor=ana, person=ana, is_away=True)
    services.away_set(actor=ana, person=ana, is_away=False)
    assert status(made) == ("waiting_approval", "waiting")
    first = send_back(ben, made)
    assert send_back(ben, made).status_at == first.status_at
    case = now(made)
    assert (case.status, case.assignee, first.checker, first.answer) == (
        "in_progress", ana, ben, "Look at its feet",
    )  # fmt: skip
    assert letters() == [f"{case.reference} needs you again"]
    with pytest.raises(Conflict, match="sent it back already"):
        approve(manager, made)
    again = proposed(ana, case, reason_code="moult")
    assert approve(ben, again).proposal == again
    assert len(effects.effects) == 1


def test_whatever_else_happens_ends_the_proposal(manager: User, ana: User, ben: User, effects: Seen) -> None:
    needs_two(manager)

    def withdraw(made: Proposal) -> None:
        with pytest.raises(Forbidden, match="a manager withdraws"):
            services.case_withdraw(actor=ben, case_id=made.case_id, proposal_id=made.pk)
        for _ in range(2):
            services.case_withdraw(actor=ana, case_id=made.case_id, proposal_id=made.pk)

    def wait(made: Proposal) -> None:
        until = clock.now() + timedelta(days=3)
        services.case_wait(actor=ana, case_id=made.case_id, on="customer", until=until, reason="A photo")

    ways: list[tuple[Callable[[Proposal], object], str, str]] = [
        (withdraw, "in_progress", "withdrawn"),
        (
            lambda made: services.case_withdraw(actor=manager, case_id=made.case_id, proposal_id=made.pk),
            "in_progress",
            "withdrawn",
        ),
        (wait, "waiting_customer", "withdrawn"),
        (
            lambda made: services.case_hold(
                actor=ana, case_id=made.case_id, until=clock.now() + timedelta(days=3), reason="A photo"
            ),
            "held",
            "withdrawn",
        ),
        (
            lambda made: services.case_escalate(actor=ana, case_id=made.case_id, reason="Too loud"),
            "escalated",
            "withdrawn",
        ),
        (
            lambda made: services.case_settle(
                kind=PARROT.name,
                subject=services.Subject("tests.parrot", now(made).subject_id, ""),
                reason="It spoke",
                source="webhook",
            ),
            "closed",
            "overtaken",
        ),
    ]
    for way, case_status, answer in ways:
        made = proposed(ana, ready(ana))
        way(made)
        assert status(made) == (case_status, answer)
        with pytest.raises(Conflict):
            approve(ben, made)
    assert not effects.effects
    assert len(letters()) == 1  # when a manager withdrew it


def test_while_it_waits_nobody_works_on_it_or_decides_it_again(manager: User, ana: User, ben: User) -> None:
    needs_two(manager)
    made = proposed(ana, ready(ana))
    for action in ("work", "decide"):
        (reason,) = permissions.why_not(ana, action, now(made))  # type: ignore[arg-type]
        assert "Withdraw it" in reason.fix
    with pytest.raises(Conflict, match="waits for a second person"):
        services.case_decide(
            actor=ana, case_id=made.case_id, decision="stun", version=now(made).version, reason_code="nap"
        )
    # Nobody is given another case less for it, and who has it may change.
    services.case_assign(actor=manager, case_id=made.case_id, to=ben)
    assert status(made) == ("waiting_approval", "waiting")
    assert approve(ben, made).actor == ana


def test_what_a_manager_decides_of_the_escalated_goes_back_to_managers(
    manager: User, ana: User, ben: User, staff: Staff
) -> None:
    needs_two(manager)
    case = ready(ana)
    services.case_escalate(actor=ana, case_id=case.pk, reason="Too loud")
    case = services.case_assign(actor=manager, case_id=case.pk, to=manager)
    made, other = proposed(manager, case), staff("compliance_manager")
    assert list(approvers.waiting_for(ben)) == []
    assert list(approvers.waiting_for(other)) == [made]
    assert send_back(other, made).status == "refused"
    assert status(made) == ("escalated", "refused")
    escalated = services.case_escalate(
        actor=manager, case_id=proposed(manager, now(made)).case_id, reason="Still too loud"
    )
    assert escalated.status == "escalated"


def test_who_can_approve_is_named_and_managers_are_told_when_nobody_can(
    manager: User, ana: User, ben: User
) -> None:
    needs_two(manager)
    for person, name in ((ana, "Ana"), (ben, "Ben"), (manager, "Maria")):
        User.objects.filter(pk=person.pk).update(name=name)
    case = ready(ana)
    made = proposed(ana, case)

    def line() -> str:
        second = approvers.seconds_of_cases([now(made)])[case.pk]
        return standing.ball(now(made), second).line

    assert line() == "Waiting for a second person: Ben or Maria"
    jobs.approvals_watch()
    assert letters() == []
    services.away_set(actor=ben, person=ben, is_away=True)
    services.away_set(actor=manager, person=manager, is_away=True)
    assert line() == "Waiting for a second person, and nobody can be it now"
    second = approvers.seconds_of_cases([now(made)])[case.pk]
    assert {str(person): why for person, why in second.cannot} == {
        "Ana": "proposed it", "Ben": "away", "Maria": "away",
    }  # fmt: skip
    for _ in range(2):
        jobs.approvals_watch()
    assert letters() == [f"Nobody can approve {case.reference}"]
    # Somebody can again, and then nobody: told anew. One proposed when nobody can is told at once.
    services.away_set(actor=ben, person=ben, is_away=False)
    jobs.approvals_watch()
    services.away_set(actor=ben, person=ben, is_away=True)
    jobs.approvals_watch()
    other = proposed(ana, ready(ana))
    assert letters()[1:] == [f"Nobody can approve {row.case.reference}" for row in (made, other)]


def test_many_are_approved_with_an_answer_for_each(
    manager: User, ana: User, ben: User, effects: Seen
) -> None:
    needs_two(manager)
    good = [proposed(ana, ready(ana)) for _ in range(2)]
    refused = proposed(ana, ready(ana), "bury")
    broken = proposed(ana, ready(ana), "break")
    stale = proposed(ana, ready(ana))
    own = proposed(ben, ready(ben))
    shown = {
        made.case_id: services.Shown(made.pk, now(made).version - (made == stale))
        for made in (*good, refused, broken, stale, own)
    }
    outcomes = {row.case_id: row for row in services.cases_approve(actor=ben, shown=shown)}
    assert [outcomes[made.case_id].done for made in good] == [True, True]
    assert outcomes[refused.case_id].words == "The parrot has flown."
    assert "fault of ours" in outcomes[broken.case_id].words
    assert "Look at it" in outcomes[stale.case_id].words
    assert "You proposed it" in outcomes[own.case_id].words
    assert CaseDecision.objects.count() == 2
    for made in (refused, broken, stale, own):
        assert status(made) == ("waiting_approval", "waiting")


# --- At once, on connections of their own -------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_who_answer_at_once_one_causes_one_effect(effects: Seen) -> None:
    manager, ana, ben = make_staff("compliance_manager"), make_staff(), make_staff()
    needs_two(manager)
    # A subject that no lock of the kind's holds: the case's own row is what makes the others wait.
    made = proposed(ana, ready(ana, a_subject()))
    shown = now(made).version
    results = together(
        *(lambda who=who: approve(who, made, version=shown) for who in (ben, ben, manager)),
        lambda: send_back(manager, made),
        lambda: services.case_withdraw(actor=ana, case_id=made.case_id, proposal_id=made.pk),
    )
    answer = Proposal.objects.get(pk=made.pk).status
    assert all(isinstance(row, CaseDecision | Proposal | Conflict) for row in results), results
    assert len(effects.effects) == CaseDecision.objects.count() == (answer == "approved")
    assert now(made).status == ("closed" if answer == "approved" else "in_progress")


@pytest.mark.django_db(transaction=True)
def test_a_fact_that_comes_while_it_is_approved_waits_for_one_or_the_other(effects: Seen) -> None:
    """Interposed: the fact is written and not committed when the checker approves."""
    manager, ana, ben = make_staff("compliance_manager"), make_staff(), make_staff()
    needs_two(manager)
    subject, results = subject_of(make_customer_user()), []
    made = proposed(ana, ready(ana, subject))
    shown = now(made).version

    def checker() -> None:
        try:
            results.append(approve(ben, made, version=shown))
        except Conflict as error:
            results.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=checker)
    with transaction.atomic():
        opened(subject, title="It spoke")
        other.start()
        waits_for_us()
    other.join(30)
    assert isinstance(results[0], Conflict)
    assert (len(effects.effects), status(made)) == (0, ("in_progress", "overtaken"))
