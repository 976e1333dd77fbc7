"""What a client asks the transport for."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from providers.errors import FieldProblem, Unreadable
from providers.http.files import Download, MultipartBody, Upload
from providers.http.tokens import Bearer

_WORD = re.compile(r"[A-Za-z][A-Za-z_ -]{0,39}")


@dataclass(frozen=True)
class Problem:
    """What a provider's error body says: its stable code, and its complaints field by field."""

    code: str = ""
    message: str = field(default="", repr=False)
    fields: tuple[FieldProblem, ...] = ()


def no_problem(status: int, body: Any) -> Problem:
    """For providers whose error bodies say nothing of use."""
    return Problem()


@dataclass(frozen=True)
class Call:
    """One request. Only `operation`, `method`, `template` and the host are ever logged.

    `template` holds the path with `{names}`; `path` fills them. `json`, `form` or `upload` is the body;
    `download` takes a good answer's body, whose reader is given its media type. `missing_rejects` reads a 404
    as a refusal of the input, where a contract answers so. `tracked`
    sends our request id as `x-tracking-id` where a contract declares that header. `read_problem`
    understands error bodies. `repeatable` allows the transport to repeat the call itself: reads, and calls
    that change nothing. `plain_words` accepts a bare word as a body that should have been a JSON string.
    """

    operation: str
    method: str
    base_url: str
    template: str
    path: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    json: Any = field(default=None, repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    upload: Upload | None = None
    download: Download | None = None
    missing_rejects: bool = False
    basic: tuple[str, str] | None = field(default=None, repr=False)
    bearer: Bearer | None = field(default=None, repr=False)
    tracked: bool = False
    repeatable: bool = False
    plain_words: bool = False
    read_problem: Callable[[int, Any], Problem] = field(default=no_problem, repr=False)

    def __post_init__(self) -> None:
        """Raises ValueError for a path value that would change the path's shape."""
        for name, value in self.path.items():
            if value in {"", ".", ".."}:
                raise ValueError(f"{self.operation}: {name} is not usable in a path")

    @property
    def host(self) -> str:
        """Host and port, as circuits and logs name it."""
        return urlsplit(self.base_url).netloc.rpartition("@")[2].lower()

    @property
    def may_repeat(self) -> bool:
        return self.repeatable or self.method == "GET"

    def url(self) -> str:
        """The filled address."""
        filled = {name: quote(value, safe="") for name, value in self.path.items()}
        return self.base_url.rstrip("/") + self.template.format(**filled)

    def body(self) -> tuple[bytes | MultipartBody | None, str]:
        """The encoded body and its media type; a new one for each attempt."""
        if self.upload is not None:
            multipart = MultipartBody(self.upload)
            return multipart, multipart.media_type
        if self.form is not None:
            return urlencode(self.form).encode(), "application/x-www-form-urlencoded"
        if self.json is not None:
            return json.dumps(self.json, separators=(",", ":"), allow_nan=False).encode(), "application/json"
        return None, ""


def parsed(raw: bytes, *, plain_words: bool = False) -> Any:
    """The JSON value of a body, None for an empty one, amounts as Decimal. Raises Unreadable for anything
    else."""
    if not raw.strip():
        return None
    try:
        return json.loads(raw, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        text = raw.decode("ascii", "replace").strip()
        if plain_words and _WORD.fullmatch(text):
            return text
        raise Unreadable("the body is not JSON") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def word(body: Any) -> str:
    """A body that is one word, such as `ok` or `success`. Raises Unreadable for anything else."""
    if isinstance(body, str) and _WORD.fullmatch(body.strip()):
        return body.strip()
    raise Unreadable("the body is not a word")
