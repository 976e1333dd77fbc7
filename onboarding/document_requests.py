"""The life of a document request: what meets it, its letters on their days, and what it makes of the application.

Everything here runs in the transaction of a caller that holds the application's row.
"""

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import partial

from compliance import services as compliance
from onboarding import notices, papers, provider_cases
from onboarding.cases import asking
from onboarding.models import Application, Document, DocumentRequest, ProviderAccount
from onboarding.requirements.documents import IDENTITY, RULES, missing_sides
from onboarding.words_documents import DocumentType, Verdict
from portal import audit, clock
from portal.models import User

Status = DocumentRequest.Status
Source = DocumentRequest.Source
#: The kind of case that a paper becomes which expired and was not replaced.
CASE = "onboarding.document_expired"

#: The letters after the first one, in days from the due date; of an expiring paper, that is its last day.
REMIND = (-3, 0, 7)
EXPIRY_NOTICES = (-60, -30, -7, 1)
#: So long after its last day an expired paper that was not replaced becomes a case.
CASE_AFTER = 14
#: What may be asked of a company or trust itself, and what of a person. The provider's raw check results are no papers
#: that a customer has.
OF_ENTITY = (
    DocumentType.CERTIFICATE_OF_INCORPORATION,
    DocumentType.ENTITY_DUE_DILIGENCE,
    DocumentType.CERTIFICATE_OF_BENEFICIAL_OWNERS,
    DocumentType.TRUST_CERTIFICATION,
    DocumentType.PROOF_OF_ENTITY_ADDRESS,
    DocumentType.PROOF_OF_ENTITY_EIN_TAX_ID,
    DocumentType.SOURCE_OF_FUNDS,
)
OF_PERSON = (
    *IDENTITY,
    DocumentType.VISA,
    DocumentType.SOCIAL_SECURITY_CARD,
    DocumentType.W_8BEN_FORM,
    DocumentType.PROOF_OF_RESIDENTIAL_ADDRESS,
    DocumentType.PROOF_OF_PERSONAL_TAX_ID,
    DocumentType.SOURCE_OF_FUNDS,
    DocumentType.TRANSFER_ON_DEATH,
)
#: How long the customer has for a paper that was not accepted.
AGAIN_WITHIN = timedelta(days=14)


def next_day(request: DocumentRequest) -> date | None:
    """The next day of the request's plan that is still to come; None at its end."""
    expiring = request.source == Source.EXPIRY
    plan = (*EXPIRY_NOTICES, CASE_AFTER) if expiring else REMIND
    today = clock.now().date()
    return next((day for days in plan if (day := request.due_on + timedelta(days=days)) > today), None)


def asked(request: DocumentRequest, *, actor: User | None, source: str) -> DocumentRequest:
    """Save a new request, count it, and write its letter where it waits for the customer."""
    request.next_on = next_day(request)
    request.save(force_insert=True)
    action = "document.question" if request.in_words else "document.request"
    recorded(action, request, actor=actor, source=source)
    # What is there already may be all it asks for.
    follow(request.application, actor=actor, source=source)
    request.refresh_from_db(fields=["status", "status_at"])
    if request.status == Status.OPEN:
        _write(request)
    return request


def _write(request: DocumentRequest) -> None:
    if not _reads_letters(request):
        return
    if request.in_words:
        notices.question_asked(request)
        return
    letters = {Source.EXPIRY: notices.document_expires, Source.REJECTION: notices.document_again}
    letters.get(Source(request.source), notices.document_asked)(request)


def remind(request: DocumentRequest) -> None:
    """What the plan holds for today: a letter, or at its end a case. Then on to the next day."""
    today = clock.now().date()
    if request.source == Source.EXPIRY and today >= request.due_on + timedelta(days=CASE_AFTER):
        _open_case(request)
    elif _reads_letters(request):
        if request.source == Source.EXPIRY:
            notices.document_expires(request)
        elif request.in_words:
            notices.question_due(request)
        else:
            notices.document_due(request)
    request.next_on = next_day(request)
    request.save(update_fields=["next_on"])


def _reads_letters(request: DocumentRequest) -> bool:
    """Not somebody who was switched off."""
    return request.uploader.is_active


def again(request: DocumentRequest) -> None:
    """The letter after a paper of it was not accepted."""
    if _reads_letters(request):
        notices.document_again(request)


# --- What became of it --------------------------------------------------------------------------------------


def follow(application: Application, *, actor: User | None, source: str, is_told: bool = False) -> None:
    """Move the application's live requests to what its files say now, and count them anew.

    Called whenever a file came, left or was judged. All of one paper's sides accepted by us: accepted. All there:
    handed in. Of an expiring paper the new one needs nobody's look: it is accepted when the provider has it.
    `is_told` means that the customer has a letter about what happened already.
    """
    live = list(
        DocumentRequest.objects.select_for_update(of=("self",))
        .filter(application=application, status__in=DocumentRequest.LIVE)
        .order_by("pk")
    )
    rows = papers.present(application) if live else []
    for request in live:
        request.application = application
        found = files_for(request, rows)
        if _whole(found, partial(_settles, request)):
            _move(request, Status.ACCEPTED, actor, source, is_told)
        elif _whole(found, papers.is_handed_in):
            _move(request, Status.HANDED_IN, actor, source, is_told)
        else:
            _move(request, Status.OPEN, actor, source, is_told)
    tally(application)


def types_beside(document: Document) -> list[str]:
    """The types of paper that do as well as the document's own."""
    of_person = document.owner_id is not None
    rule = next((rule for rule in RULES if document.type in rule.types and rule.of_each == of_person), None)
    return [str(kind) for kind in rule.types] if rule else [document.type]


