"""Deciding: the effect once, nothing half-done, and every reason why not."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from compliance import permissions, services
from compliance.models import Case, CaseDecision
from portal import clock
from portal.errors import Conflict, Forbidden, IllegalMove, Invalid, NotFound
from portal.models import AuditEntry, User
from tests.compliance.conftest import a_subject, opened, ready, subject_of
from tests.compliance.kinds import PARROT, Seen
from tests.compliance.test_open import together, waits_for_us
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]


@pytest.fixture
def analyst(staff: Staff) -> User:
    return staff("compliance_analyst")


def decided(actor: User, case: Case, decision: str = "stun", **how: object) -> CaseDecision:
    reasons = {"stun": {"reason_code": "nap"}, "bury": {"text": "It is no more."}}
    given = {"version": case.version, **reasons.get(decision, {}), **how}
    return services.case_decide(actor=actor, case_id=case.pk, decision=decision, **given)  # type: ignore[arg-type]


def nothing_happened(case: Case, subject: User) -> bool:
    now = Case.objects.get(pk=case.pk)
    name = User.objects.get(pk=subject.pk).name
    audited = AuditEntry.objects.filter(action="case.decided").exists()
    same = (now.status, now.version) == (case.status, case.version)
    return same and not now.decisions.exists() and not audited and name == "Ana Ortiz"


def test_a_decision_causes_its_effect_and_is_written_down(
    analyst: User, effects: Seen, customer_user: User
) -> None:
    case = ready(analyst, subject_of(customer_user))
    made = decided(analyst, case, text="Ten hours.")
    (ruling,) = effects.effects
    assert (ruling.actor, ruling.decision, ruling.reason_code, ruling.text) == (
        analyst,
        "stun",
        "nap",
        "Ten hours.",
    )
    assert ruling.decision_id == made.pk
    assert effects.locks == [customer_user.pk]
    stored = CaseDecision.objects.get()
    assert (stored.label, stored.reason_label, stored.outcome) == (
        "It rests: stun it",
        "It naps",
        "The parrot is stunned.",
    )
    assert stored.seen_version == case.version
    assert Case.objects.get(pk=case.pk).status == "closed"
    assert User.objects.get(pk=customer_user.pk).name == "Stunned"
    entry = AuditEntry.objects.get(action="case.decided")
    assert (entry.actor, entry.after["decision"]) == (analyst, "stun")
    assert "Ten hours" not in str(entry.after)


def test_a_second_click_gets_the_first_decision(analyst: User, effects: Seen, customer_user: User) -> None:
    case = ready(analyst, subject_of(customer_user))
    first = decided(analyst, case)
    assert decided(analyst, case).pk == first.pk
    assert len(effects.effects) == 1
    with pytest.raises(Conflict, match="decided"):
        decided(analyst, case, reason_code="moult")
    assert len(effects.effects) == 1


@pytest.mark.django_db(transaction=True)
def test_two_clicks_at_once_cause_one_effect(effects: Seen) -> None:
    # A subject that no lock of the kind's holds: the case's own row is what makes the second wait.
    analyst = make_staff()
    case = ready(analyst, a_subject())
    made = together(*(lambda: decided(analyst, case) for _ in range(6)))
    assert {row.pk for row in made} == {CaseDecision.objects.get().pk}
    assert len(effects.effects) == 1


@pytest.mark.django_db(transaction=True)
def test_of_two_browsers_the_second_is_refused(effects: Seen) -> None:
    """Interposed: the second asks while the first's decision is not committed."""
    analyst, subject = make_staff(), make_customer_user()
    case = ready(analyst, subject_of(subject))
    with transaction.atomic():
        Case.objects.select_for_update().get(pk=case.pk)
        results = []

        def both() -> None:
            results.extend(
                together(
                    lambda: decided(analyst, case, reason_code="nap"),
                    lambda: decided(analyst, case, reason_code="moult"),
                )
            )

        others = threading.Thread(target=both)
        others.start()
        waits_for_us()
    others.join(30)
    refused = [result for result in results if isinstance(result, Conflict)]
    assert (len(results), len(refused), len(effects.effects)) == (2, 1, 1)
    assert CaseDecision.objects.count() == 1


