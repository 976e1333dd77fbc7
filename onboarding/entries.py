"""What is typed into a step before it is saved: how it is taken in, and how it is shown again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from onboarding.models import StepEntries
from onboarding.requirements import Field, Kind, Problem, Step
from portal.errors import Invalid
from portal.sealed import Sealed
from portal.sealed_value import Codec

#: Longer than any answer may be; what somebody pasted by mistake need not be kept.
LONGEST = 5_000
MOST = 300
BIGGEST = 10**15
NOT_SAVED = "This was typed and not saved. Open the step and save it."
_MASKS = {Kind.DATE: "date", Kind.TAX_ID: "tax_id"}


@dataclass(frozen=True)
class Seen:
    """Which entries a writer has seen: their version (0: none), and the name of the open page, if it is one."""

    version: int
    writer: str = ""

    def covers(self, row: StepEntries) -> bool:
        """Whether writing over them loses nothing of another device."""
        return row.version == self.version or bool(self.writer and row.writer == self.writer)


def taken(step: Step, raw: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The entries to keep: `raw` over those before. Only their form is looked at, not whether they hold.

    An emptied answer stays empty; an emptied sensitive one is forgotten, for its field is empty on every page that
    keeps it. Raises Invalid for names the step does not have and values that no field could hold.
    """
    fields = {field.name: field for field in step.fields}
    problems: dict[str, list[str]] = {}
    found = {name: value for name, value in before.items() if name in fields}
    for name, value in raw.items():
        if name not in fields:
            problems[name] = ["There is no such field in this step."]
            continue
        try:
            entry = _entry(fields[name], value)
        except ValidationError as error:
            problems[name] = list(error.messages)
            continue
        if fields[name].sensitive and entry == "":
            found.pop(name, None)
        else:
            found[name] = entry
    if problems:
        raise Invalid("Some entries cannot be kept.", fields=problems)
    return found


def _entry(field: Field, value: Any) -> Any:
    if field.kind is Kind.BOOLEAN and value not in (None, ""):
        return field.clean(value)
    if value is None:
        return ""
    if isinstance(value, str):
        if len(value) > LONGEST:
            raise ValidationError(f"{field.label} is too long to be kept: at most {LONGEST:,} characters.")
        # What no database and no page can hold; the rules refuse it when the step is saved.
        return value.encode("utf-8", "ignore").decode().replace("\x00", "")
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) < BIGGEST):
        return value
    if isinstance(value, list) and len(value) <= MOST and all(isinstance(item, str) for item in value):
        return [_entry(field, item) for item in value]
    raise ValidationError(f"{field.label}: send text, a whole number, true or false, or a list of texts.")


def sealed(step: Step, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries of the step's questions, sensitive ones under seal, so that pages and API print their masks."""
    found = {}
    for field in step.fields:
        if field.name in entries:
            value = entries[field.name]
            if field.sensitive:
                codec = Codec("text", _MASKS.get(field.kind, "none"))
                value = Sealed(codec, plain=str(value).encode())
            found[field.name] = value
    return found


def opened(answers: Mapping[str, Any]) -> dict[str, Any]:
    """Answers with nothing sealed, for the rules."""
    return {name: value.reveal() if isinstance(value, Sealed) else value for name, value in answers.items()}


def unsaved(step: Step, answers: Mapping[str, Any], entries: Mapping[str, Any]) -> dict[str, list[str]]:
    """What stands against calling the step done: {field: sentences}; empty when saving would change nothing."""
    typed = asked_of(step, opened(answers) | dict(entries))
    try:
        cleaned = step.clean(typed)
    except Problem as problem:
        return problem.fields
    try:
        saved = step.clean(opened(answers))
    except Problem:
        saved = {}
    return {name: [NOT_SAVED] for name in cleaned if (cleaned[name] or None) != (saved.get(name) or None)}


def asked_of(step: Step, raw: Mapping[str, Any]) -> dict[str, Any]:
    """Without the answers to questions that are not asked, given the others."""
    return {
        field.name: raw[field.name]
        for field in step.fields
        if field.name in raw and (field.shown is None or field.shown.holds(raw))
    }
