"""What may be changed in an account that is open, by the questions it was opened with.

Birth date, tax number, account type and keys are changed by the provider's operations alone (seed 000, "Updating
Customer Accounts"): those questions are left out here.
"""

from dataclasses import replace

from onboarding.requirements.account import steps_of_account
from onboarding.requirements.fields import Field
from onboarding.requirements.people import Person, steps_of_person
from onboarding.requirements.steps import Step, StepName

#: Columns of an owner that an update may not touch.
RESTRICTED_COLUMNS = frozenset(
    {"date_of_birth", "tax_id", "tax_id_type", "tax_id_country", "no_tax_id_reason"}
)
_PERSONAL = (StepName.IDENTITY, StepName.CONTACT, StepName.ADDRESS, StepName.EMPLOYMENT)


def update_steps_of_person(person: Person) -> tuple[Step, ...]:
    """A person's steps without the restricted questions."""
    return tuple(_free(step) for step in steps_of_person(person) if step.name in _PERSONAL)


def update_steps_of_account(country: str) -> tuple[Step, ...]:
    """The account's own steps that may be changed."""
    return steps_of_account(country)


def _free(step: Step) -> Step:
    if step.name != StepName.IDENTITY:
        return step
    fields: tuple[Field, ...] = tuple(
        field for field in step.fields if field.store[1] not in RESTRICTED_COLUMNS
    )
    return replace(step, title="Name", short="Name", intro=_NAME_INTRO, fields=fields, across=None)


_NAME_INTRO = "A new name is checked again by the provider. Have the paper that shows the change at hand."
