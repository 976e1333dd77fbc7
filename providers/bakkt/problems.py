"""Bakkt's three error bodies (contract bakkt-partner.md, section 3), read into one form without the
rejected values."""

from typing import Any

from providers.errors import FieldProblem
from providers.http import Problem

LONGEST_MESSAGE = 300
# Shorter values are too likely to be part of an ordinary word, and too little to be personal.
SHORTEST_MASKED = 3
MASK = "…"


def read_problem(status: int, body: Any) -> Problem:
    """What an error body says; an empty Problem for a body of none of the three shapes.

    The crypto family sends `{code, message}` and, at 422, `validationErrors`; the partner family `{type,
    detail, description, details}`. No field of the latter is required.
    """
    if not isinstance(body, dict):
        return Problem()
    listed = body.get("validationErrors") if "validationErrors" in body else body.get("details")
    fields = (
        tuple(_field(item) for item in listed if isinstance(item, dict)) if isinstance(listed, list) else ()
    )
    code = body.get("type", body.get("code"))
    message = body.get("description") or body.get("detail") or body.get("message")
    return Problem(code=_text(code)[:64], message=_text(message)[:LONGEST_MESSAGE], fields=fields)


def _field(item: dict[str, Any]) -> FieldProblem:
    message = _text(item.get("message") or item.get("description"))
    return FieldProblem(
        code=_text(item.get("type", item.get("code")))[:64],
        field=_text(item.get("field"))[:200],
        message=_without(message, item.get("rejectedValue"))[:LONGEST_MESSAGE],
    )


def _without(message: str, rejected: Any) -> str:
    """The message with the rejected value masked, should the provider repeat it there."""
    for value in _leaves(rejected):
        if len(value) >= SHORTEST_MASKED:
            message = message.replace(value, MASK)
    return message


def _leaves(value: Any) -> list[str]:
    """The texts and numbers inside any JSON value: `rejectedValue` is declared an object and sampled as a
    string."""
    if isinstance(value, dict):
        return [leaf for part in value.values() for leaf in _leaves(part)]
    if isinstance(value, list):
        return [leaf for part in value for leaf in _leaves(part)]
    return [] if value is None or isinstance(value, bool) else [str(value)]


def _text(value: Any) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)
