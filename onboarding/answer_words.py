"""Answers as people read them: on pages, and in the copy of their data that customers get."""

from itertools import groupby
from typing import Any

from django_countries import countries

from onboarding.requirements import Field, Kind, Step
from portal.sealed import Sealed


def shown(field: Field, value: Any) -> str | Sealed:
    """An answer as a person reads it; a sealed one stays sealed, and the page prints what its reader may see."""
    if value in (None, ""):
        return "Not answered"
    if isinstance(value, Sealed):
        return value
    if field.kind is Kind.BOOLEAN:
        return "Yes" if value else "No"
    if field.kind is Kind.COUNTRY:
        return str(countries.name(value))
    if field.kind is Kind.COUNTRIES:
        return ", ".join(str(countries.name(code)) for code in value)
    return dict(field.choices).get(value, str(value))


def answer_rows(step: Step, kept: dict[str, Any]) -> list[dict[str, Any]]:
    """The answers of a step as people read them; an address is one line under its name."""
    asked = [
        field
        for field in step.fields
        if kept
        and (field.shown is None or field.shown.holds(kept))
        and (field.required or kept.get(field.name))
    ]
    rows: list[dict[str, Any]] = []
    for address, fields in groupby(asked, key=_address_of):
        if address:
            rows.append({"label": address, "value": _in_one_line(list(fields), kept)})
        else:
            rows += [{"label": field.label, "value": shown(field, kept.get(field.name))} for field in fields]
    return rows


def _address_of(field: Field) -> str:
    """The name of the address it is a line of; empty for every other question."""
    kept_in, line = field.store
    return field.group if kept_in.startswith("address:") and line else ""


def _in_one_line(fields: list[Field], kept: dict[str, Any]) -> str:
    lines = {field.store[1]: kept.get(field.name) or "" for field in fields}
    area = f"{lines.pop('state', '')} {lines.pop('postal_code', '')}".strip()
    country = str(countries.name(lines.pop("country", "")))
    return ", ".join(line for line in (*lines.values(), area, country) if line) or "Not answered"
