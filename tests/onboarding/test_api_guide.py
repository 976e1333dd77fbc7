"""The integrator's guide names every call of the API, and no other."""

import re
from pathlib import Path

from drf_spectacular.generators import SchemaGenerator

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "integrate.md"
DOCUMENT = SchemaGenerator().get_schema(request=None, public=True)
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path).rstrip("/")


def _documented() -> set[str]:
    found = DOCUMENT["paths"]
    return {
        f"{method.upper()} {_plain(path)}"
        for path, calls in found.items()
        for method in calls
        if method.upper() in METHODS
    }


def _named() -> set[str]:
    calls = re.findall(rf"`({'|'.join(METHODS)}) (/api/v1/[^`?\s]*)[^`]*`", GUIDE.read_text())
    return {f"{method} {_plain(path)}" for method, path in calls}


def test_every_call_stands_in_the_guide_and_no_other() -> None:
    assert sorted(_documented() - _named()) == [], "not in docs/integrate.md"
    # Tokens and the document itself are outside the OpenAPI document.
    unknown = {
        call for call in _named() - _documented() if not re.search(r"/(token|schema|openapi|docs)", call)
    }
    assert sorted(unknown) == [], "docs/integrate.md names calls that do not exist"
