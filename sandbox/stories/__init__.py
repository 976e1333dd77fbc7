"""Scripted stories, one JSON file each. The same files drive tests, demo data and training.

A file holds `title`, `about`, `person` (a built-in one, used when the story opens the account itself),
`speed` (how many of its seconds pass in one) and `steps`. Each step has `say` and one of these under `do`:

    create                        the account is opened; always the first step
    wait                          `days`, `hours`, `minutes`, `seconds` pass
    event                         a PARTY_EVENT: `partyStatus`, `reasonCode`; `link: true` opens a check
    expire_link                   time passes until the current link has expired
    use_link                      the customer uses the current link (the next one, had it expired);
                                  `result`: pass, fail or review
    decline_consent               the customer refuses consent at the current link
    upload                        a paper comes, until KYB screening: `documentType`; `documentSide` (FRONT);
                                  `owner`, counted from 0, whose paper it is
    kyb                           KYB screening is triggered
    update                        the account's data change: `changes`, a value for each path, unless an
                                  update is in review already; the review waits for `end_update`
    end_update                    the review of the latest update ends; `outcome`: accepted or rejected
    fiat                          a FIAT_EVENT with the fields given, whatever the books say
    transfer                      what becomes of the latest transfer that the partner ordered, if it can:
                                  `status`, `reasonCode`; until then transfers wait for it
    wire_in                       a wire nobody asked for is booked: `amount` in whole dollars
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import people

HOME = Path(__file__).resolve().parent
UNITS = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
WORDS = {
    "create": set(),
    "wait": set(UNITS),
    "event": {"partyStatus", "reasonCode", "link"},
    "expire_link": set(),
    "use_link": {"result"},
    "decline_consent": set(),
    "upload": {"documentType", "documentSide", "owner"},
    "kyb": set(),
    "update": {"changes"},
    "end_update": {"outcome"},
    "transfer": {"status", "reasonCode"},
    "wire_in": {"amount"},
    "fiat": {
        "partnerTransactionRef",
        "fiatTransactionType",
        "transactionStatus",
        "instrumentType",
        "reasonCode",
        "amount",
        "currency",
    },
}


DEMANDED = {
    "event": {"partyStatus", "reasonCode"},
    "use_link": {"result"},
    "upload": {"documentType"},
    "update": {"changes"},
    "end_update": {"outcome"},
    "fiat": {"transactionStatus"},
    "transfer": {"status"},
    "wire_in": {"amount"},
}
RESULTS = ("pass", "fail", "review")
ENDS = ("accepted", "rejected")
MONEY_ENDS = ("COMPLETED", "DECLINED", "FAILED", "CANCELLED", "RETURNED")


class Unknown(LookupError):
    """There is no story of that name."""


@dataclass(frozen=True)
class Story:
    """One story, checked. `steps` are as in the file."""

    name: str
    title: str
    about: str
    person: str
    speed: float
    steps: tuple[dict[str, Any], ...]

    def seconds(self) -> int:
        """How long its waits take at speed 1; the life of links comes on top."""
        return sum(wait_seconds(step) for step in self.steps)


def names() -> list[str]:
    return sorted(file.stem for file in HOME.glob("*.json"))


def load(name: str) -> Story:
    """The story. Raises Unknown for a name that has no file, ValueError for a file that is not a story."""
    if name not in names():
        raise Unknown(f"There is no story {name[:60]!r}. There are: {', '.join(names())}.")
    return parse(name, (HOME / f"{name}.json").read_text(encoding="utf-8"))


def load_all() -> tuple[list[Story], list[str]]:
    """Every story that can be read, and what is wrong with the others."""
    read, problems = [], []
    for name in names():
        try:
            read.append(load(name))
        except ValueError as problem:
            problems.append(str(problem))
    return read, problems


def parse(name: str, text: str) -> Story:
    """The story in the text of a file. Raises ValueError saying what is wrong with it."""
    try:
        data = json.loads(text)
        story = Story(
            name, data["title"], data["about"], data["person"], float(data["speed"]), tuple(data["steps"])
        )
        for number, step in enumerate(story.steps):
            if not _understood(step):
                raise ValueError(f"step {number} is not understood: {step}")
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"{name}: {problem!r}") from problem
    begins = bool(story.steps) and story.steps[0]["do"] == "create"
    if story.person not in people.NAMES or not story.speed >= 1 or not begins:
        raise ValueError(f"{name}: needs a built-in person, a speed from 1, and `create` as its first step")
    return story


def _understood(step: dict[str, Any]) -> bool:
    word = step.get("do", "")
    if word not in WORDS or not isinstance(step.get("say"), str):
        return False
    told = {part: value for part, value in step.items() if part not in ("do", "say")}
    if set(told) - WORDS[word] or not set(told) >= DEMANDED.get(word, set()):
        return False
    if word == "wait":
        return all(type(value) in (int, float) and value >= 0 for value in told.values())
    if word == "upload":
        return type(told.get("owner", 0)) is int and told.get("owner", 0) >= 0
    if word == "wire_in":
        return type(told["amount"]) is int and told["amount"] > 0
    if word == "transfer":
        return told["status"] in MONEY_ENDS
    if word == "update":
        return isinstance(told["changes"], dict) and bool(told["changes"])
    return told.get("result", RESULTS[0]) in RESULTS and told.get("outcome", ENDS[0]) in ENDS


def wait_seconds(step: dict[str, Any]) -> int:
    """The length of a wait; nothing for other steps."""
    return sum(int(step.get(unit, 0) * size) for unit, size in UNITS.items()) if step["do"] == "wait" else 0
