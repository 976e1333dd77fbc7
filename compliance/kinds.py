"""Kinds of cases. An app registers each of its kinds once, in its AppConfig.ready:

    from compliance import kinds

    kinds.register(
        kinds.CaseKind(
            name="onboarding.duplicate",
            title="Possible duplicate",
            purpose="Someone applied who may have an account already. Find out whether it is the same person.",
            checklist=(kinds.CheckItem("compared", "Both records compared"),),
            evidence=duplicate_evidence,          # (Case) -> Sequence[Section]: read now, masked, for the case page
            subject_url=page_of_application,      # (UUID) -> address of the subject's own page, or ""
            lock=lock_application,                # (UUID) -> None: the row locks the effects need, see below
            decisions=(
                kinds.Decision("same", "Same person: refuse", effect=refuse, reasons={"tax_id": "Same tax number"}),
                kinds.Decision("other", "Someone else: go on", effect=release),
            ),
            due_after=timedelta(days=2),
        )
    )

and, wherever it notices something, in the transaction of what it noticed:

    services.case_open(
        kind="onboarding.duplicate",
        subject=services.Subject.of(application, label="Ana Example, PA-7K3M-9QX2"),
        title="Same tax number as another customer",
        facts={"other": "PA-1111-2222"},
        source="webhook",
        dedupe=f"application:{other.pk}",
    )

An effect is called once, in the transaction of its decision, and returns one line that says what it came to.
Raising a DomainError refuses the decision; whatever it raises, nothing of the decision is kept. It calls its own
app's services; what goes to a provider goes through the outbox.

Locks are taken in one order everywhere: the subject's rows, then the case. Code that notices something holds its own
rows when it calls `case_open`; `lock` makes a decision do the same, so that the two never wait for each other.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from uuid import UUID

from compliance.models import Case
from portal.composed import Question
from portal.models import User
from portal.money import Money
from portal.sealed import Sealed


@dataclass(frozen=True)
class Row:
    """One line of evidence, with the page where more of it stands. Values are shown as they are: mask before.

    `is_paper`: the page shows a paper, and nothing of what was decided; a second reviewer may look at it too.
    """

    label: str
    value: str | Sealed
    url: str = ""
    is_paper: bool = False
    #: It changes with the time alone: no news for whoever approves what a colleague decided yesterday.
    is_clock: bool = False


@dataclass(frozen=True)
class Comparison:
    """What several sources say, side by side: the first column names the field; `differs` marks a line to look at.

    A sealed value is shown as its reader may see it (portal/revealing.py).
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str | Sealed, ...], ...]
    differs: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Section:
    """A part of the evidence: a heading with lines, a comparison, or both."""

    title: str
    rows: tuple[Row, ...] = ()
    comparison: Comparison | None = None


@dataclass(frozen=True)
class CheckItem:
    """Something to do before any decision."""

    code: str
    text: str


@dataclass(frozen=True)
class Ruling:
    """A decision as its effect meets it."""

    case: Case
    actor: User
    decision: str
    reason_code: str
    text: str
    #: The key of the CaseDecision, written after the effect.
    decision_id: UUID
    #: The second person, where it took one; `actor` is who decided.
    approver: User | None = None


Effect = Callable[[Ruling], str]


@dataclass(frozen=True)
class Decision:
    """One way to decide.

    `reasons` maps reason codes to words; where there are any, one must be chosen. `needs_text` asks for words of
    one's own. `permission` is asked in place of the kind's. `closes=False` leaves the case decided until
    `services.case_close` says that what was set going has come to its end. `waits_on` leaves it undecided instead,
    waiting on them with its clock stopped: it comes back after `waits_for`, or with the next fact.
    """

    code: str
    label: str
    hint: str = ""
    effect: Effect | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)
    needs_text: bool = False
    permission: str = ""
    closes: bool = True
    waits_on: Literal["", "customer", "provider"] = ""
    waits_for: timedelta = timedelta(days=7)
    verdict: Literal["", "approved", "refused"] = ""


@dataclass(frozen=True)
class Words:
    """Who has the ball in a status, in this kind's words."""

    holder: Literal["customer", "us", "provider", "nobody"]
    line: str
    unblocks: str = ""


def no_evidence(case: Case) -> Sequence[Section]:
    """For kinds whose facts say everything."""
    return ()


def no_questions(case: Case) -> Sequence[Question]:
    """For kinds whose evidence asks when it needs to know."""
    return ()


def no_page(subject_id: UUID) -> str:
    """For subjects without a page of their own."""
    return ""


