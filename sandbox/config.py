"""What the stand-in is told by its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit


class Refuses(Exception):
    """The stand-in will not start; the message is the one line that says why."""


@dataclass(frozen=True)
class Config:
    """`webhook_url` is the portal's full address including its secret; `state_file` None keeps state in
    memory."""

    port: int = 8009
    bind: str = "127.0.0.1"
    state_file: Path | None = None
    webhook_url: str = ""
    webhook_delay: float = 4.0
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")

    @property
    def origin(self) -> str:
        host = "127.0.0.1" if self.bind in ("0.0.0.0", "::") else self.bind  # noqa: S104  (compared, not bound)
        return f"http://{host}:{self.port}"


def read(environment: Mapping[str, str] = os.environ) -> Config:
    """The configuration. Raises Refuses in production and for a value of the wrong kind."""
    if environment.get("ENVIRONMENT", "").strip().lower() == "production":
        raise Refuses(
            "The sandbox is a stand-in for the providers and never runs with ENVIRONMENT=production."
        )
    state = environment.get("SANDBOX_STATE_FILE", "")
    webhook_url = environment.get("SANDBOX_WEBHOOK_URL", "")
    if webhook_url and not is_web_address(webhook_url):
        # Not quoted: it holds a secret.
        raise Refuses("SANDBOX_WEBHOOK_URL must be a full http or https address.")
    more_hosts = [host.strip() for host in environment.get("SANDBOX_HOSTS", "").split(",") if host.strip()]
    return Config(
        port=int(_number(environment, "SANDBOX_PORT", 8009)),
        bind=environment.get("SANDBOX_BIND", "127.0.0.1"),
        state_file=Path(state) if state else None,
        webhook_url=webhook_url,
        webhook_delay=_number(environment, "SANDBOX_WEBHOOK_DELAY", 4.0),
        hosts=(*Config.hosts, *more_hosts),
    )


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 80) > 0
    except ValueError:
        return False


def _number(environment: Mapping[str, str], name: str, default: float) -> float:
    text = environment.get(name, "")
    try:
        number = float(text) if text else float(default)
    except ValueError:
        raise Refuses(f"{name} must be a number, not {text!r}.") from None
    if not 0 <= number < 1_000_000:
        raise Refuses(f"{name} must lie between 0 and 1,000,000, not {text!r}.")
    return number
