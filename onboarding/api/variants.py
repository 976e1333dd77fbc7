"""Every question a step may hold, for the API's document: which of them are asked depends on the account."""

from dataclasses import replace

from onboarding.requirements import (
    AGREEMENTS,
    INVESTMENT,
    Field,
    Person,
    Step,
    StepName,
    owners_step,
    steps_of_entity,
    steps_of_person,
    trusted_contact,
)
from onboarding.words import AccountType, OwnerRole

_INDIVIDUAL = AccountType.INDIVIDUAL
#: Between them, these are asked every question there is.
_STEPS: tuple[Step, ...] = (
    *steps_of_entity(AccountType.ENTITY, "US"),
    *steps_of_person(Person(_INDIVIDUAL, "", OwnerRole.PRIMARY_OWNER, "US")),
    *steps_of_person(Person(_INDIVIDUAL, "", OwnerRole.PRIMARY_OWNER, "GB")),
    owners_step(AccountType.ENTITY),
    INVESTMENT,
    trusted_contact("US"),
    AGREEMENTS,
)


def _merged() -> dict[StepName, tuple[Field, ...]]:
    found: dict[StepName, dict[str, Field]] = {}
    for step in _STEPS:
        fields = found.setdefault(step.name, {})
        for field in step.fields:
            known = fields.get(field.name)
            fields[field.name] = _both(known, field) if known else field
    return {name: tuple(fields.values()) for name, fields in found.items()}


def _both(one: Field, other: Field) -> Field:
    """A question that two kinds of people are asked in two ways: needed where both need it, either's choices."""
    choices = dict(one.choices) | dict(other.choices) if one.choices and other.choices else {}
    return replace(
        other if one.kind is not other.kind else one,
        required=one.required and other.required and one.shown == other.shown,
        choices=tuple(choices.items()),
        max_length=max(one.max_length, other.max_length),
        shown=one.shown if one.shown == other.shown else None,
    )


STEP_FIELDS = _merged()
