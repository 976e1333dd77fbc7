"""A value under seal: what it prints, and the one way to open it."""

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from portal.keyring import CannotUnseal, current_key_id, header, plain_length, seal, unseal

Callback = TypeVar("Callback", bound=Callable[..., Any])
HIDDEN = "••••"
#: Shorter values are not shown in part: four of five characters are no mask.
SHOWS_LAST4_FROM = 8


def _last4(text: str) -> str:
    return text[-4:] if len(text) >= SHOWS_LAST4_FROM else ""


def _mask_email(text: str) -> str:
    name, at, domain = text.partition("@")
    return f"{name[:1]}•••@{domain}" if at else HIDDEN


#: How a value prints, by the field's `mask`; called with "" when the value cannot be opened.
MASKS: dict[str, Callable[[str], str]] = {
    "tax_id": lambda text: f"•••-••-{_last4(text) or HIDDEN}",
    "last4": lambda text: f"{HIDDEN}{_last4(text)}",
    "phone": lambda text: f"{HIDDEN}{_last4(text)}",
    "email": _mask_email,
    "date": lambda _: "••••-••-••",
    "none": lambda _: HIDDEN,
}


@dataclass(frozen=True)
class Codec:
    """How values of a field become bytes, come back and print."""

    kind: str
    mask: str

    def encode(self, value: Any) -> bytes:
        """The value as bytes to encrypt. Raises TypeError or ValueError when it is of another kind."""
        if self.kind == "json":
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
        if self.kind == "date":
            return (value if isinstance(value, date) else date.fromisoformat(value)).isoformat().encode()
        if not isinstance(value, str):
            raise TypeError(f"a sealed text takes a str, not {type(value).__name__}")
        # Texts printed in part come back from forms; those of mask "none" are bodies and may hold any text.
        if self.mask != "none" and (HIDDEN in value or value.startswith("•")):
            raise ValueError("a mask was assigned to a sealed field; the value itself would be lost")
        return value.encode()

    def decode(self, plain: bytes) -> Any:
        """The reverse of encode."""
        if self.kind == "json":
            return json.loads(plain)
        return date.fromisoformat(plain.decode()) if self.kind == "date" else plain.decode()


def _not_in_templates(function: Callback) -> Callback:
    # Django's templates call what they find; this mark makes them print nothing instead of the value.
    function.alters_data = True  # type: ignore[attr-defined]
    return function


class Sealed:
    """A value under seal. Printing, formatting and logging it give the mask. Immutable.

    It holds a token and its home (`app.model.field:pk`; empty when values() gave it without its row) or,
    freshly assigned and unsaved, the plain bytes.
    """

    __slots__ = ("_codec", "_home", "_mask", "_plain", "_token")

    def __init__(
        self, codec: Codec, *, home: str = "", token: bytes | None = None, plain: bytes | None = None
    ) -> None:
        self._codec = codec
        self._home = home
        self._token = token
        self._plain = plain
        self._mask: str | None = None

    def _open(self) -> bytes:
        if self._plain is not None:
            return self._plain
        assert self._token is not None
        if not self._home:
            raise CannotUnseal("a sealed value read by values() has no row; read the instance to open it")
        return unseal(self._token, self._home)

    @_not_in_templates
    def reveal(self) -> Any:
        """The value: str, date or parsed JSON. Raises CannotUnseal.

        Showing it to a person needs a permission and an audit entry: that is the caller's part.
        """
        return self._codec.decode(self._open())

    @property
    def home(self) -> str:
        """The field and row it belongs to, `app.model.field:pk`; "" while it has no row."""
        return self._home

    @property
    def last4(self) -> str:
        """The last four characters, to tell two numbers apart; "" for a value too short to show a part of."""
        return _last4(self._open().decode())

    def at(self, home: str) -> "Sealed":
        """This value as the one of the row and field `home`; opened first when it belongs to another."""
        if self._plain is not None:
            return Sealed(self._codec, home=home, plain=self._plain)
        if self._home in ("", home):
            return Sealed(self._codec, home=home, token=self._token)
        return Sealed(self._codec, home=home, plain=self._open())

    def token(self) -> bytes:
        """The bytes to store, under the current key. Raises CannotUnseal for what cannot be read."""
        if not self._home:
            raise CannotUnseal("a sealed value needs its row's primary key before it can be stored")
        plain = self._open()
        if self._token is not None and self._token.startswith(header(current_key_id())):
            return self._token
        return seal(plain, self._home)

    def __str__(self) -> str:
        if self._mask is None:
            try:
                self._mask = MASKS[self._codec.mask](self._open().decode())
            except CannotUnseal:
                # A page or a log line still prints; only reveal() raises.
                self._mask = MASKS[self._codec.mask]("")
        return self._mask

    def __repr__(self) -> str:
        return "<Sealed>"

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        length = len(self._plain) if self._plain is not None else plain_length(self._token or b"")
        if length and self._codec.kind == "json" and length <= len("null"):
            return bool(self.reveal())
        return length > 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sealed):
            return NotImplemented
        return hmac.compare_digest(self._open(), other._open())

    def __hash__(self) -> int:
        return hash(self._token if self._plain is None and not self._home else self._open())

    def __copy__(self) -> "Sealed":
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> "Sealed":
        return self

    def __reduce__(self) -> Any:
        raise TypeError("a sealed value is not pickled: reveal it where it is needed")
