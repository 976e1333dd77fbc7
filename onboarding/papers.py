"""The papers of an account: which are asked for, what is there of each, and what goes on when they are complete."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from django.utils.formats import date_format

from onboarding.models import Application, Document, DocumentRequest, Owner, ProviderAccount
from onboarding.operations import KYB_TRIGGER, PARTY_STATUS, UPLOAD
from onboarding.requirements.documents import (
    PaperRule,
    missing_sides,
    rules_of_entity,
    rules_of_person,
)
from onboarding.requirements.roles import has_entity
from onboarding.words_documents import DocumentSide, DocumentType, Verdict
from portal import clock, outbox
from portal.models import User
from providers import expected

Status = Document.Status
#: How the rule of a request is named, before the request's id.
REQUEST = "request-"
#: The problem of a file whose call to the provider was given up for good.
NOT_PASSED_ON = "It could not be passed on to the provider."
#: A paper counts as handed in from its upload on, and as passed on when the provider has it.
HANDED_IN = frozenset({Status.CHECKING, Status.RECEIVED, Status.SENDING, Status.AT_PROVIDER})
PASSED_ON = frozenset({Status.AT_PROVIDER})
#: Screening a company takes the provider longer than a person; after this long we read the account ourselves.
SCREENED_WITHIN = timedelta(hours=4)


@dataclass(frozen=True)
class Paper:
    """One paper that is asked for: of a person, or of the company or trust where `owner` is None.

    `documents` are the present files of the types that meet it. `request` is there where we asked for it besides
    the table, or again.
    """

    rule: PaperRule
    owner: Owner | None
    documents: tuple[Document, ...]
    request: DocumentRequest | None = None
    #: Whether the viewer uploads it and sees its files.
    is_theirs: bool = True

    @property
    def files(self) -> tuple[Document, ...]:
        """Its files, as far as they are the viewer's to see."""
        return self.documents if self.is_theirs else ()

    @property
    def is_anothers(self) -> bool:
        """Whether an owner other than the applicant took the part it belongs to."""
        return self.owner is not None and self.owner.fills_in_themselves

    @property
    def name(self) -> str:
        """Its name among all papers of the application."""
        return f"{self.rule.name}:{self.owner.pk}" if self.owner else self.rule.name

    @property
    def whose(self) -> str:
        """Whose it is, as people read it; empty for the entity's own."""
        return (self.owner.full_name or self.owner.get_role_display()) if self.owner else ""

    @property
    def handed_in(self) -> bool:
        """Whether the customer has done their part."""
        return self._there(HANDED_IN)

    @property
    def passed_on(self) -> bool:
        """Whether the provider has all of it."""
        return self._there(PASSED_ON)

    @property
    def is_of_table(self) -> bool:
        """Whether the account asks for it, not only a request."""
        return not self.rule.name.startswith(REQUEST)

    @property
    def lacks(self) -> str:
        """What the customer still has to do, in words; empty when nothing."""
        if self.handed_in:
            return ""
        if self.request is None:
            return self._lacks
        day = date_format(self.request.due_on, "j F Y")
        return f"{self._lacks} {'It was due' if self.request.is_overdue else 'Due'} on {day}."

    @property
    def _lacks(self) -> str:
        if not self.rule.types:
            return "Not answered yet."
        rejected = next((row for row in self.documents if row.verdict == Verdict.REJECTED), None)
        if rejected is not None:
            return rejected.rejected_because
        if useless := next((row.why_useless for row in self.documents if row.why_useless), ""):
            return useless
        refused = [row for row in self.documents if row.status == Status.REFUSED]
        if any(row.problem == NOT_PASSED_ON for row in refused):
            return f"{NOT_PASSED_ON} Upload it again."
        if refused:
            return "The provider did not accept it. Upload another one."
        for kind, there in self._sides(HANDED_IN).items():
            rest = missing_sides(kind, there)
            if there and rest:
                return f"The {DocumentSide(rest[0]).label.lower()} is missing."
        if any(is_expired(row) for row in self.documents):
            return "It has expired. Upload the new one."
        return "Not uploaded yet."

    def _there(self, statuses: frozenset[Status]) -> bool:
        return any(not missing_sides(kind, sides) for kind, sides in self._sides(statuses).items())

    def _sides(self, statuses: frozenset[Status]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self.documents:
            if row.status in statuses and row.verdict != Verdict.REJECTED and not is_expired(row):
                found.setdefault(row.type, set()).add(row.side)
        return found


def is_expired(document: Document) -> bool:
    """Whether its last day has come."""
    return document.expires_on is not None and document.expires_on <= clock.now().date()


def is_handed_in(document: Document) -> bool:
    """Whether the customer has done their part with this file."""
    return document.status in HANDED_IN and document.verdict != Verdict.REJECTED


def counts_for(request: DocumentRequest, document: Document) -> bool:
    """Whether a present file is one that the request is about."""
    return (
        document.owner_id == request.owner_id
        and document.type in request.types
        and (request.counts_from is None or document.created_at >= request.counts_from)
    )


def asked_of(application: Application, owners: Iterable[Owner]) -> list[tuple[PaperRule, Owner | None]]:
    """Every paper that may be handed in: those of the table, its own first, then each person's; and what we asked for
    besides."""
    people = list(owners)
    by_id = {owner.pk: owner for owner in people}
    asked = [row for row in live_requests(application) if row.owner_id is None or row.owner_id in by_id]
    return [
        *of_table(application, people),
        *((_rule(row), by_id[row.owner_id] if row.owner_id else None) for row in asked),
    ]


def of_table(application: Application, owners: Iterable[Owner]) -> list[tuple[PaperRule, Owner | None]]:
    """Every paper the table asks the account for: its own first, then each person's."""
    kind = (application.account_type, application.entity_type)
    found: list[tuple[PaperRule, Owner | None]] = [(rule, None) for rule in rules_of_entity(*kind)]
    for owner in owners:
        found += [(rule, owner) for rule in rules_of_person(*kind, owner.role, str(owner.country))]
    return found


def papers_of(application: Application) -> list[Paper]:
    """Every paper that is asked for, with what is there of it."""
    owners = list(Owner.objects.filter(application=application).order_by("-is_applicant", "pk"))
    rows = present(application)
    found = []
    for rule, owner in of_table(application, owners):
        whose = owner.pk if owner else None
        mine = tuple(row for row in rows if row.owner_id == whose and row.type in rule.types)
        found.append(Paper(rule, owner, mine))
    for request in live_requests(application):
        same = next((place for place, paper in enumerate(found) if _is_asked_again(paper, request)), None)
        if same is not None:
            found[same] = replace(found[same], request=request)
            continue
        whose_paper = next((owner for owner in owners if owner.pk == request.owner_id), None)
        mine = tuple(row for row in rows if counts_for(request, row))
        found.append(Paper(_rule(request), whose_paper, mine, request))
    return found


def present(application: Application) -> list[Document]:
    """The application's files that no newer one has replaced, oldest first."""
    rows = Document.objects.filter(application=application).exclude(status=Status.REPLACED)
    return list(rows.prefetch_related("copies").order_by("pk"))


def live_requests(application: Application) -> list[DocumentRequest]:
    """What we asked for besides the table and is not settled, oldest first."""
    rows = DocumentRequest.objects.filter(application=application, status__in=DocumentRequest.LIVE)
    return list(rows.defer("note").order_by("pk"))


def _is_asked_again(paper: Paper, request: DocumentRequest) -> bool:
    """Whether the request is for this very paper of the table, so that it is not listed twice."""
    return (
        paper.request is None
        and (paper.owner.pk if paper.owner else None) == request.owner_id
        and set(paper.rule.types) == set(request.types)
        and not paper.handed_in
    )


def _rule(request: DocumentRequest) -> PaperRule:
    """The request in the form of the table's rules, so that pages and uploads treat it alike."""
    return PaperRule(
        f"{REQUEST}{request.pk}",
        request.title,
        request.reason,
        tuple(DocumentType(kind) for kind in request.types),
        frozenset(),
        of_each=request.owner_id is not None,
    )


def _may_go_on(application: Application) -> set[tuple[UUID | None, str]]:
    """Whose papers of which type go on to the provider without a look of ours: what its table asks for, and what
    takes the place of an expiring one. See docs/decisions/0016."""
    owners = list(Owner.objects.filter(application=application))
    found = {
        (owner.pk if owner else None, str(kind))
        for rule, owner in of_table(application, owners)
        for kind in rule.types
    }
    renewals = DocumentRequest.objects.filter(application=application, source=DocumentRequest.Source.EXPIRY)
    for owner_id, types in renewals.values_list("owner_id", "types"):
        found |= {(owner_id, kind) for kind in types}
    return found


def papers_for(viewer: User, application: Application) -> list[Paper]:
    """The papers a customer has to do with: of an owner who took their part, their own; of the applicant, all.

    Of a paper that another owner uploads, the applicant sees whether it is there and none of its files.
    """
    is_applicant = application.customer.user_id == viewer.pk
    found = []
    for paper in papers_of(application):
        if not paper.rule.types:
            continue  # A question: it has a page of its own.
        mine = paper.owner is not None and paper.owner.user_id == viewer.pk
        if mine or (is_applicant and not paper.is_anothers):
            found.append(paper)
        elif is_applicant:
            found.append(replace(paper, is_theirs=False))
    return found


# --- What goes on by itself, in the transaction of a caller that holds the account --------------------------


def papers_go_on(account: ProviderAccount, *, actor: User | None) -> None:
    """Write down what is due now: the uploads of what was received, and the start of the screening.

    Papers go only once the provider knows the account, and those that only our staff asked for once they accepted
    them; what staff rejected does not go. The screening is asked for once, when the provider has every
    paper; after a refusal it is asked for again when further papers made them complete.
    """
    if not account.provider_id:
        return
    application = account.application
    waiting = Document.objects.filter(application=application, status=Status.RECEIVED)
    rows = list(waiting.exclude(verdict=Verdict.REJECTED).select_related("uploaded_by").order_by("pk"))
    at_once = _may_go_on(application) if rows else set()
    for row in rows:
        asked = (row.owner_id, row.type) in at_once or row.uploaded_by.is_staff_member
        if not asked and row.verdict != Verdict.ACCEPTED:
            continue
        row.move_to(Status.SENDING, actor=actor, source="outbox")
        outbox.enqueue(operation=UPLOAD, subject=row, body={"document": str(row.pk)}, actor=actor)
    if not has_entity(application.account_type):
        return
    papers = [paper for paper in papers_of(application) if paper.is_of_table]
    account.papers_missing = sum(not paper.handed_in for paper in papers)
    due = account.kyb_asked_at is None or account.kyb_problem != ""
    if due and all(paper.passed_on for paper in papers):
        account.kyb_asked_at, account.kyb_problem = clock.now(), ""
        body = {"account": account.client_account_id}
        outbox.enqueue(operation=KYB_TRIGGER, subject=account, body=body, actor=actor)
        expected.expect(account, PARTY_STATUS, provider=account.provider, due_in=SCREENED_WITHIN)
    account.save(update_fields=["papers_missing", "kyb_asked_at", "kyb_problem"])
