"""What staff do about papers: ask for one, take that back, accept or reject a file."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from django.db import transaction

from onboarding import document_requests, papers
from onboarding.cases import asking
from onboarding.document_requests import OF_ENTITY, OF_PERSON
from onboarding.jobs import lock_account
from onboarding.models import Application, Document, DocumentRequest, Owner, ProviderAccount
from onboarding.requirements.roles import has_entity
from onboarding.words_documents import RejectReason, Verdict
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

Status = Document.Status
LONGEST_REASON = 500
LONGEST_NOTE = 1000
LONGEST_TEXT = 300
LATEST = timedelta(days=365)
DUE_RULE = "Choose a day after today, within a year."
_ROLE = "Your role does not allow this. Ask a compliance analyst or manager."
_ENDED = "This application has ended: no papers are wanted any more."
_NO_CASE = "Only a case asks for an answer in words: whoever works on it reads it."
_SEEN = "A colleague decided about this file meanwhile. Look at it again."


def why_not_request(actor: User, application: Application) -> list[str]:
    """Every reason why the actor cannot ask for papers here; empty when they can."""
    found = [] if permissions.can_do(actor, "document.request") else [_ROLE]
    if document_requests.is_over(application):
        found.append(_ENDED)
    if application.is_with_staff:
        found.append("The customer does not have this application yet. Hand it over first.")
    return found


def why_not_decide(actor: User, document: Document) -> list[str]:
    """Every reason why the actor cannot accept or reject this file; empty when they can."""
    found = [] if permissions.can_do(actor, "document.decide") else [_ROLE]
    if document_requests.is_over(document.application):
        found.append(_ENDED)
    if document.status == Status.REPLACED:
        found.append("The customer has sent a newer file meanwhile. Look at that one.")
    if document.status in {Status.CHECKING, Status.QUARANTINED}:
        found.append("The file is not free of malware yet. Wait for the scan, or decide its case.")
    return found


def document_request(
    *,
    actor: User,
    application_id: UUID,
    types: Sequence[str],
    reason: str,
    due_on: date,
    source: str,
    owner_id: UUID | None = None,
    note: str = "",
    case_id: UUID | None = None,
    in_words: bool = False,
) -> DocumentRequest:
    """Ask the customer for one paper of any of `types`, of a person or (owner None) of the company or trust itself.

    With `in_words` an answer in words does as well, or alone where there are no types: `reason` is the question then.
    `reason` is shown to the customer, `note` to staff alone. The case of `case_id` waits for the answer. Raises
    Forbidden, NotFound, Conflict where nothing can be asked or the same is asked already, Invalid with the
    fields that do not hold.
    """
    permissions.require(actor, "document.request")
    with transaction.atomic():
        application = _locked(application_id)
        reasons = why_not_request(actor, application)
        if reasons:
            raise Conflict(" ".join(reasons))
        owner = _owner(application, owner_id)
        kinds = list(dict.fromkeys(types))
        if in_words and case_id is None and source != "case":
            raise Invalid(_NO_CASE, fields={"in_words": [_NO_CASE]})
        _answers(application, owner, kinds, reason, note, due_on, in_words=in_words)
        for known in papers.live_requests(application):
            if known.owner_id == owner_id and set(known.types) & set(kinds):
                raise Conflict(f"This was asked for already and is open: {known.title}.")
        request = DocumentRequest(
            application=application,
            owner=owner,
            types=kinds,
            in_words=in_words,
            reason=reason.strip(),
            note=note.strip() or None,
            due_on=due_on,
            counts_from=clock.now(),
            requested_by=actor,
            case_id=case_id,
        )
        made = document_requests.asked(request, actor=actor, source=source)
        asking.waits(made, actor=actor, source=source)
        return made


def may_be_due(day: date) -> bool:
    """Whether a paper may be asked for by that day."""
    today = clock.now().date()
    return today < day <= today + LATEST


def _answers(
    application: Application,
    owner: Owner | None,
    kinds: list[str],
    reason: str,
    note: str,
    due_on: date,
    *,
    in_words: bool,
) -> None:
    problems: dict[str, list[str]] = {}
    possible = OF_PERSON if owner else OF_ENTITY
    if owner is None and not has_entity(application.account_type):
        problems["owner"] = ["Say whose paper it is: this account has no company or trust."]
    if not kinds and not in_words:
        problems["types"] = ["Choose at least one paper."]
    elif set(kinds) - {kind.value for kind in possible}:
        whose = "a person" if owner else "a company or trust"
        problems["types"] = [f"Choose papers that {whose} has."]
    if not reason.strip() or len(reason) > LONGEST_REASON:
        problems["reason"] = [f"Tell the customer why, in at most {LONGEST_REASON} characters."]
    if len(note) > LONGEST_NOTE:
        problems["note"] = [f"Use at most {LONGEST_NOTE} characters."]
    if not may_be_due(due_on):
        problems["due_on"] = [DUE_RULE]
    if problems:
        raise Invalid("Some answers need attention.", fields=problems)


def document_request_withdraw(*, actor: User, request_id: UUID, reason: str, source: str) -> DocumentRequest:
    """The paper is not wanted any more. Raises Forbidden, NotFound, Invalid, IllegalMove once it is settled."""
    permissions.require(actor, "document.request")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise Invalid("Say why.", fields={"reason": [f"Say why, in at most {LONGEST_TEXT} characters."]})
    with transaction.atomic():
        request = locked_request(request_id)
        document_requests.withdraw(request, actor=actor, reason=reason.strip(), source=source)
        document_requests.settle_case(request, source)
    return request


def document_accept(
    *, actor: User, application_id: UUID, document_id: UUID, seen: int, source: str
) -> Document:
    """Our staff find the file good: requests it completes close, and one that waited for this goes to the provider.

    `seen` is the number of decisions about the file that the actor saw. Raises Forbidden, NotFound, and Conflict where
    the file or the decision is not the one that was looked at.
    """
    permissions.require(actor, "document.decide")
    with transaction.atomic():
        document = _to_decide(actor, application_id, document_id, seen)
        if document.status == Status.REFUSED:
            raise Conflict(
                "The provider did not take this file. Reject it, so that the customer sends another."
            )
        if papers.is_expired(document):
            raise Conflict("This paper has expired. Reject it, so that the customer sends a valid one.")
        _decided(document, actor, Verdict.ACCEPTED)
        _recorded("document.accept", document, actor, source)
        document_requests.follow(document.application, actor=actor, source=source)
        _go_on(document.application, actor)
        document.refresh_from_db(fields=["status", "status_at"])
    return document


def document_reject(
    *,
    actor: User,
    application_id: UUID,
    document_id: UUID,
    seen: int,
    reason: str,
    source: str,
    text: str = "",
) -> Document:
    """Our staff do not accept the file: the customer is told why and asked for this one again.

    `reason` is a RejectReason, `text` what the customer reads besides; with `other` it is needed. Raises as
    document_accept does, and Invalid.
    """
    permissions.require(actor, "document.decide")
    _check_reason(reason, text)
    with transaction.atomic():
        document = _to_decide(actor, application_id, document_id, seen)
        _decided(document, actor, Verdict.REJECTED, reason=reason, text=text.strip())
        _recorded("document.reject", document, actor, source)
        _ask_again(document, actor, source)
        _go_on(document.application, actor)
    return document


def _check_reason(reason: str, text: str) -> None:
    problems: dict[str, list[str]] = {}
    if reason not in RejectReason.values:
        problems["reason"] = ["Choose what is wrong with it."]
    if len(text) > LONGEST_TEXT:
        problems["text"] = [f"Use at most {LONGEST_TEXT} characters."]
    elif reason == RejectReason.OTHER and not text.strip():
        problems["text"] = ["Tell the customer what is wrong with it."]
    if problems:
        raise Invalid("Some answers need attention.", fields=problems)


def _ask_again(document: Document, actor: User, source: str) -> None:
    """The requests for such a paper open again; where there is none, the paper is asked for by a new one."""
    application = document.application
    about = [
        row
        for row in papers.live_requests(application)
        if row.owner_id == document.owner_id and document.type in row.types
    ]
    document_requests.follow(application, actor=actor, source=source)
    for request in about:
        # What was handed in and opens again has written its letter; what waited for another side has not.
        if request.status == DocumentRequest.Status.OPEN:
            request.application = application
            document_requests.again(request)
    if about:
        return
    document_requests.asked(
        DocumentRequest(
            application=application,
            owner_id=document.owner_id,
            source=DocumentRequest.Source.REJECTION,
            types=document_requests.types_beside(document),
            reason=document.rejected_because,
            due_on=clock.now().date() + document_requests.AGAIN_WITHIN,
            requested_by=actor,
        ),
        actor=actor,
        source=source,
    )


def locked_request(request_id: UUID) -> DocumentRequest:
    """The request with its application, locked parent before child. Raises NotFound."""
    application_id = (
        DocumentRequest.objects.filter(pk=request_id).values_list("application_id", flat=True).first()
    )
    if application_id is None:
        raise NotFound("There is no such request.")
    application = _locked(application_id)
    request = DocumentRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    request.application = application
    return request


def _locked(application_id: UUID) -> Application:
    found = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user")
        .filter(pk=application_id)
        .first()
    )
    if found is None:
        raise NotFound("There is no such application.")
    return found


def _owner(application: Application, owner_id: UUID | None) -> Owner | None:
    if owner_id is None:
        return None
    owner = Owner.objects.filter(application=application, pk=owner_id).first()
    if owner is None:
        raise NotFound("There is no such person in this application.")
    return owner


def _to_decide(actor: User, application_id: UUID, document_id: UUID, seen: int) -> Document:
    application = _locked(application_id)
    document = (
        Document.objects.select_for_update(of=("self",))
        .filter(pk=document_id, application=application)
        .first()
    )
    if document is None:
        raise NotFound("There is no such document.")
    document.application = application
    reasons = why_not_decide(actor, document)
    if reasons:
        raise Conflict(" ".join(reasons))
    if document.decisions != seen:
        raise Conflict(_SEEN)
    return document


def _decided(document: Document, actor: User, verdict: str, *, reason: str = "", text: str = "") -> None:
    document.verdict, document.reject_reason, document.reject_text = verdict, reason, text
    document.decided_by, document.decided_at = actor, clock.now()
    document.decisions += 1
    document.save(
        update_fields=["verdict", "reject_reason", "reject_text", "decided_by", "decided_at", "decisions"]
    )


def _go_on(application: Application, actor: User) -> None:
    account = ProviderAccount.objects.filter(application=application).first()
    if account is not None:
        papers.papers_go_on(lock_account(account.pk), actor=actor)


def _recorded(action: str, document: Document, actor: User, source: str) -> None:
    audit.record(
        action,
        subject=document.application,
        actor=actor,
        source=source,
        after={
            "document": str(document.pk),
            "type": document.type,
            "side": document.side,
            **({"because": document.get_reject_reason_display()} if document.reject_reason else {}),
        },
    )
