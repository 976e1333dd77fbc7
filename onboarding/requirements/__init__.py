"""What an application asks: one declarative description that pages, API, import and the completeness check read."""

from onboarding.requirements.account import (
    AGREEMENTS,
    INVESTMENT,
    owners_step,
    steps_of_account,
    trusted_contact,
)
from onboarding.requirements.entity import steps_of_entity
from onboarding.requirements.fields import Field, Kind, Problem, Shown
from onboarding.requirements.people import Person, steps_of_person
from onboarding.requirements.roles import RoleRule, has_entity, role_rule, roles_of, several_people
from onboarding.requirements.steps import Step, StepName, step_named

__all__ = [
    "AGREEMENTS",
    "INVESTMENT",
    "Field",
    "Kind",
    "Person",
    "Problem",
    "RoleRule",
    "Shown",
    "Step",
    "StepName",
    "has_entity",
    "owners_step",
    "role_rule",
    "roles_of",
    "several_people",
    "step_named",
    "steps_of_account",
    "steps_of_entity",
    "steps_of_person",
    "trusted_contact",
]
