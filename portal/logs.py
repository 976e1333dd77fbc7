"""Structured logs: one line per event, with the request's and task's ids, and nothing personal in them."""

import logging.config
import re
from collections.abc import MutableMapping
from typing import Any

import structlog

REDACTED = "[redacted]"

#: What the processors before the redaction wrote: module names, levels and times.
WRITTEN_BY_US = frozenset({"logger", "level", "timestamp"})

_SENSITIVE = (
    r"tax_?id|ssn|itin|birth|password|passwd|secret|token|authorization|cookie|api_?key|session|account_?number|"
    r"routing|iban|verification_?url|share_?token|phone|e_?mail"
)
#: Keys whose values are dropped whole, wherever they appear.
SENSITIVE_KEYS = re.compile(_SENSITIVE, re.IGNORECASE)

# Repetitions are bounded: a long line of nothing but letters must not cost the square of its length.
# The two slowest are asked only of a text with a character they cannot match without (the third part).
_PATTERNS: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"\beyJ[\w-]{8,4000}\.[\w-]{1,4000}\.[\w-]{0,4000}"), REDACTED, ""),
    (re.compile(r"(?i)\b(bearer|basic|api-key)\s+[\w.~+/=-]{1,4000}"), r"\1 " + REDACTED, ""),
    (re.compile(r"(\b[a-z][a-z0-9+]{1,15}://)[^/\s:@]{0,200}:[^/\s@]{1,200}@"), r"\1" + REDACTED + "@", ""),
    # What a dictionary, a JSON text, a query or a form prints: "taxId": "…", password=…, birthDate='…'.
    (
        re.compile(
            rf"(?i)(\w{{0,30}}(?:{_SENSITIVE})\w{{0,30}}[\"']?\s?[:=]\s?)"
            r"(\"[^\"]{0,4000}\"|'[^']{0,4000}'|[^\s,;&}\])\"'\[{][^\s,;&}\])]{0,4000})"
        ),
        r"\1" + REDACTED,
        ":=",
    ),
    (re.compile(r"\b\d{3}[- ]\d{2}[- ]\d{4}\b"), REDACTED, ""),
    (
        re.compile(r"(?i)\b((?:tax|ssn|itin|ein|social|account|routing|iban)[^\d\n]{0,24})\d[\d-]{4,16}\b"),
        r"\1" + REDACTED,
        "",
    ),
    (re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}"), REDACTED, "@"),
    (re.compile(r"(?<![\w.:])\+\d[\d ()-]{7,17}\d\b"), REDACTED, ""),
    (re.compile(r"(/webhooks/[\w-]{1,64}/)[^/\s\"'?]+"), r"\1" + REDACTED, ""),
    # Confirmation and reset links sign people in; query strings carry whatever people type.
    (
        re.compile(
            r"(/(?:confirm-email|password/reset/key|invite|continue-check|staff/files|api/v1/files|privacy/copy)/)[^/\s\"'?]+"
        ),
        r"\1" + REDACTED,
        "",
    ),
    (re.compile(r"(\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS) [^\s?\"]*)\?[^\s\"]*"), r"\1", ""),
    (re.compile(r"(https?://[^\s?\"']+)\?[^\s\"']*"), r"\1?" + REDACTED, ""),
)


def redact_text(text: str) -> str:
    """The text without tax ids, addresses, phones, tokens, account numbers, secret path parts and queries."""
    for pattern, replacement, needs in _PATTERNS:
        if not needs or any(character in text for character in needs):
            text = pattern.sub(replacement, text)
    return text


def _redact(value: Any) -> Any:
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {
            key: REDACTED if SENSITIVE_KEYS.search(str(key)) else _redact(item) for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_redact(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return redact_text(str(value))


def redact(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The structlog processor that applies all of the above to keys and values."""
    for key in event.keys() - WRITTEN_BY_US:
        event[key] = REDACTED if SENSITIVE_KEYS.search(key) else _redact(event[key])
    return event


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    redact,
]


def logging_config(log_format: str) -> dict[str, Any]:
    """The dictConfig for `json` (one object per line) or `console` (for people)."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "portal": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
            }
        },
        "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "portal"}},
        "root": {"handlers": ["out"], "level": "INFO"},
        "loggers": {
            # gunicorn gives its loggers handlers of its own, which would write request targets as they came.
            "gunicorn.error": {"handlers": ["out"], "level": "INFO", "propagate": False},
            "gunicorn.access": {"handlers": ["out"], "level": "INFO", "propagate": False},
            "django.server": {"handlers": ["out"], "level": "WARNING", "propagate": False},
            "django.db.backends": {"level": "WARNING"},
            "urllib3": {"level": "WARNING"},
            # Each tells of every step it takes on a file.
            "fontTools": {"level": "WARNING"},
            "fpdf": {"level": "ERROR"},
            "pikepdf": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }


def configure(config: dict[str, Any]) -> None:
    """Install the configuration for the standard library and for structlog."""
    logging.config.dictConfig(config)
    # A record that cannot be formatted would otherwise be printed to stderr as it is, redacted by nobody.
    logging.raiseExceptions = False
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
