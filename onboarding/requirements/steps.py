"""A step: the questions of one page, and what holds across them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from django.core.exceptions import ValidationError

from onboarding.requirements.fields import Field, Problem


class StepName(StrEnum):
    ENTITY = "entity"
    ENTITY_ADDRESS = "entity_address"
    ENTITY_BUSINESS = "entity_business"
    IDENTITY = "identity"
    CONTACT = "contact"
    ADDRESS = "address"
    EMPLOYMENT = "employment"
    OWNERS = "owners"
    INVESTMENT = "investment"
    TRUSTED_CONTACT = "trusted_contact"
    AGREEMENTS = "agreements"


@dataclass(frozen=True)
class Step:
    """One page of the application.

    `across` checks answers against each other: it gives answers to change, or raises Problem. An `optional` step
    may stay untouched. `of_owner`: each person of the account has one of their own.
    """

    name: StepName
    title: str
    short: str
    intro: str
    fields: tuple[Field, ...] = ()
    across: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None
    optional: bool = False
    of_owner: bool = False

    def clean(self, raw: Mapping[str, Any]) -> dict[str, Any]:
        """The answers to keep. Unknown names are refused; a question that is not asked is left out.

        Raises Problem with every field that does not hold, all at once.
        """
        known = {field.name for field in self.fields}
        problems: dict[str, list[str]] = {
            name: ["There is no such field in this step."] for name in raw if name not in known
        }
        answers: dict[str, Any] = {}
        for field in self.fields:
            if field.shown is not None and not field.shown.holds(answers):
                continue
            try:
                answers[field.name] = field.clean(raw.get(field.name))
            except ValidationError as error:
                problems[field.name] = list(error.messages)
        if not problems and self.across:
            try:
                answers |= self.across(answers)
            except Problem as error:
                problems |= error.fields
        if problems:
            raise Problem(problems)
        return answers


def worded(step: Step, whose: str) -> Step:
    """The step as it is asked about somebody else: "their", "its"."""
    return replace(step, fields=tuple(replace(field, whose=whose) for field in step.fields))


def step_named(steps: tuple[Step, ...], name: str) -> Step | None:
    """The step with that name, or None."""
    return next((step for step in steps if step.name == name), None)
