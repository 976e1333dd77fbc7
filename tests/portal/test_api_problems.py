"""Problem types: whatever the API answers is in the one list, has a public page, and stands in the documentation."""

import ast
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.test import Client, RequestFactory
from django.urls import get_resolver
from rest_framework import exceptions

from portal.api.errors import TooLarge, server_error
from portal.api.problems import GROUPS, PROBLEM_TYPES
from portal.errors import DomainError
from portal.management.commands.problem_types import rewritten

APPS = ("portal", "providers", "onboarding", "funding")


def refusals(kind: type[DomainError] = DomainError) -> list[type[DomainError]]:
    return [kind] + [found for child in kind.__subclasses__() for found in refusals(child)]


def frameworks() -> list[type[exceptions.APIException]]:
    found = [row for _, row in inspect.getmembers(exceptions, inspect.isclass)]
    kinds = [row for row in found if issubclass(row, exceptions.APIException)]
    return [row for row in kinds if row is not exceptions.ValidationError] + [TooLarge]


def codes_in_source() -> set[str]:
    """Every code given to `problem(code=...)` as it stands in the source."""
    found = set()
    for app in APPS:
        for path in (Path(settings.BASE_DIR) / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "problem":
                    codes = [row.value for row in node.keywords if row.arg == "code"]
                    found |= {row.value for row in codes if isinstance(row, ast.Constant)}
    return found


@pytest.mark.parametrize("kind", refusals(), ids=lambda kind: kind.__name__)
def test_every_refusal_of_ours_is_listed(kind: type[DomainError]) -> None:
    listed = PROBLEM_TYPES[kind.code]
    assert (listed.status, listed.title) == (kind.status, kind.title)


@pytest.mark.parametrize("kind", frameworks(), ids=lambda kind: kind.__name__)
def test_every_refusal_of_the_framework_is_listed(kind: type[exceptions.APIException]) -> None:
    assert PROBLEM_TYPES[str(kind.default_code).replace("_", "-")].status == kind.status_code


def test_every_problem_made_by_name_is_listed() -> None:
    found = codes_in_source()
    assert {"second-factor-required", "invalid", "error"} <= found
    assert found <= set(PROBLEM_TYPES)


def test_no_code_is_listed_twice() -> None:
    assert len(PROBLEM_TYPES) == sum(len(group.types) for group in GROUPS)


@pytest.mark.django_db
@pytest.mark.parametrize("code", PROBLEM_TYPES)
def test_every_type_has_a_public_page(client: Client, code: str) -> None:
    kind = PROBLEM_TYPES[code]
    page = client.get(f"/docs/problems/{code}")
    assert page.status_code == 200
    words = page.content.decode()
    assert kind.title in words
    assert str(kind.status) in words
    assert "`" not in words.split("<main")[1]


@pytest.mark.django_db
def test_the_list_leads_to_every_page_and_the_api_to_the_list(client: Client) -> None:
    listed = client.get("/docs/problems/").content.decode()
    assert all(f'href="{kind.url}"' in listed for kind in PROBLEM_TYPES.values())
    schema = json.loads(client.get("/api/schema?format=json").content)
    assert "(/docs/problems/)" in schema["info"]["description"]
    assert schema["externalDocs"]["url"] == "/docs/problems/"


@pytest.mark.django_db
def test_no_other_page_is_there(client: Client) -> None:
    for code in ("nothing", "Invalid", "x" * 300):
        assert client.get(f"/docs/problems/{code}").status_code == 404
    assert client.post("/docs/problems/invalid").status_code == 405


def test_the_documentation_holds_the_same_list() -> None:
    text = (Path(settings.BASE_DIR) / "docs" / "problems.md").read_text()
    assert text == rewritten(text), "run: manage.py problem_types"


@pytest.mark.django_db
def test_a_fault_of_ours_is_a_problem_to_an_app_and_a_page_to_a_person(rf: RequestFactory) -> None:
    handler: Any = get_resolver().resolve_error_handler(500)
    assert handler is server_error
    app, person = handler(rf.get("/api/v1/applications")), handler(rf.get("/applications/"))
    assert (app.status_code, app.headers["Content-Type"]) == (500, "application/problem+json")
    assert b'"/docs/problems/error"' in app.content
    assert (person.status_code, person.headers["Content-Type"].split(";")[0]) == (500, "text/html")


@pytest.mark.parametrize("error", [OperationalError("gone"), InterfaceError("closed")])
def test_a_database_that_is_away_is_answered_as_such(rf: RequestFactory, error: Exception) -> None:
    handler: Any = get_resolver().resolve_error_handler(500)
    try:
        raise error
    except Exception:
        app, person = handler(rf.get("/api/v1/applications")), handler(rf.get("/applications/"))
    for answer in (app, person):
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert b'"/docs/problems/unavailable"' in app.content
    assert b"back in a moment" in person.content
