"""What an application still needs before it can be submitted: read by pages, API and the submit service alike."""

from dataclasses import dataclass, field
from uuid import UUID

from onboarding import drafts, entries
from onboarding.agreements import scope
from onboarding.drafts import Draft
from onboarding.models import Agreement, Application, Owner
from onboarding.requirements import Problem, Step, StepName, grace, role_rule, roles_of
from onboarding.words import AccountType, OwnerRole


@dataclass(frozen=True)
class StepState:
    """A step and how far it is: `done`, or `problems` per field. `version` is 0 until it was saved once.

    `owner` is whose step it is, or None where it concerns the account.
    """

    step: Step
    version: int
    problems: dict[str, list[str]] = field(default_factory=dict)
    owner: Owner | None = None
    #: Whether the account comes from an import whose grace period runs: some things may follow later.
    in_grace: bool = False

    @property
    def may_wait(self) -> bool:
        """Whether the whole step may follow later; what was begun must be whole."""
        return self.in_grace and self.version == 0 and grace.may_lack_step(self.step.name)

    @property
    def blocking(self) -> dict[str, list[str]]:
        """The problems that stand in the way of submitting today."""
        if not self.in_grace:
            return self.problems
        return {
            name: sentences
            for name, sentences in self.problems.items()
            if not grace.may_lack_answer(self.step.name, name)
        }

    @property
    def done(self) -> bool:
        """Saved, or not needed; and its answers hold by today's rules."""
        return (self.version > 0 or self.step.optional) and not self.problems

    @property
    def needs_attention(self) -> bool:
        """Saved once, but something does not hold now (a rule, an agreement or the day changed)."""
        return self.version > 0 and bool(self.problems)

    @property
    def owner_id(self) -> UUID | None:
        """The id that stands in the step's address; None for the account's and the applicant's own."""
        return None if self.owner is None or self.owner.is_applicant else self.owner.pk

    @property
    def is_private(self) -> bool:
        """Whether it belongs to an owner with a part of their own: what lacks there is theirs to know."""
        return self.owner is not None and self.owner.fills_in_themselves

    @property
    def path(self) -> str:
        """Its name among all steps of the application: identity, or owners/<id>/identity."""
        return f"owners/{self.owner_id}/{self.step.name}" if self.owner_id else str(self.step.name)


def agreements_in_force() -> list[Agreement]:
    """The versions in force, whoever they bind, in a stable order."""
    return list(scope.in_force())


def agreements_for(draft: Draft, owner: Owner) -> list[Agreement]:
    """What this owner reads and accepts, for themselves or for whom they accept."""
    people = accepts_for(draft, owner)
    return [row for row in agreements_in_force() if any(scope.binds(row, person) for person in people)]


def step_states(application: Application) -> list[StepState]:
    """Every step with what it lacks, in order. The answers are checked again: rules and birthdays move."""
    return states_of(drafts.load(application))


def states_of(draft: Draft) -> list[StepState]:
    """The same of a draft that is loaded already."""
    in_force = agreements_in_force()
    batch = draft.application.batch
    in_grace = batch is not None and batch.in_grace
    found = []
    for step, owner in draft.journey():
        row = draft.saved(step, owner)
        version = row.version if row else 0
        problems = _problems(draft, step, owner, version, in_force)
        found.append(StepState(step, version, problems, owner, in_grace))
    return found


def _problems(
    draft: Draft, step: Step, owner: Owner | None, version: int, in_force: list[Agreement]
) -> dict[str, list[str]]:
    if step.name == StepName.AGREEMENTS:
        assert owner is not None
        return missing_agreements(draft, owner, in_force)
    if step.name == StepName.OWNERS:
        return people_problems(draft)
    typed = draft.entries(step, owner)
    if not version and (typed is None or not step.optional):
        return {}
    answers = draft.answers(step, owner)
    if typed is not None and (lacking := entries.unsaved(step, answers, typed.entries.reveal())):
        return lacking
    if not version:
        return {}
    try:
        step.clean(entries.opened(answers))
    except Problem as problem:
        return problem.fields
    return {}


