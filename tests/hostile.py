"""The field library: values that no form, endpoint or import may choke on."""

from typing import Any

TEXTS: dict[str, Any] = {
    "empty": "",
    "spaces": "   \t ",
    "10,000 characters": "x" * 10_000,
    "NUL": "Ana\x00",
    "lone surrogate": "Ana\ud800",
    "right-to-left override": "Ana\u202eevil",
    "zero width": "\u200b\u200b",
    "emoji": "😀",
    "flag": "🏳️‍🌈",
    "right-to-left": "עברית",
    "combining pile": "a" + "\u0301" * 500,
    "html": "<script>alert(1)</script>",
    "template": "{{ settings.SECRET_KEY }}{% debug %}",
    "sql": "'; DROP TABLE onboarding_owner; --",
    "formula": '=HYPERLINK("http://evil.example","x")',
    "path": "../../../../etc/passwd",
    "format string": "%s%n{0.__class__}",
    "newline": "a\r\nSet-Cookie: x=1",
    "future date": "2999-01-01",
    "far date": "0001-01-01",
    "impossible date": "1988-02-30",
    "other digits": "٥٣٦٢٢١٢٣٤",
    "long number": "9" * 400,
    "negative": "-1",
    "decimal": "1.5",
    "exponent": "1e999",
    "not a number": "NaN",
    "wrong word": "INDIVIDUAL_BUT_NOT",
}
TYPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 7,
    "float": 1.5,
    "huge": 10**400,
    "list": ["x"],
    "empty list": [],
    "nested list": [[["x"]]],
    "object": {"x": 1},
    "many": ["US"] * 300,
}
EVERYTHING = TEXTS | TYPES
