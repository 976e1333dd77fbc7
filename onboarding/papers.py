"""The papers of an account: which are asked for, what is there of each, and what goes on when they are complete."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from onboarding.models import Application, Document, Owner, ProviderAccount
from onboarding.operations import KYB_TRIGGER, PARTY_STATUS, UPLOAD
from onboarding.requirements.documents import (
    PaperRule,
    missing_sides,
    rules_of_entity,
    rules_of_person,
)
from onboarding.requirements.roles import has_entity
from onboarding.words_documents import DocumentSide
from portal import clock, outbox
from portal.models import User
from providers import expected

Status = Document.Status
#: A paper counts as handed in from its upload on, and as passed on when the provider has it.
HANDED_IN = frozenset({Status.RECEIVED, Status.SENDING, Status.AT_PROVIDER})
PASSED_ON = frozenset({Status.AT_PROVIDER})
#: Screening a company takes the provider longer than a person; after this long we read the account ourselves.
SCREENED_WITHIN = timedelta(hours=4)


@dataclass(frozen=True)
class Paper:
    """One paper that is asked for: of a person, or of the company or trust where `owner` is None.

    `documents` are the present files of the types that meet it.
    """

    rule: PaperRule
    owner: Owner | None
    documents: tuple[Document, ...]

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
    def lacks(self) -> str:
        """What the customer still has to do, in a sentence; empty when nothing."""
        if self.handed_in:
            return ""
        if any(row.status == Status.REFUSED for row in self.documents):
            return "The provider did not accept it. Upload another one."
        for kind, there in self._sides(HANDED_IN).items():
            rest = missing_sides(kind, there)
            if there and rest:
                return f"The {DocumentSide(rest[0]).label.lower()} is missing."
        if any(_expired(row) for row in self.documents):
            return "It has expired. Upload the new one."
        return "Not uploaded yet."

    def _there(self, statuses: frozenset[Status]) -> bool:
        return any(not missing_sides(kind, sides) for kind, sides in self._sides(statuses).items())

    def _sides(self, statuses: frozenset[Status]) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        for row in self.documents:
            if row.status in statuses and not _expired(row):
                found.setdefault(row.type, set()).add(row.side)
        return found


def _expired(document: Document) -> bool:
    return document.expires_on is not None and document.expires_on <= clock.now().date()


def asked_of(application: Application, owners: Iterable[Owner]) -> list[tuple[PaperRule, Owner | None]]:
    """Every paper the account asks for: its own first, then each person's."""
    kind = (application.account_type, application.entity_type)
    found: list[tuple[PaperRule, Owner | None]] = [(rule, None) for rule in rules_of_entity(*kind)]
    for owner in owners:
        found += [(rule, owner) for rule in rules_of_person(*kind, owner.role, str(owner.country))]
    return found


def papers_of(application: Application) -> list[Paper]:
    """Every paper that is asked for, with what is there of it."""
    owners = Owner.objects.filter(application=application).order_by("-is_applicant", "pk")
    rows = list(
        Document.objects.filter(application=application).exclude(status=Status.REPLACED).order_by("pk")
    )
    found = []
    for rule, owner in asked_of(application, owners):
        whose = owner.pk if owner else None
        mine = tuple(row for row in rows if row.owner_id == whose and row.type in rule.types)
        found.append(Paper(rule, owner, mine))
    return found


# --- What goes on by itself, in the transaction of a caller that holds the account --------------------------


def papers_go_on(account: ProviderAccount, *, actor: User | None) -> None:
    """Write down what is due now: the uploads of what was received, and the start of the screening.

    Papers go only once the provider knows the account. The screening is asked for once, when the provider has every
    paper; after a refusal it is asked for again when further papers made them complete.
    """
    if not account.provider_id:
        return
    application = account.application
    for row in Document.objects.filter(application=application, status=Status.RECEIVED).order_by("pk"):
        row.move_to(Status.SENDING, actor=actor, source="outbox")
        outbox.enqueue(operation=UPLOAD, subject=row, body={"document": str(row.pk)}, actor=actor)
    if not has_entity(application.account_type):
        return
    papers = papers_of(application)
    account.papers_missing = sum(not paper.handed_in for paper in papers)
    due = account.kyb_asked_at is None or account.kyb_problem != ""
    if due and all(paper.passed_on for paper in papers):
        account.kyb_asked_at, account.kyb_problem = clock.now(), ""
        body = {"account": account.client_account_id}
        outbox.enqueue(operation=KYB_TRIGGER, subject=account, body=body, actor=actor)
        expected.expect(account, PARTY_STATUS, provider=account.provider, due_in=SCREENED_WITHIN)
    account.save(update_fields=["papers_missing", "kyb_asked_at", "kyb_problem"])