@pytest.mark.parametrize(("decision", "error"), [("bury", Conflict), ("break", RuntimeError)])
def test_an_effect_that_fails_leaves_nothing(
    analyst: User, effects: Seen, customer_user: User, decision: str, error: type[Exception]
) -> None:
    case = ready(analyst, subject_of(customer_user))
    with pytest.raises(error):
        decided(analyst, case, decision)
    assert len(effects.effects) == 1
    assert nothing_happened(case, customer_user)


def test_a_fact_that_came_meanwhile_is_looked_at_first(
    analyst: User, effects: Seen, customer_user: User
) -> None:
    case = ready(analyst, subject_of(customer_user))
    opened(subject_of(customer_user), title="It spoke")
    with pytest.raises(Conflict, match="added to the case"):
        decided(analyst, case)
    assert not effects.effects
    case.refresh_from_db()
    assert decided(analyst, case)


@pytest.mark.parametrize(
    ("decision", "how", "field"),
    [
        ("fly", {}, "decision"),
        ("stun", {"reason_code": ""}, "reason_code"),
        ("stun", {"reason_code": "fled"}, "reason_code"),
        ("bury", {"reason_code": "nap"}, "reason_code"),
        ("bury", {"text": " \x00 "}, "text"),
        ("stun", {"text": "x" * 4001}, "text"),
    ],
)
def test_reasons_are_checked(
    analyst: User,
    effects: Seen,
    customer_user: User,
    decision: str,
    how: dict[str, str],
    field: str,
) -> None:
    case = ready(analyst, subject_of(customer_user))
    with pytest.raises(Invalid) as refused:
        decided(analyst, case, decision, **how)
    assert list(refused.value.fields) == [field]
    assert not effects.effects
    assert nothing_happened(case, customer_user)


def test_why_not_gives_every_reason_with_its_fix(analyst: User, staff: Staff) -> None:
    case = opened()
    sell = PARROT.decision("sell")
    assert sell
    reasons = [str(reason) for reason in permissions.why_not_decide(analyst, case, sell, set())]
    assert reasons == [
        "Nobody works on it. Assign it to yourself first.",
        "Your role does not decide “Sell it”. Ask a compliance manager if you need it for your work.",
        "Not ticked yet: Looked at it. Do it and tick it in the checklist.",
        "Not ticked yet: Spoke to it. Do it and tick it in the checklist.",
    ]
    with pytest.raises(Forbidden) as refused:
        decided(analyst, case, "sell")
    assert all(reason in refused.value.message for reason in reasons)
    with pytest.raises(Conflict, match="Looked at it"):
        services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
        decided(analyst, Case.objects.get(pk=case.pk))


@pytest.mark.parametrize(
    ("role", "error"),
    [
        ("compliance_manager", None),
        ("compliance_analyst", None),
        ("auditor", Forbidden),
        ("administrator", Forbidden),
        ("funding_operator", Forbidden),
        ("onboarding_agent", NotFound),
        ("customer", Forbidden),
    ],
)
def test_who_decides(
    role: str, error: type[Exception] | None, staff: Staff, effects: Seen, customer_user: User
) -> None:
    user = customer_user if role == "customer" else staff(role)
    case = opened(subject_of(customer_user))
    if error is None:
        case = ready(user, subject_of(customer_user))
        assert decided(user, case).actor == user
        return
    # Even as the assignee, which nothing but a fault could make them.
    Case.objects.filter(pk=case.pk).update(status="in_progress")
    case.refresh_from_db()
    for attempt in (
        lambda: decided(user, case),
        lambda: services.case_assign(actor=user, case_id=case.pk, to=user),
        lambda: services.case_note(actor=user, case_id=case.pk, text="x"),
        lambda: services.case_check(actor=user, case_id=case.pk, done={"looked"}),
        lambda: services.case_escalate(actor=user, case_id=case.pk, reason="x"),
        lambda: services.case_reopen(actor=user, case_id=case.pk, reason="x"),
        lambda: services.case_wait(
            actor=user, case_id=case.pk, on="customer", until=clock.now() + timedelta(1), reason="x"
        ),
    ):
        with pytest.raises(error):
            attempt()
    assert not effects.effects
    assert nothing_happened(case, customer_user)
    assert not case.notes.exists()
    assert not case.ticks.exists()


