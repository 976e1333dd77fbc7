"""Real logging calls, through structlog and the standard library, leave nothing personal in the line."""

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from django.test import Client

from onboarding.models import Owner
from portal import logs
from portal.logs import REDACTED, redact_text

JWT = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.c2lnbmF0dXJl"


@pytest.fixture(params=["json", "console"])
def stream(request: pytest.FixtureRequest, settings: Any) -> Iterator[io.StringIO]:
    """What the configured handler writes."""
    out = io.StringIO()
    config = logs.logging_config(request.param)
    config["handlers"]["out"]["stream"] = out
    logs.configure(config)
    yield out
    logs.configure(settings.LOGGING)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("her SSN is 536-22-1234.", "her SSN is [redacted]."),
        ("536 22 1234", REDACTED),
        ("tax id value 536221234 refused", "tax id value [redacted] refused"),
        ("EIN 12-3456789", "EIN [redacted]"),
        ("account 000123456789", "account [redacted]"),
        ("routing number: 011000015", "routing number: [redacted]"),
        ("mail to ana.silva+x@example.co.uk failed", "mail to [redacted] failed"),
        ("call +1 (202) 555-0123 now", "call [redacted] now"),
        ("Authorization: Bearer abc.def-123", "Authorization: [redacted] [redacted]"),
        ("got Bearer abc.def-123", "got Bearer [redacted]"),
        (f"token {JWT} expired", "token [redacted] expired"),
        ("{'taxId': '536221234', 'name': 'x'}", "{'taxId': [redacted], 'name': 'x'}"),
        ('{"dateOfBirth":"1988-04-17","n":1}', '{"dateOfBirth":[redacted],"n":1}'),
        ("verificationURL=https://idv.example/a/b", "verificationURL=[redacted]"),
        ("password=hunter2&next=/", "password=[redacted]&next=/"),
        ("postgres://portal:hunter2@db:5432/portal", "postgres://[redacted]@db:5432/portal"),
        ("GET /staff/?q=Ana+Silva", "GET /staff/"),
        ("https://idv.example/start?s=1&t=2 opened", "https://idv.example/start?[redacted] opened"),
        ("Not Found: /webhooks/bakkt/s3cr3t-path/", "Not Found: /webhooks/bakkt/[redacted]/"),
        ("/account/confirm-email/Mg:1abc:xyz/", "/account/confirm-email/[redacted]/"),
    ],
)
def test_text_is_redacted(text: str, shown: str) -> None:
    assert redact_text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "Application 0193a7f2-8f6e-7c3a-9b1d-2f6a5e4d3c2b is active at 2026-11-21T09:30:00+00:00",
        "outbox_swept due=12 took 0.031 s",
        "POST /api/v1/applications 201",
        "accounts polled: 40 of 40",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize("unit", ["a", "a.", "eyJ", "tax ", "1", "://", "token", "+1", "'", "a@"])
def test_long_lines_cost_no_square(unit: str) -> None:
    started = time.perf_counter()
    redact_text(unit * (200_000 // len(unit)))
    assert time.perf_counter() - started < 20


def test_structlog_values_by_key_and_by_pattern(stream: io.StringIO) -> None:
    owner = Owner(tax_id="536-22-1234")
    structlog.get_logger("portal.test").info(
        "step saved",
        tax_id="whatever",
        owner_email="x",
        nested={"accountNumber": 123456789, "list": ["ana@example.com", 5]},
        sealed=owner.tax_id,
        count=7,
    )
    line = stream.getvalue()
    assert (
        "step saved" in line
        and "7" in line
        and "•••-••-1234" in line.encode().decode("unicode_escape") + line
    )
    for secret in ("whatever", "123456789", "ana@example.com", "536-22"):
        assert secret not in line


def test_standard_library_records_pass_too(stream: io.StringIO) -> None:
    logging.getLogger("django.request").warning(
        "Not Found: %s", "/webhooks/bakkt/s3cr3t/", extra={"status_code": 404}
    )
    logging.getLogger("gunicorn.error").error("Error handling request %s", "/x?email=ana@example.com")
    logging.getLogger("celery.worker").error("argument %r", {"taxId": "536221234"})
    line = stream.getvalue()
    assert line.count("\n") == 3
    for secret in ("s3cr3t", "ana@", "536221234"):
        assert secret not in line


def test_exceptions_are_logged_without_what_they_carry(stream: io.StringIO) -> None:
    def refuse(tax_id: str, local_only: str) -> None:
        raise ValueError(f"tax id {tax_id} of ana@example.com is taken")

    # Joined here: a traceback quotes source lines, and these values stand in none.
    number, kept_local = "".join(["536", "221", "234"]), "-".join(["900", "70", "5678"])
    for log in (structlog.get_logger("portal.test"), logging.getLogger("portal.plain")):
        try:
            refuse(number, kept_local)
        except ValueError as error:
            log.exception("refused: %s", error)
    line = stream.getvalue()
    assert line.count("ValueError: tax id [redacted] of [redacted] is taken") == 2
    for secret in ("536221234", "ana@", "900-70-5678"):
        assert secret not in line


def test_a_line_that_cannot_be_formatted_is_not_printed_raw(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    logging.getLogger("portal.plain").warning("%d of them", "ana@example.com")
    assert "ana@" not in capsys.readouterr().err + stream.getvalue()


@pytest.mark.django_db
def test_a_requests_lines_carry_its_id_and_no_query(stream: io.StringIO) -> None:
    Client().get("/healthz?email=ana@example.com&q=Silva")
    text = stream.getvalue()
    assert "request_finished" in text
    assert "GET /healthz" in text
    assert "Silva" not in text
    assert "ana@" not in text
    if text.startswith("{"):
        lines = [json.loads(line) for line in text.splitlines()]
        assert len({line["request_id"] for line in lines}) == 1
        assert {"timestamp", "level", "logger", "event"} <= lines[0].keys()
