"""What a case file tells, as JSON: the case, everything that points at it, what the page shows of its subject."""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any

from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models.fields.reverse_related import ForeignObjectRel

from compliance import kinds
from compliance.casefile import hooks
from compliance.models import Case
from portal import audit
from portal.models import StatusChange, User
from portal.sealed import Sealed


def content(case: Case, told: hooks.Contribution) -> dict[str, Any]:
    """Everything but files and audit entries. The number of queries hangs on the number of tables alone."""
    kind = kinds.get(case.kind)
    moves = StatusChange.objects.filter(subject_type=case._meta.label_lower, subject_id=case.pk)
    return {
        "case": row(case) | {"kind_title": kind.title, "kind_purpose": kind.purpose},
        "checklist": [{"code": item.code, "text": item.text} for item in kind.checklist],
        "subject": dict(told.data),
        "shown_now": [_section(section) for section in kind.evidence(case)],
        "moves": rows(moves.order_by("at", "pk")),
        **{_name(relation): rows(_related(relation, case)) for relation in relations()},
    }


def relations() -> list[ForeignObjectRel]:
    """Every table that points at a case, but those that were left out, by name."""
    found = [
        relation
        for relation in Case._meta.related_objects
        if relation.related_model._meta.label_lower not in hooks.LEFT_OUT
    ]
    return sorted(found, key=_name)


def _name(relation: ForeignObjectRel) -> str:
    """How the table is called in the file: as the case calls it, or by its own name."""
    return relation.related_name or str(relation.related_model._meta.verbose_name_plural).replace(" ", "_")


def _related(relation: ForeignObjectRel, case: Case) -> "models.QuerySet[Any]":
    manager = relation.related_model._default_manager
    return manager.filter(**{relation.field.name: case}).order_by("pk")


def rows(found: "models.QuerySet[Any]") -> list[dict[str, Any]]:
    """The rows as the file keeps them, people by name."""
    people = [
        column.name
        for column in found.model._meta.concrete_fields
        if column.is_relation and column.related_model is User
    ]
    return [row(instance) for instance in found.select_related(*people)] if people else list(map(row, found))


def row(instance: models.Model) -> dict[str, Any]:
    """A row's fields: people by name, sealed values as their mask, other rows by key."""
    return {
        column.name: _value(instance, column)
        for column in instance._meta.concrete_fields
        if not isinstance(column, SearchVectorField | models.BinaryField)
    }


def _value(instance: models.Model, column: "models.Field[Any, Any]") -> Any:
    if column.is_relation:
        key = getattr(instance, column.attname)
        if key is None or column.related_model is not User:
            return _plain(key)
        return getattr(instance, column.name).label
    return _plain(getattr(instance, column.name))


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Sealed):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, Iterable):
        return [_plain(item) for item in value]
    return str(value)


def _section(section: kinds.Section) -> dict[str, Any]:
    """A part of the evidence as the case's page shows it at this moment."""
    found: dict[str, Any] = {
        "title": section.title,
        "rows": audit.masked({each.label: each.value for each in section.rows}),
    }
    if section.comparison is not None:
        found["columns"] = list(section.comparison.columns)
        found["lines"] = [[_plain(str(cell)) for cell in line] for line in section.comparison.rows]
    return found
