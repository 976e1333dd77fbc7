"""Bearer tokens that all processes share: fetched once, renewed before they expire and once on 401."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from providers.errors import Unreadable


@dataclass(frozen=True)
class Token:
    """A token and when it stops working; None where the provider does not say (then it is used until a
    401)."""

    value: str = field(repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.value or not self.value.isascii() or not self.value.isprintable() or " " in self.value:
            raise Unreadable("the token cannot be a header value")


class TokenStore(Protocol):
    """Where tokens are kept. An implementation lets one caller log in at a time per name."""

    def current(self, name: str, fetch: Callable[[], Token]) -> Token:
        """The token in use, fetched when there is none or it ends soon. Raises what `fetch` raises."""

    def replacement(self, name: str, refused: Token, fetch: Callable[[], Token]) -> Token:
        """A token other than `refused`: the one another caller got meanwhile, or a new one."""


@dataclass(frozen=True)
class Bearer:
    """How calls of one client are authorised. `prefix` stands before the token in the Authorization
    header."""

    name: str
    store: TokenStore = field(repr=False)
    fetch: Callable[[], Token] = field(repr=False)
    prefix: str = "Bearer "

    def current(self) -> Token:
        """The token to send. Raises what logging in raises."""
        return self.store.current(self.name, self.fetch)

    def replacement(self, refused: Token) -> Token:
        """The token to send after a 401 to `refused`."""
        return self.store.replacement(self.name, refused, self.fetch)

    def header(self, token: Token) -> str:
        return self.prefix + token.value
