"""The request log: what was asked and answered, with nothing personal but the test names."""

import re
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from sandbox.clock import iso
from sandbox.state import Json
from sandbox.world import World

MASK = "•••"
# Only these are shown; a value under any other name is masked, so a misspelt field leaks nothing.
SHOWN = frozenset(
    {
        "clientAccountId",
        "accountType",
        "owners",
        "role",
        "identity",
        "givenName",
        "familyName",
        "agreements",
        "name",
        "version",
        "clientOwnerId",
        "personalAddress",
        "mailingAddress",
        "country",
        "state",
        "taxIdType",
        "taxIdCountry",
        "maritalStatus",
        "employment",
        "employerAddress",
        "investmentProfile",
        "accountGoals",
        "customerProfile",
        "investmentObjective",
        "liquidityNeeds",
        "riskTolerance",
        "timeHorizon",
        "annualIncomeRangeUsd",
        "settlementMethod",
        "entity",
        "entityType",
        "requestId",
        "grant_type",
        "currency",
        "fiatTransactType",
        "instrumentType",
        "idempotencyKey",
        "partnerTransactionRef",
    }
)
# A number or date typed into a field that is shown.
SHAPES = re.compile(r"\d{3}-?\d{2}-?\d{4}|\d{2}-\d{7}|\d{4}-\d{2}-\d{2}|\d{1,2}[/.]\d{1,2}[/.]\d{4}")
LONGEST = 120


def redacted(value: Any) -> Any:
    """The value with everything masked that is not on the list."""
    if isinstance(value, dict):
        return {
            (name if name in SHOWN else _text(str(name))): redacted(part) if name in SHOWN else MASK
            for name, part in value.items()
        }
    if isinstance(value, list):
        return [redacted(part) for part in value[:20]]
    if isinstance(value, str):
        return _text(value)
    return value if value is None or isinstance(value, bool) else MASK


def _text(text: str) -> str:
    return SHAPES.sub(MASK, text[:LONGEST])


def _kind_of_error(answer: Any) -> list[str]:
    """The type of a PublicApiError, or Plaid's code."""
    kind = answer.get("type") or answer.get("error_code") if isinstance(answer, dict) else None
    return [_text(kind)] if isinstance(kind, str) else []


def write(
    world: World,
    request: HttpRequest,
    response: HttpResponseBase,
    *,
    operation: str,
    body: Any,
    answer: Any,
    faults: list[str],
    milliseconds: int,
) -> None:
    """Add a line. `body` and `answer` are parsed JSON or None."""
    told = answer if isinstance(answer, dict) else {}
    problems = [f"{p['code']} {_text(p['field'])}" for p in told.get("validationErrors") or []]
    entry: Json = {
        "operation": operation,
        "method": request.method,
        "path": _text(request.path),
        "status": "dropped"
        if any(f in ("hang", "drop_before", "drop_after") for f in faults)
        else response.status_code,
        "faults": faults,
        "milliseconds": milliseconds,
        "body": redacted(body),
        "problems": problems or _kind_of_error(answer),
    }
    with world.moved:
        world.requests.append({"at": iso(world.clock.now()), **entry})
