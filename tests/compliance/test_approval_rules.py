"""Which decisions need a second person: what a rule matches, its dry run, and that nobody loosens it alone."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from compliance import approval_policy, kinds, services
from compliance.models import ApprovalRule, Case, CaseDecision, Proposal
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, User
from portal.money import Money
from tests.compliance.conftest import a_subject, opened, ready
from tests.compliance.kinds import KIND, PARROT, Seen, traits
from tests.compliance.test_four_eyes import needs_two
from tests.compliance.test_queues import queue, rule, version

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
RULES = reverse("cases:approval_rules")
NEW = reverse("cases:approval_rule_new")
ALL = {decision.code for decision in PARROT.decisions}
AMOUNT = Money(100_00, "USD")


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture(autouse=True)
def _no_traits() -> None:
    traits.clear()


@pytest.mark.parametrize(
    ("how", "told", "priority", "codes"),
    [
        ({}, kinds.Traits(), 1, ALL),
        ({"kind": KIND}, kinds.Traits(), 1, ALL),
        ({"kind": KIND, "decision": "bury"}, kinds.Traits(), 1, {"bury"}),
        ({"priority_from": 3}, kinds.Traits(), 2, set()),
        ({"priority_from": 3}, kinds.Traits(), 3, ALL),
        ({"amount": AMOUNT}, kinds.Traits(amount=AMOUNT), 1, ALL),
        ({"amount": AMOUNT}, kinds.Traits(amount=Money(99_99, "USD")), 1, set()),
        ({"amount": AMOUNT}, kinds.Traits(amount=Money(999_00, "MXN")), 1, set()),
        ({"amount": AMOUNT}, kinds.Traits(), 1, set()),
        ({"kind": KIND, "decision": "stun", "priority_from": 4}, kinds.Traits(), 4, {"stun"}),
    ],
)
def test_what_a_rule_asks_for(
    manager: User, how: dict[str, Any], told: kinds.Traits, priority: int, codes: set[str]
) -> None:
    # A rule of the queues that lowers the priority does not switch the check off.
    rule(manager, queue(manager, "Calm"), priority=1)
    needs_two(manager, **how)
    subject = a_subject()
    traits[subject.id] = told
    case = opened(subject, priority=priority)
    assert case.priority == 1
    assert approval_policy.needing_two(case, PARROT.decisions) == codes
    then = approval_policy.dry_run([])
    assert [(row.kind, row.now, row.then) for row in then] == ([("Silent parrot", 1, 0)] if codes else [])


def test_without_a_rule_one_person_decides(staff: Staff, effects: Seen) -> None:
    analyst = staff("compliance_analyst")
    case = ready(analyst)
    made = services.case_decide(
        actor=analyst, case_id=case.pk, decision="stun", version=case.version, reason_code="nap"
    )
    assert isinstance(made, CaseDecision)
    assert not Proposal.objects.exists()


def test_nobody_loosens_it_alone(manager: User, staff: Staff) -> None:
    other, analyst = staff("compliance_manager"), staff("compliance_analyst")
    needs_two(manager, kind=KIND, decision="stun")
    made = ApprovalRule.objects.get()

    def remove(actor: User, **how: Any) -> bool:
        return services.approval_rule_remove(actor=actor, rule_id=made.pk, **{"version": version(), **how})

    with pytest.raises(Forbidden):
        remove(analyst)
    with pytest.raises(Forbidden):
        needs_two(analyst)
    with pytest.raises(Conflict, match="since you opened"):
        remove(manager, version=version() - 1)
    for _ in range(2):
        assert remove(manager) is False
    case = opened()
    assert approval_policy.needing_two(case, PARROT.decisions) == {"stun"}
    services.approval_rule_keep(actor=other, rule_id=made.pk, version=version())
    with pytest.raises(Conflict, match="Nobody asks"):
        services.approval_rule_keep(actor=other, rule_id=made.pk, version=version())
    assert remove(manager) is False
    assert remove(other) is True
    assert approval_policy.needing_two(case, PARROT.decisions) == set()
    told = AuditEntry.objects.filter(action="queues.approval_rule").order_by("at")
    words = "“It rests: stun it” of “Silent parrot”"
    assert [(row.actor, bool(row.before), bool(row.after)) for row in told] == [
        (manager, False, True), (manager, True, True), (other, True, True), (manager, True, True),
        (other, True, False),
    ]  # fmt: skip
    assert told[4].before == {"second_person_for": words, "removal_asked_by": manager.label}


@pytest.mark.parametrize(
    "how", [{"kind": "tests.gone"}, {"kind": KIND, "decision": "fly"}, {"decision": "stun"}, {}]
)
def test_what_is_no_rule(manager: User, how: dict[str, Any]) -> None:
    needs_two(manager)
    with pytest.raises(Invalid) as refused:
        needs_two(manager, **how)  # the last one is there already
    assert list(refused.value.fields) == ["what"]
    assert ApprovalRule.objects.count() == 1


def test_the_pages(manager: User, staff: Staff, signed_in: SignIn) -> None:
    """A manager tries and adds a rule, another agrees to its removal; auditors read, others have no page."""
    for _ in range(2):
        opened()
    client, wish = signed_in(manager), {"version": version(), "what": f"{KIND}/stun", "priority_from": "1"}
    tried = client.post(NEW, {**wish, "do": "try"})
    assert "2 undecided cases hold a decision that would need two" in tried.content.decode()
    assert not ApprovalRule.objects.exists()
    for wrong, words in (
        ({"amount": "x", "currency": "USD"}, "amount"),
        ({"amount": "5"}, "Write the amount and its currency"),
        ({"what": "nobody/knows"}, "Choose a decision of the list"),
        ({"priority_from": "9"}, "Select a valid choice"),
        ({"version": "0"}, "since you opened this"),
    ):
        refused = client.post(NEW, {**wish, "do": "save", **wrong})
        assert (refused.status_code, words in refused.content.decode()) == (422, True)
    assert client.post(NEW, {**wish, "do": "save"}).status_code == 302
    made = ApprovalRule.objects.get()
    assert (made.kind, made.decision) == (KIND, "stun")

    remove, keep = (reverse(f"cases:approval_rule_{do}", args=[made.pk]) for do in ("remove", "keep"))
    other = signed_in(staff("compliance_manager"))
    for client_, sentence in ((client, "Ask for its removal"), (other, "Agree, and remove it")):
        assert sentence in client_.get(remove).content.decode()
        # Without the version of the page it was read on nothing changes.
        assert client_.post(remove, {"version": "x"}).status_code == 302
        assert client_.post(remove, {"version": version()}).status_code == 302
    assert not ApprovalRule.objects.exists()
    shown = other.get(RULES).content.decode()
    assert "It rests: stun it" in shown  # in what was changed
    for role, status in (("auditor", 200), ("compliance_analyst", 403), ("administrator", 403)):
        person = signed_in(staff(role))
        assert person.get(RULES).status_code == status
        assert person.get(NEW).status_code == 403
        assert person.post(NEW, {**wish, "version": version(), "do": "save"}).status_code == 403
        assert person.post(keep, {"version": version()}).status_code in {403, 404}
    assert not ApprovalRule.objects.exists()
    assert Case.objects.filter(status="open").count() == 2
