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
class Bank(Record):
    """A bank account linked to a customer, or being linked until `due`. `status`: PENDING, LINKED, FAILED, UNLINKED.
    `trouble` is the refusal its transfers meet, `outcome` what becomes of a pending link, `item` the Item of Plaid's
    stand-in by whose token it was linked."""

    id: str
    account: str
    instrument: str
    reference: str
    tail: str
    created: float
    status: str = "PENDING"
    outcome: str = "LINKED"
    reason: str = ""
    trouble: str = ""
    item: str = ""
    #: Under which it was unlinked.
    unlink_reference: str = ""
    due: float | None = None


@dataclass
class Movement(Record):
    """Money that moves for a customer, in cents: asked for by the partner under `reference`, or not (empty).

    `status` is the provider's word, since `changed`; that and `created` are real moments. `steps` are still to come:
    the first at `due`, each further one after its own wait; without `due` a tester or a story ends it.
    """

    id: str
    account: str
    reference: str
    direction: str
    instrument: str
    cents: int
    created: float
    changed: float = 0.0
    status: str = ""
    reason: str = ""
    due: float | None = None
    steps: list[Json] = field(default_factory=list)
    history: list[Json] = field(default_factory=list)


@dataclass
class Entry(Record):
    """A line of the books: `cents` went from one of a customer's books to another."""

    at: str
    movement: str
    about: str
    source: str
    target: str
    cents: int


@dataclass
class Item(Record):
    """A login at a bank, Plaid's Item. `error` is Plaid's code while it does not work; `owner` says how the bank's
    owner compares (sandbox/plaid/banks.py); amounts are minor units of dollars."""

    id: str
    access_token: str
    institution: str
    user: str
    owner: str
    accounts: list[Json]
    webhook: str = ""
    error: str = ""
    removed: bool = False
    processors: dict[str, str] = field(default_factory=dict)


@dataclass
class ItemLink(Record):
    """A link token, and how far the customer came with it. `key` is the unguessable part of a hosted page's address.

    `item` is the id of the Item that came of it, or that an update mends, `origin` that of the page which shows it in a
    frame. `ended`: "", success, exited.
    """

    token: str
    key: str
    user: str
    expires: float
    hosted: bool = False
    webhook: str = ""
    redirect_uri: str = ""
    completion: str = ""
    subtypes: list[str] = field(default_factory=list)
    item: str = ""
    selection: bool = False
    origin: str = ""
    institution: str = ""
    login: str = ""
    accounts: list[str] = field(default_factory=list)
    ended: str = ""
    public_token: str = ""
    #: When that was given.
    public_at: float = 0.0
    exchanged: bool = False


@dataclass
class Webhook(Record):
    """One message to the portal. `state`: queued, held (to be swapped), sending, delivered, failed, lost.

    `url` is where it goes when not to the address in the settings; then it is signed as Plaid signs.
    """

    id: str
    account: str
    text: str
    created: float
    due: float
    state: str = "queued"
    unsigned: bool = False
    url: str = ""
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
    ach_deposit_seconds: float = 30.0
    ach_withdraw_seconds: float = 8.0
    ach_return_seconds: float = 60.0
    wire_seconds: float = 15.0
    wire_unmatched_seconds: float = 120.0
    return_fee_cents: int = 1500
    max_ach_returns: int = 3
    outcomes_by_cents: bool = True
    funding_enabled: bool = True


@dataclass
class State:
    """Everything that survives a restart. Tokens do not: a restarted provider answers 401 and is logged in to
    again."""

    settings: Settings
    accounts: dict[str, Account] = field(default_factory=dict)
    plans: list[Plan] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)
    documents: dict[str, Document] = field(default_factory=dict)
    banks: list[Bank] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    keys: dict[str, Json] = field(default_factory=dict)
    webhooks: list[Webhook] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    items: dict[str, Item] = field(default_factory=dict)
    links: dict[str, ItemLink] = field(default_factory=dict)
    banks_down: list[str] = field(default_factory=list)
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
        banks=_all(Bank, data.get("banks", [])),
        movements=_all(Movement, data.get("movements", [])),
        entries={ref: _all(Entry, lines) for ref, lines in data.get("entries", {}).items()},
        keys=data.get("keys", {}),
        webhooks=_all(Webhook, data["webhooks"]),
        faults=_all(Fault, data["faults"]),
        runs=_all(Run, data["runs"]),
        items={key: Item.read(item) for key, item in data.get("items", {}).items()},
        links={key: ItemLink.read(item) for key, item in data.get("links", {}).items()},
        banks_down=data.get("banks_down", []),
        advanced=data["advanced"],
    )
    for webhook in state.webhooks:
        # The process died while it was sending: whether it arrived is unknown, so it is sent again.
        if webhook.state == "sending":
            webhook.state = "queued"
    return state


def _all(kind: type[R], items: list[Json]) -> list[R]:
    return [kind.read(item) for item in items]
