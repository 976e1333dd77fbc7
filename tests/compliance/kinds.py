"""A made-up kind, with effects that are seen, fail, or lock."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from uuid import UUID

from compliance import kinds
from compliance.models import Case
from portal.errors import Conflict
from portal.models import User

KIND = "tests.parrot"
#: What the rules of queues read of a subject.
traits: dict[UUID, kinds.Traits] = {}
#: Who may not be the second person about a subject, and how a parrot looks meanwhile.
ruled_out: dict[UUID, dict[UUID, str]] = {}
plumage: dict[UUID, str] = {}


_asked = count(1)


@dataclass
class Seen:
    """What the effects did."""

    effects: list[kinds.Ruling] = field(default_factory=list)
    locks: list[UUID] = field(default_factory=list)


seen = Seen()


def stun(ruling: kinds.Ruling) -> str:
    """An effect that changes a row of its own: the subject, who is a user."""
    seen.effects.append(ruling)
    User.objects.filter(pk=ruling.case.subject_id).update(name="Stunned")
    return "The parrot is stunned."


def refuse(ruling: kinds.Ruling) -> str:
    """An effect that changes something and then finds that it may not."""
    stun(ruling)
    raise Conflict("The parrot has flown.")


def break_down(ruling: kinds.Ruling) -> str:
    """An effect with a fault."""
    stun(ruling)
    raise RuntimeError("no such cage")


def lock(subject_id: UUID) -> None:
    """The subject's row, before the case's."""
    User.objects.select_for_update().filter(pk=subject_id).first()
    seen.locks.append(subject_id)


def evidence(case: Case) -> Sequence[kinds.Section]:
    """Lines, a link and a comparison."""
    return (
        kinds.Section(
            "The parrot",
            (
                kinds.Row("Plumage", plumage.get(case.subject_id, "Blue")),
                kinds.Row("Cage", "7", "/staff/cage/"),
                kinds.Row("Looked at", f"{next(_asked)} times", is_clock=True),
            ),
        ),
        kinds.Section(
            "What it says",
            comparison=kinds.Comparison(
                ("Field", "Ours", "The shop's"),
                (("Name", "Polly", "Polly"), ("State", "Resting", "Gone")),
                frozenset({1}),
            ),
        ),
    )


PARROT = kinds.CaseKind(
    name=KIND,
    title="Silent parrot",
    purpose="A parrot does not speak. Find out whether it rests.",
    checklist=(kinds.CheckItem("looked", "Looked at it"), kinds.CheckItem("spoke", "Spoke to it")),
    evidence=evidence,
    subject_url=lambda subject_id: f"/parrots/{subject_id}/",
    lock=lock,
    ruled_out=lambda subject_ids: {key: ruled_out.get(key, {}) for key in subject_ids},
    traits=lambda subject_id: traits.get(subject_id, kinds.Traits()),
    due_after=timedelta(days=2),
    decisions=(
        kinds.Decision(
            "stun", "It rests: stun it", effect=stun, reasons={"nap": "It naps", "moult": "It moults"}
        ),
        kinds.Decision("bury", "It is gone: bury it", effect=refuse, needs_text=True),
        kinds.Decision("break", "Break the cage", effect=break_down),
        kinds.Decision("ask", "Ask the shop", effect=stun, waits_on="provider", waits_for=timedelta(days=3)),
        kinds.Decision("sell", "Sell it", hint="A manager's", permission="case.manage", closes=False),
    ),
)
