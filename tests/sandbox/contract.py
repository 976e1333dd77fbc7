"""What goes over the wire, held against tests/contract/bakkt-partner.openapi.yaml."""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import requests
import yaml
from jsonschema import Draft202012Validator

FILE = Path(__file__).resolve().parent.parent / "contract" / "bakkt-partner.openapi.yaml"
# Statuses that faults make up wherever they are aimed; the contract need not name them.
OF_FAULTS = {401, 403, 409, 429, 500, 502}


@cache
def _document() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@cache
def _operations() -> list[tuple[str, re.Pattern[str], dict[str, Any]]]:
    """Method, path and operation; fixed paths before those with a part that varies."""
    found = []
    for path, item in sorted(_document()["paths"].items(), key=lambda entry: entry[0].count("{")):
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
        found += [(method.upper(), pattern, item[method]) for method in ("get", "post") if method in item]
    return found


def operation(method: str, path: str) -> dict[str, Any] | None:
    """The published operation, or None for a call the file does not hold."""
    return next((o for name, pattern, o in _operations() if name == method and pattern.fullmatch(path)), None)


def _resolved(part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        found: Any = _document()
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part


def webhook(kind: str) -> dict[str, Any]:
    """The published schema of a webhook, by its `partnerWebhookType`."""
    names = {
        "PARTY_EVENT": "PartyEvent",
        "BANK_ACCOUNT_LINK": "BankAccountLinkEvent",
        "FIAT_EVENT": "FiatEvent",
    }
    return {"$ref": f"#/components/schemas/{names[kind]}"}


def violations(schema: dict[str, Any], value: Any) -> list[str]:
    """Where the value is not what the schema says; formats count."""
    whole = {**schema, "components": _document()["components"]}
    check = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [f"{error.json_path}: {error.message}" for error in check.iter_errors(value)]


def _json_schema(part: dict[str, Any]) -> dict[str, Any] | None:
    found: dict[str, Any] | None = part.get("content", {}).get("application/json", {}).get("schema")
    return found


def check(answer: requests.Response) -> None:
    """Fails when an answer, or the body of a call that was taken, is not as published."""
    sent = answer.request
    path = (sent.path_url or "").partition("?")[0]
    published = operation(str(sent.method), path)
    if published is None:
        return
    responses = published["responses"]
    response = responses.get(str(answer.status_code), responses.get("default"))
    assert response or answer.status_code in OF_FAULTS, f"{path} answered {answer.status_code}"
    schema = _json_schema(_resolved(response)) if response else None
    if schema and "json" in answer.headers["Content-Type"]:
        body = answer.json()
        assert not violations(schema, body), (path, answer.status_code, violations(schema, body))
    taken = _json_schema(published.get("requestBody", {}))
    if taken and answer.status_code == 200 and sent.body:
        assert not violations(taken, json.loads(sent.body)), "taken though the contract refuses it"