@dataclass(frozen=True)
class Traits:
    """What the rules of queues may read of a subject: where, in which language, about how much. Empty is unknown."""

    country: str = ""
    language: str = ""
    amount: Money | None = None


def no_traits(subject_id: UUID) -> Traits:
    """For kinds whose subjects have nothing that rules read."""
    return Traits()


@dataclass(frozen=True)
class Anchor:
    """The row to which all that is known of a case's subject belongs: a model's label and a key."""

    type: str
    id: UUID


def no_anchor(case: Case) -> Anchor | None:
    """For kinds whose subjects nothing more is known of."""
    return None


def no_ask(case: Case) -> str:
    """For kinds that ask the customer for nothing."""
    return ""


def tell_nobody(case: Case, until: datetime) -> None:
    """For kinds of which no customer knows that anything waits."""


def no_lock(subject_id: UUID) -> None:
    """For kinds whose effects lock nothing."""


#: Of each subject, who may not be the second person about it, and why: words that go on after a name, such as
#: "decided this customer's identity lately".
RuledOut = Mapping[UUID, Mapping[UUID, str]]


def nobody_ruled_out(subject_ids: Collection[UUID]) -> RuledOut:
    """For kinds that know of nobody."""
    return {}


@dataclass(frozen=True)
class CaseKind:
    """Everything the engine needs to know of a kind. The module's docstring shows one."""

    name: str
    title: str
    purpose: str
    decisions: tuple[Decision, ...]
    checklist: tuple[CheckItem, ...] = ()
    #: Who decides, unless a decision says otherwise.
    permission: str = "case.decide"
    evidence: Callable[[Case], Sequence[Section]] = no_evidence
    #: What `evidence` will ask, so that the case page asks it together with other things. It may read what the
    #: questions of the dossier told (compliance/dossier.py).
    asks: Callable[[Case], Sequence[Question]] = no_questions
    subject_url: Callable[[UUID], str] = no_page
    #: Whom the case is about in the end; the case page shows all that the apps know of it (compliance/dossier.py).
    anchor: Callable[[Case], Anchor | None] = no_anchor
    #: The address where the customer is asked for a paper. With `?case=` its key, the case then waits for the answer;
    #: whoever asked tells it by `services.case_tell`.
    ask_url: Callable[[Case], str] = no_ask
    #: Tells the customer, when the case is put on hold until that moment, that what they asked for takes longer; never
    #: why. Only for kinds of which the customer knows that they wait.
    tell_held: Callable[[Case, datetime], None] = tell_nobody
    lock: Callable[[UUID], None] = no_lock
    #: Read when a case opens and with each fact, so that rules see what the subject is now.
    traits: Callable[[UUID], Traits] = no_traits
    #: Who may not be the second person, beside the maker; for many subjects at once, in a fixed number of queries.
    ruled_out: Callable[[Collection[UUID]], RuledOut] = nobody_ruled_out
    priority: int = Case.Priority.NORMAL
    due_after: timedelta | None = None
    #: Who has the ball where it is not as usual (compliance/standing.py).
    balls: Mapping[str, Words] = field(default_factory=dict)

    @property
    def tells_held(self) -> bool:
        """Whether the customer is told when its case is put on hold."""
        return self.tell_held is not tell_nobody

    def decision(self, code: str) -> Decision | None:
        """The decision of that code."""
        return next((known for known in self.decisions if known.code == code), None)

    def permission_for(self, decision: Decision) -> str:
        """The permission word that this decision asks for."""
        return decision.permission or self.permission


_kinds: dict[str, CaseKind] = {}


def register(kind: CaseKind) -> None:
    """Make a kind known. Raises ValueError when the name is another's, or two decisions share a code."""
    if _kinds.get(kind.name, kind) is not kind:
        raise ValueError(f"There is a case kind {kind.name} already.")
    codes = [decision.code for decision in kind.decisions]
    if len(codes) != len(set(codes)):
        raise ValueError(f"Two decisions of the case kind {kind.name} share a code.")
    _kinds[kind.name] = kind


def get(name: str) -> CaseKind:
    """The kind of that name. A case of a kind that is gone is still shown, with no decision to make."""
    return _kinds.get(name) or CaseKind(
        name=name,
        title=name,
        purpose="This kind of case is no longer in use. Nothing can be decided here.",
        decisions=(),
    )


def known(name: str) -> bool:
    """Whether a kind of that name is registered."""
    return name in _kinds


def all_kinds() -> list[CaseKind]:
    """Every kind, by title."""
    return sorted(_kinds.values(), key=lambda kind: kind.title)