def files_for(request: DocumentRequest, rows: Iterable[Document]) -> list[Document]:
    """Those of the application's present files that the request is about."""
    return [row for row in rows if papers.counts_for(request, row)]


def _settles(request: DocumentRequest, row: Document) -> bool:
    if row.verdict == Verdict.ACCEPTED:
        return True
    passed_on = row.status in papers.PASSED_ON and row.verdict != Verdict.REJECTED
    return request.source == Source.EXPIRY and passed_on


def _whole(rows: Iterable[Document], good: Callable[[Document], bool]) -> bool:
    sides: dict[str, set[str]] = {}
    for row in rows:
        if good(row) and not papers.is_expired(row):
            sides.setdefault(row.type, set()).add(row.side)
    return any(not missing_sides(kind, there) for kind, there in sides.items())


def _move(request: DocumentRequest, new: str, actor: User | None, source: str, is_told: bool) -> None:
    if request.status == new:
        return
    was_open = request.status == Status.OPEN
    request.move_to(new, actor=actor, source=source)
    if new == Status.OPEN:
        # The plan begins again, with time to act.
        request.due_on = max(request.due_on, clock.now().date() + AGAIN_WITHIN)
        request.next_on = next_day(request)
        request.save(update_fields=["due_on", "next_on"])
        recorded("document.request_reopen", request, actor=actor, source=source)
        if not is_told:
            again(request)
        return
    recorded(f"document.request_{new}", request, actor=actor, source=source)
    title = f"The customer sent what was asked for: {request.title}"
    if was_open:
        asking.answered(request, title, source=source)
    if new == Status.HANDED_IN or actor is None:
        provider_cases.answered(request.application, title, dedupe=asking.event_of(request))
    settle_case(request, source)


def answer(request: DocumentRequest, words: str, *, actor: User, source: str) -> None:
    """The customer answered an open request in words: nothing more is asked, and the case that asked comes back.

    The words stay on the request, sealed: what is told of them elsewhere is that they are there.
    """
    request.answer, request.answered_by, request.answered_at = words, actor, clock.now()
    request.save(update_fields=["answer", "answered_by", "answered_at"])
    request.move_to(Status.ACCEPTED, actor=actor, source=source)
    recorded("document.question_answered", request, actor=actor, source=source)
    title = "The customer answered in words"
    asking.answered(request, title, source=source)
    provider_cases.answered(request.application, title, dedupe=asking.event_of(request))
    tally(request.application)


def withdraw(request: DocumentRequest, *, actor: User | None, reason: str, source: str) -> None:
    """The paper is not wanted any more."""
    request.move_to(Status.WITHDRAWN, actor=actor, reason=reason, source=source)
    recorded("document.request_withdrawn", request, actor=actor, source=source, reason=reason)
    asking.answered(request, f"Not asked for any more: {request.title}", source=source)
    tally(request.application)


def postpone(request: DocumentRequest, due_on: date, *, actor: User | None, source: str) -> None:
    """Give more time: the plan begins again from the new day."""
    request.due_on = due_on
    request.next_on = next_day(request)
    request.save(update_fields=["due_on", "next_on"])
    recorded("document.request_postpone", request, actor=actor, source=source)
    tally(request.application)


def tally(application: Application) -> None:
    """Count what waits for the customer and what waits for us, where lists and lines read it."""
    rows = DocumentRequest.objects.filter(application=application, status__in=DocumentRequest.LIVE)
    live = list(rows.values_list("status", "due_on", "status_at", "in_words"))
    waiting = [row for row in live if row[0] == Status.OPEN]
    application.papers_asked = len(waiting)
    application.questions_asked = sum(in_words for *_, in_words in waiting)
    application.papers_to_check = len(live) - len(waiting)
    application.papers_due_on = min((due for _, due, _, _ in waiting), default=None)
    application.papers_since = min((since for _, _, since, _ in waiting or live), default=None)
    application.save(
        update_fields=["papers_asked", "questions_asked", "papers_since", "papers_due_on", "papers_to_check"]
    )


def recorded(
    action: str, request: DocumentRequest, *, actor: User | None, source: str, reason: str = ""
) -> None:
    """The entry of the audit trail, under the application."""
    audit.record(
        action,
        subject=request.application,
        actor=actor,
        source=source,
        reason=reason,
        after={
            "request": str(request.pk),
            "types": request.types,
            "due_on": request.due_on.isoformat(),
            "asked_because": request.source,
        },
    )


# --- The case -----------------------------------------------------------------------------------------------


def subject_of(request: DocumentRequest) -> compliance.Subject:
    """The request as its case is about it."""
    return compliance.Subject.of(request, f"{request.title}, {request.application.reference}")


def _open_case(request: DocumentRequest) -> None:
    compliance.case_open(
        kind=CASE,
        subject=subject_of(request),
        title=f"Expired on {request.due_on.isoformat()} and not replaced",
        facts={"reference": request.application.reference, "paper": request.title},
        source="task",
        dedupe=f"due:{request.due_on.isoformat()}",
    )


def settle_case(request: DocumentRequest, source: str) -> None:
    """Close the case about it, if one is open: what it asked has settled itself."""
    compliance.case_settle(
        kind=CASE,
        subject=subject_of(request),
        reason=f"The request is {request.get_status_display().lower()}.",
        source=source,
    )


def is_over(application: Application) -> bool:
    """Whether nothing is wanted of the customer any more."""
    if application.status in {Application.Status.REJECTED, Application.Status.WITHDRAWN}:
        return True
    account: ProviderAccount | None = getattr(application, "account", None)
    return account is not None and account.status == ProviderAccount.Status.CLOSED
