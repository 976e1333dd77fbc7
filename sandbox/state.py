"""What the stand-in remembers, and how it is written down."""

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar

logger = logging.getLogger(__name__)

Json = dict[str, Any]
R = TypeVar("R", bound="Record")


@dataclass
class Record:
    """A part of the state; reads itself back and ignores what an older or newer version wrote."""

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in data.items() if name in known})


@dataclass
class Link(Record):
    """A document-verification link. `number` counts the links of one verification, from 1. `declined`: the customer
    refused consent at it."""

    token: str
    number: int
    expires: float
    closed: bool = False
    declined: bool = False


@dataclass
class Account(Record):
    """An account as the provider sees it. `status` and `reason` are empty until the first review ended."""

    ref: str
    id: str
    request: Json
    origin: str
    created: float
    status: str = ""
    reason: str = ""
    link: Link | None = None
    screened: bool = False
    history: list[Json] = field(default_factory=list)

    @property
    def person(self) -> Json:
        """The identity of the primary owner, or of the first one."""
        owners: list[Json] = self.request["owners"]
        chosen = next((owner for owner in owners if owner.get("role") == "PRIMARY_OWNER"), owners[0])
        identity: Json = chosen["identity"]
        return identity

    @property
    def name(self) -> str:
        return f"{self.person['givenName']} {self.person['familyName']}"

    @property
    def settled(self) -> bool:
        return bool(self.status)

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self:
        link = data.get("link")
        return super().read({**data, "link": Link.read(link) if link else None})


@dataclass
class Plan(Record):
    """Outcomes still to come for an account: the first step at `due`, each further one after its own wait."""

    account: str
    due: float
    steps: list[Json]


@dataclass
class Document(Record):
    """An uploaded paper; its file lies in the vault under `id`. `request` is its metadata as submitted."""

    id: str
    request: Json
    created: float
    media_type: str
    size: int
    sha256: str

    @property
    def account(self) -> str:
        return str(self.request["account"])

    @property
    def side(self) -> str:
        return self.request.get("documentSide") or "UNSPECIFIED"


@dataclass
class Update(Record):
    """An update in review, over at `due`. `outcome` is accepted, rejected, or empty when only a tester ends it;
    `before` is what the account held until then."""

    id: str
    account: str
    due: float
    outcome: str
    before: Json
    renamed: bool = False


@dataclass
class Webhook(Record):
    """One message to the portal. `state`: queued, held (to be swapped), sending, delivered, failed, lost."""

    id: str
    account: str
    text: str
    created: float
    due: float
    state: str = "queued"
    unsigned: bool = False
    note: str = ""
    attempts: list[Json] = field(default_factory=list)


@dataclass
class Fault(Record):
    """A fault that is switched on; `left` None means until it is switched off."""

    id: str
    kind: str
    operation: str = "*"
    left: int | None = 1
    seconds: float = 0.0
    times: int = 2
    after_effect: bool = False


@dataclass
class Run(Record):
    """A story being played. `state`: waiting (for an account of that name), playing, done, stopped.

    It keeps its own copy of the steps: whoever edits the file meanwhile changes the next run, not this one.
    """

    id: str
    story: str
    speed: float
    name: str = ""
    account: str = ""
    step: int = 0
    due: float = 0.0
    state: str = "playing"
    steps: list[Json] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@dataclass
class Settings(Record):
    """What testers may set. All durations in seconds; links and outcomes count sandbox seconds."""

    webhook_url: str = ""
    webhook_delay: float = 4.0
    webhook_attempts: int = 8
    webhook_backoff: float = 1.0
    webhook_timeout: float = 10.0
    review_seconds: float = 30.0
    later_seconds: float = 30.0
    link_life_seconds: float = 72 * 3600.0
    token_seconds: float = 3600.0
    employment_required: bool = False
    migrating: bool = False


@dataclass
class State:
    """Everything that survives a restart. Tokens do not: a restarted provider answers 401 and is logged in to
    again."""

    settings: Settings
    accounts: dict[str, Account] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    advanced: float = 0.0


def dump(state: State) -> str:
    """The whole state as text. Much faster than `asdict`, which copies every part of it first."""
    return json.dumps(state, default=vars, separators=(",", ":"))


def write(text: str, path: Path) -> None:
    """Put the text in place of the file at once, readable by its owner alone. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name + ".")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path, settings: Settings) -> State:
    """The state in the file. What the environment says about webhooks wins over what was set before.

    A file that cannot be read is set aside beside itself, and the state begins anew.
    """
    try:
        return _read(path, settings)
    except (ValueError, KeyError, TypeError, AttributeError):
        aside = path.with_name(path.name + ".unreadable")
        path.replace(aside)
        logger.warning("The state file could not be read; it is now %s and the sandbox starts empty.", aside)
        return State(settings=settings)


def _read(path: Path, settings: Settings) -> State:
    data = json.loads(path.read_text(encoding="utf-8"))
    kept = {**data["settings"], "webhook_url": settings.webhook_url, "webhook_delay": settings.webhook_delay}
    state = State(
        settings=Settings.read(kept),
        accounts={ref: Account.read(item) for ref, item in data["accounts"].items()},
        plans=_all(Plan, data["plans"]),
        updates=_all(Update, data.get("updates", [])),
        documents={key: Document.read(item) for key, item in data.get("documents", {}).items()},
        webhooks=_all(Webhook, data["webhooks"]),
        faults=_all(Fault, data["faults"]),
        runs=_all(Run, data["runs"]),
        advanced=data["advanced"],
    )
    for webhook in state.webhooks:
        # The process died while it was sending: whether it arrived is unknown, so it is sent again.
        if webhook.state == "sending":
            webhook.state = "queued"
    return state


def _all(kind: type[R], items: list[Json]) -> list[R]:
    return [kind.read(item) for item in items]
