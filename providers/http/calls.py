"""What a client asks the transport for."""

import json
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from providers.errors import FieldProblem, ProviderError, Unreadable
from providers.http.files import Download, MultipartBody, Upload
from providers.http.tokens import Bearer

_WORD = re.compile(r"[A-Za-z][A-Za-z_ -]{0,39}")


@dataclass(frozen=True)
class Problem:
    """What a provider's error body says: its stable code, and its complaints field by field.

    `comes_to` is the error where the code says more than the status of a 4xx.
    """

    code: str = ""
    message: str = field(default="", repr=False)
    fields: tuple[FieldProblem, ...] = ()
    comes_to: type[ProviderError] | None = None


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
    understands error bodies; `request_id_key` names the id of the request in a body, where no header has it.
    `headers` are further ones, such as keys. `repeatable` allows the transport to repeat the call itself: reads,
    and calls that change nothing. `plain_words` accepts a bare word as a body that should have been a JSON string;
    `status_alone` takes every 2xx as done, whatever body comes with it.

    `once` never sends the request twice, not even with a new token after a 401: where keys guard money, any status but
    a 5xx ends a key (seed 001).

    A Decimal in `json` travels as a JSON number of exactly its digits.
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
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    bearer: Bearer | None = field(default=None, repr=False)
    tracked: bool = False
    repeatable: bool = False
    plain_words: bool = False
    status_alone: bool = False
    once: bool = False
    request_id_key: str = ""
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
            return _encoded(self.json), "application/json"
        return None, ""


def _encoded(value: Any) -> bytes:
    """The JSON of a body. The json module knows no Decimal, and a float would round an amount: each goes in as a
    text under a mark of its own, whose quotes are then taken off."""
    mark = secrets.token_hex(16)

    def marked(part: object) -> str:
        if isinstance(part, Decimal) and part.is_finite():
            return f"{mark}{part:f}"
        raise TypeError(f"{type(part).__name__} is not JSON")

    text = json.dumps(value, separators=(",", ":"), allow_nan=False, default=marked)
    return re.sub(rf'"{mark}(-?[0-9.]+)"', r"\1", text).encode()


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