def accepts_for(draft: Draft, owner: Owner) -> list[Owner]:
    """For whom this owner accepts agreements: themselves, and the applicant for those who cannot or need not."""
    found = [owner]
    if owner.is_applicant:
        application = draft.application
        for other in draft.others:
            rule = role_rule(application.account_type, application.entity_type, other.role)
            if rule is not None and not rule.for_themselves:
                found.append(other)
    return found


def missing_agreements(draft: Draft, owner: Owner, in_force: list[Agreement]) -> dict[str, list[str]]:
    """What this owner still has to accept, for themselves or others: {agreement id: sentence}."""
    people = accepts_for(draft, owner)
    found = {}
    for agreement in in_force:
        for person in people:
            accepted = {row.agreement_id for row in person.acceptances.all()}
            if agreement.pk not in accepted and scope.binds(agreement, person):
                found[str(agreement.pk)] = [f"Accept the {agreement.title}."]
    return found


def people_problems(draft: Draft) -> dict[str, list[str]]:
    """What is wrong with who belongs to the account: roles missing or too many, nobody in control, shares over 100."""
    application = draft.application
    counts = {
        rule.role: sum(owner.role == rule.role for owner in draft.owners)
        for rule in roles_of(application.account_type, application.entity_type)
    }
    sentences = []
    for rule in roles_of(application.account_type, application.entity_type):
        word = str(OwnerRole(rule.role).label).lower()
        if counts[rule.role] < rule.least:
            sentences.append(f"Add the {word}.")
        elif counts[rule.role] > rule.most:
            sentences.append(f"There can be at most {rule.most} in the role of {word}.")
    found = {"people": sentences} if sentences else {}
    if application.account_type == AccountType.ENTITY:
        found |= _control_problems(draft, counts)
    return found


def _control_problems(draft: Draft, counts: dict[OwnerRole, int]) -> dict[str, list[str]]:
    found = {}
    if not any(owner.is_control_person for owner in draft.owners):
        found["control_person"] = ["Say who controls the company: exactly one of the people."]
    shares = sum(owner.ownership_percent or 0 for owner in draft.owners)
    if shares > 100:
        found["shares"] = [f"The shares add up to {shares} %. Together they are 100 % at most."]
    nobody = draft.entity is not None and draft.entity.no_beneficial_owners
    holders = any((owner.ownership_percent or 0) >= 25 for owner in draft.owners)
    if counts.get(OwnerRole.BENEFICIAL_OWNER) or holders:
        if nobody:
            found["beneficial_owners"] = ["You said that nobody owns 25 % or more, yet somebody here does."]
    elif not nobody:
        found["beneficial_owners"] = ["Add everyone who owns 25 % or more, or say that nobody does."]
    return found


def lacks_something(state: StepState) -> str:
    """All that others are told of a step in somebody's own part."""
    name = state.owner.full_name if state.owner else ""
    return f"Something is missing in the part of {name or 'one of the owners'}."


def first_open(states: list[StepState]) -> StepState | None:
    """Where a returning customer goes on: the first step that is not done; None when all are."""
    return next((state for state in states if not state.done), None)


def missing(states: list[StepState]) -> dict[str, list[str]]:
    """Everything that stands in the way of submitting, as {"step.field": sentences}."""
    found: dict[str, list[str]] = {}
    for state in states:
        lacking = _lacking(state)
        if lacking and state.is_private:
            found[f"owners/{state.owner_id}"] = [lacks_something(state)]
        else:
            found |= lacking
    return found


def _lacking(state: StepState) -> dict[str, list[str]]:
    found = {f"{state.path}.{name}": sentences for name, sentences in state.blocking.items()}
    if state.version == 0 and not state.problems and not state.step.optional and not state.may_wait:
        whose = f" for {state.owner.full_name or 'this person'}" if state.owner_id and state.owner else ""
        found[state.path] = [f"Fill in “{state.step.title}”{whose}."]
    return found