def test_a_decision_may_stay_until_its_end_is_known(staff: Staff) -> None:
    manager = staff("compliance_manager")
    case = ready(manager)
    decided(manager, case, "sell")
    assert Case.objects.get(pk=case.pk).status == "decided"
    for _ in range(2):
        services.case_close(case_id=case.pk, reason="The shop has paid", source="webhook")
    assert Case.objects.get(pk=case.pk).status == "closed"


def test_what_is_escalated_a_manager_decides(analyst: User, staff: Staff, effects: Seen) -> None:
    case = ready(analyst)
    services.case_escalate(actor=analyst, case_id=case.pk, reason="Too loud")
    case.refresh_from_db()
    with pytest.raises(Forbidden, match="escalated"):
        decided(analyst, case)
    with pytest.raises(Forbidden, match="escalated"):
        services.case_assign(actor=analyst, case_id=case.pk, to=None)
    manager = staff("compliance_manager")
    with pytest.raises(Conflict, match="Take it over"):
        decided(manager, case)
    case = services.case_assign(actor=manager, case_id=case.pk, to=manager)
    assert case.status == "escalated"
    back = services.case_assign(actor=manager, case_id=case.pk, to=analyst)
    assert back.status == "in_progress"
    assert decided(analyst, back)


def test_nobody_is_given_a_case_they_could_not_work_on(analyst: User, staff: Staff) -> None:
    case, manager = ready(analyst), staff("compliance_manager")
    for role in ("auditor", "onboarding_agent", "administrator"):
        with pytest.raises(Conflict, match="does not work on cases"):
            services.case_assign(actor=manager, case_id=case.pk, to=staff(role))
    assert Case.objects.get(pk=case.pk).assignee == analyst


def test_reopening_keeps_what_was_decided(analyst: User, effects: Seen, customer_user: User) -> None:
    subject = subject_of(customer_user)
    case = ready(analyst, subject)
    with pytest.raises(Conflict, match="open"):
        services.case_reopen(actor=analyst, case_id=case.pk, reason="Twice")
    decided(analyst, case)
    case = services.case_reopen(actor=analyst, case_id=case.pk, reason="It spoke again")
    assert (case.status, case.assignee) == ("open", None)
    assert case.decisions.count() == 1
    case = services.case_assign(actor=analyst, case_id=case.pk, to=analyst)
    decided(analyst, case)
    assert case.decisions.count() == len(effects.effects) == 2


@pytest.mark.parametrize("done", Case.DONE)
def test_nothing_but_a_person_reopens(done: str) -> None:
    case = opened()
    Case.objects.filter(pk=case.pk).update(status=done)
    case.refresh_from_db()
    with pytest.raises(IllegalMove, match="Only a person"):
        case.move_to("open", actor=None)


def test_of_two_cases_about_one_subject_the_older_stays_closed(
    analyst: User, effects: Seen, customer_user: User
) -> None:
    case = ready(analyst, subject_of(customer_user))
    decided(analyst, case)
    newer = opened(subject_of(customer_user))
    assert newer.pk != case.pk
    with pytest.raises(Conflict, match="newer case"):
        services.case_reopen(actor=analyst, case_id=case.pk, reason="It spoke again")
    assert Case.objects.get(pk=case.pk).status == "closed"


def test_a_decision_may_leave_the_case_waiting(analyst: User, effects: Seen, customer_user: User) -> None:
    case = ready(analyst, subject_of(customer_user))
    first = decided(analyst, case, "ask")
    assert first == decided(analyst, case, "ask"), "the second click is the first"
    case.refresh_from_db()
    assert (case.status, case.due_at, len(effects.effects)) == ("waiting_provider", None, 1)
    assert case.waiting_until == first.at + timedelta(days=3)
    with pytest.raises(Conflict, match="since you opened it"):
        decided(analyst, case, "ask", version=first.seen_version - 1)
    # What comes in brings it back, to be decided for good.
    opened(subject_of(customer_user))
    case.refresh_from_db()
    assert (case.status, case.waiting_until) == ("in_progress", None)
    assert case.due_at is not None
    decided(analyst, case)
    case.refresh_from_db()
    assert (case.status, case.decisions.count()) == ("closed", 2)
