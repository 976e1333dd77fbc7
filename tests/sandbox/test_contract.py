"""The check against the published file can fail, and covers the calls of the account family."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
import yaml

from sandbox.bakkt import crypto, documents, papers, validation
from sandbox.bakkt.schema import Failures
from tests.sandbox import contract
from tests.sandbox.conftest import request_body

SCHEMAS = yaml.safe_load(contract.FILE.read_text(encoding="utf-8"))["components"]["schemas"]
# The deprecated form of the jurisdictions and the streaming address are in the guide alone.
UNPUBLISHED = {"apex-crypto/api/v2/config", "apex-crypto/api/v2/jurisdictions"}


@pytest.mark.parametrize("route", [str(entry.pattern) for entry in crypto.urlpatterns])
def test_every_call_of_the_family_is_published(route: str) -> None:
    path = "/" + route.replace("<str:ref>", "acc-1").replace("<str:key>", "doc-1")
    found = contract.operation("GET", path) or contract.operation("POST", path)
    assert bool(found) is (route not in UNPUBLISHED)


def test_a_body_that_is_not_as_published_is_found() -> None:
    taken = {"$ref": "#/components/schemas/AccountRequest"}
    body = request_body()
    assert contract.violations(taken, body) == []
    broken = deepcopy(body)
    broken["owners"][0]["identity"]["dateOfBirth"] = "yesterday"
    del broken["owners"][0]["mailingAddress"]["postalCode"]
    broken["accountType"] = "COMPANY"
    assert len(contract.violations(taken, broken)) == 3


def _vocabularies(kind: object, name: str = "") -> dict[str, frozenset[str]]:
    """Every closed list of words that the stand-in checks by, by field name."""
    found: dict[str, frozenset[str]] = {}
    for part in (getattr(kind, "required", {}), getattr(kind, "optional", {})):
        for field, inner in part.items():
            found |= _vocabularies(inner, field)
    if item := getattr(kind, "item", None):
        found |= _vocabularies(item, name)
    if (words := getattr(kind, "choices", None)) and words is not validation.COUNTRIES:
        found[name] = words
    return found


def _properties(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every field below the schema with its own schema, items in place of lists."""
    for name, part in schema.get("properties", {}).items():
        inner = part.get("items", part)
        inner = SCHEMAS[inner["$ref"].rsplit("/", 1)[1]] if "$ref" in inner else inner
        yield name, inner
        yield from _properties(inner)


def test_the_vocabularies_are_the_published_ones() -> None:
    published = {
        name: frozenset(schema["enum"])
        for name, schema in _properties(SCHEMAS["AccountRequest"])
        if "enum" in schema
    }
    assert len(published) >= 20
    assert _vocabularies(validation.REQUEST) == published
    assert frozenset(SCHEMAS["DocumentType"]["enum"]) == papers.TYPES


def _names(kind: object) -> set[str]:
    found: set[str] = set()
    for part in (getattr(kind, "required", {}), getattr(kind, "optional", {})):
        for field, inner in part.items():
            found |= {field} | _names(getattr(inner, "item", inner))
    return found


def test_the_fields_are_the_published_ones() -> None:
    for kind, schema in ((validation.REQUEST, "AccountRequest"), (documents.REQUEST, "DocumentRequest")):
        assert _names(kind) == {name for name, _ in _properties(SCHEMAS[schema])}


def test_failures_have_the_published_form() -> None:
    failures = Failures()
    validation.REQUEST.check({"accountType": "X"}, "", failures)
    whole = {"code": 422, "message": "failed", "validationErrors": list(failures)}
    assert failures
    assert contract.violations({"$ref": "#/components/schemas/ValidationErrors"}, whole) == []
