"""What the staff page of an application's papers shows: per person what is there, what is missing and who has the ball.

A fixed number of queries, however many people, papers and versions there are.
"""

from dataclasses import dataclass, replace
from typing import Any

from onboarding import papers
from onboarding.document_request_forms import RejectForm, WithdrawForm
from onboarding.models import Application, Document, DocumentRequest, Entity, Owner, ProviderAccount
from onboarding.papers import Paper
from onboarding.services.document_requests import why_not_decide
from onboarding.words_documents import Verdict
from portal.models import User

Status = Document.Status
TONES: dict[str, str] = {
    Status.CHECKING: "info",
    Status.QUARANTINED: "danger",
    Status.RECEIVED: "info",
    Status.SENDING: "info",
    Status.AT_PROVIDER: "success",
    Status.REFUSED: "danger",
    Status.REPLACED: "neutral",
}


@dataclass(frozen=True)
class File:
    """One version of one side, as the page shows it. `reasons` say why it cannot be decided about now."""

    row: Document
    reasons: list[str]

    @property
    def tone(self) -> str:
        """The colour of its way to the provider."""
        return TONES[self.row.status]

    @property
    def verdict_tone(self) -> str:
        """The colour of our verdict."""
        return "success" if self.row.verdict == Verdict.ACCEPTED else "danger"

    @property
    def is_expired(self) -> bool:
        """Whether its last day has come."""
        return papers.is_expired(self.row)

    @property
    def reject_form(self) -> RejectForm:
        """A form of its own, since a page has many."""
        return RejectForm(initial={"seen": self.row.decisions}, auto_id=f"id_{self.row.pk}_%s")

    @property
    def may_accept(self) -> bool:
        """Whether accepting it means anything."""
        row = self.row
        return row.verdict != Verdict.ACCEPTED and row.status != Status.REFUSED and not self.is_expired


@dataclass(frozen=True)
class Slot:
    """A paper that is asked for, with its files, and whom it waits on."""

    paper: Paper
    files: list[File]
    #: Whether the provider knows the account.
    has_account: bool

    @property
    def note(self) -> str:
        """What colleagues wrote to each other about the request."""
        note = self.paper.request.note if self.paper.request else None
        return note.reveal() if note else ""

    @property
    def withdraw_form(self) -> WithdrawForm:
        """A form of its own, since a page has many."""
        return WithdrawForm(auto_id=f"id_{self.paper.name.replace(':', '_')}_%s")

    @property
    def waits_on(self) -> tuple[str, str, str]:
        """Whom it waits on, in a line, and the colour of that."""
        request = self.paper.request
        if not self.paper.handed_in:
            late = request is not None and request.is_overdue
            held = any(row.status == Status.QUARANTINED for row in self.paper.documents)
            if held:
                return "us", "Held back: the scan found something", "danger"
            return "customer", self.paper.lacks, "danger" if late else "warning"
        if request is not None and request.status == DocumentRequest.Status.HANDED_IN:
            return "us", "Look at it: accept or reject", "info"
        if self.paper.passed_on:
            return "nobody", "At the provider", "success"
        if any(row.status == Status.CHECKING for row in self.paper.documents):
            return "us", "Being checked for malware", "info"
        if any(row.status == Status.SENDING for row in self.paper.documents):
            return "provider", "On its way to the provider", "info"
        if self.has_account:
            return "us", "On its way to the provider", "info"
        return "nobody", "Goes to the provider with the application", "neutral"


@dataclass(frozen=True)
class Group:
    """A person, or the company or trust, with what is compared against their papers."""

    title: str
    subtitle: str
    owner: Owner | None
    facts: list[tuple[str, Any]]
    slots: list[Slot]
    #: Files that nothing asks for now, and older versions.
    others: list[File]
    replaced: list[File]


@dataclass(frozen=True)
class PapersPage:
    """Everything of one application."""

    groups: list[Group]
    settled: list[DocumentRequest]

    @property
    def slots(self) -> list[Slot]:
        """Every paper that is asked for."""
        return [slot for group in self.groups for slot in group.slots]


def papers_page(viewer: User, application: Application) -> PapersPage:
    """The application's papers by whose they are, the entity first."""
    owners = list(Owner.objects.filter(application=application).order_by("-is_applicant", "pk"))
    entity = Entity.objects.filter(application=application).first()
    asked = papers.papers_of(application)
    rows = list(
        Document.objects.filter(application=application)
        .select_related("decided_by", "uploaded_by")
        .defer("file_key")
        .order_by("-pk")
    )
    for row in rows:
        row.application = application
    files = {row.pk: File(row, why_not_decide(viewer, row)) for row in rows}
    requests = list(
        DocumentRequest.objects.filter(application=application)
        .select_related("requested_by", "owner")
        .order_by("-pk")
    )
    by_id = {row.pk: row for row in requests}
    groups = [
        _group(owner, entity, application, asked, files, by_id)
        for owner in ([None] if entity or _of_entity(asked, rows) else []) + owners
    ]
    settled = [row for row in requests if row.status not in DocumentRequest.LIVE]
    return PapersPage(groups, settled)


def _of_entity(asked: list[Paper], rows: list[Document]) -> bool:
    return any(paper.owner is None for paper in asked) or any(row.owner_id is None for row in rows)


def _group(
    owner: Owner | None,
    entity: Entity | None,
    application: Application,
    asked: list[Paper],
    files: dict[Any, File],
    requests: dict[Any, DocumentRequest],
) -> Group:
    key = owner.pk if owner else None
    mine = [paper for paper in asked if (paper.owner.pk if paper.owner else None) == key]
    account: ProviderAccount | None = getattr(application, "account", None)
    slots = []
    for paper in mine:
        if paper.request is not None:
            paper = replace(paper, request=requests.get(paper.request.pk))  # noqa: PLW2901
        there = [files[row.pk] for row in paper.documents if row.pk in files]
        slots.append(Slot(paper, there, account is not None and account.provider_id != ""))
    shown = {file.row.pk for slot in slots for file in slot.files}
    whose = [file for file in files.values() if file.row.owner_id == key]
    others = [file for file in whose if file.row.pk not in shown and file.row.status != Status.REPLACED]
    replaced = [file for file in whose if file.row.status == Status.REPLACED]
    facts = _facts(application, owner, entity)
    if owner is None:
        name = entity.legal_name if entity and entity.legal_name else "The company or trust"
        return Group(name, "The company's or trust's own papers", None, facts, slots, others, replaced)
    title = owner.full_name or owner.get_role_display()
    return Group(title, owner.get_role_display(), owner, facts, slots, others, replaced)


def _facts(application: Application, owner: Owner | None, entity: Entity | None) -> list[tuple[str, Any]]:
    """What is held against a paper, masked."""
    if owner is None:
        return [
            ("Name in the application", entity.legal_name if entity else ""),
            ("Kind", application.get_entity_type_display()),
        ]
    return [
        ("Name in the application", owner.full_name),
        ("Date of birth", owner.date_of_birth),
        ("Lives in", owner.country.name),
    ]


def beside(viewer: User, document: Document) -> dict[str, Any]:
    """For the page of one file: what to compare it with, and what the viewer may decide."""
    entity = Entity.objects.filter(application=document.application_id).first()
    return {
        "facts": _facts(document.application, document.owner, entity),
        "file": File(document, why_not_decide(viewer, document)),
    }
