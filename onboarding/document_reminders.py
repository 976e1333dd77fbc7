"""What the clock does about papers: letters of requests on their days, papers about to expire, requests that are over.

A letter and the move to the plan's next day are one transaction: a worker that dies does both or neither, and two at
once write one. A row another worker, the customer or staff hold is passed over until the next run.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from onboarding import document_requests
from onboarding.document_requests import EXPIRY_NOTICES, Source, Status
from onboarding.models import Application, Document, DocumentRequest, ProviderAccount
from onboarding.papers import HANDED_IN
from onboarding.words_documents import DocumentType, Verdict
from portal import clock

#: How many rows one run deals with: some seconds of work.
BATCH = 300
#: So long ahead an expiring paper is noticed.
AHEAD = timedelta(days=-EXPIRY_NOTICES[0])
OVER = Q(application__status__in=["rejected", "withdrawn"]) | Q(
    application__account__status=ProviderAccount.Status.CLOSED
)
NOBODY = Value(UUID(int=0))


def remind(batch: int = BATCH) -> int:
    """Do what the plans of at most `batch` requests hold for today; how many."""
    rows = DocumentRequest.objects.filter(status=Status.OPEN, next_on__lte=clock.now().date())
    return _each(rows.exclude(OVER).order_by("next_on", "pk"), batch, document_requests.remind)


def close_over(batch: int = BATCH) -> int:
    """Withdraw at most `batch` requests whose application or account has ended; how many."""
    rows = DocumentRequest.objects.filter(OVER, status__in=DocumentRequest.LIVE)
    return _each(rows.order_by("pk"), batch, _close)


def _close(request: DocumentRequest) -> None:
    reason = "The application has ended."
    document_requests.withdraw(request, actor=None, reason=reason, source="task")
    document_requests.settle_case(request, "task")


def _each(rows: QuerySet[DocumentRequest], batch: int, work: Callable[[DocumentRequest], None]) -> int:
    """Do the work on each row in a transaction of its own, on what it is once its application is locked."""
    done = 0
    for request_id, application_id in list(rows.values_list("pk", "application_id")[:batch]):
        with transaction.atomic():
            application = _locked(application_id)
            row = rows.select_for_update(of=("self",)).filter(pk=request_id).first() if application else None
            if application is not None and row is not None:
                row.application = application
                work(row)
                done += 1
    return done


def _locked(application_id: UUID) -> Application | None:
    return (
        Application.objects.select_for_update(of=("self",), skip_locked=True)
        .select_related("customer__user")
        .filter(pk=application_id)
        .first()
    )


# --- Papers that expire -------------------------------------------------------------------------------------


def expiring() -> QuerySet[Document]:
    """Present papers of accounts whose last day comes soon, or has come and none took their place; soonest first."""
    return (
        Document.objects.filter(
            status__in=HANDED_IN,
            expires_on__lte=clock.now().date() + AHEAD,
            application__account__isnull=False,
        )
        .exclude(verdict=Verdict.REJECTED)
        .exclude(OVER)
        .order_by("expires_on", "pk")
    )


def ask_for_expiring(batch: int = BATCH) -> int:
    """Ask for the successors of at most `batch` papers that expire soon, once each; how many."""
    asked = DocumentRequest.objects.annotate(whose=Coalesce(F("renews__owner_id"), NOBODY)).filter(
        source=Source.EXPIRY,
        renews__application=OuterRef("application"),
        renews__type=OuterRef("type"),
        renews__expires_on=OuterRef("expires_on"),
        whose=Coalesce(OuterRef("owner_id"), NOBODY),
    )
    rows = expiring().exclude(Exists(asked))
    done = 0
    for document_id, application_id in list(rows.values_list("pk", "application_id")[:batch]):
        with transaction.atomic():
            application = _locked(application_id)
            # Its other side may have been asked for meanwhile.
            document = rows.filter(pk=document_id).first() if application else None
            if application is not None and document is not None:
                _ask(application, document)
                done += 1
    return done


def _ask(application: Application, document: Document) -> None:
    assert document.expires_on is not None
    now = clock.now()
    last = document.expires_on
    name = DocumentType(document.type).label
    document_requests.asked(
        DocumentRequest(
            application=application,
            owner_id=document.owner_id,
            source=Source.EXPIRY,
            types=document_requests.types_beside(document),
            reason=f"The {name[0].lower()}{name[1:]} you gave us "
            + (f"is valid until {last:%-d %B %Y}." if last > now.date() else "has expired."),
            due_on=max(last, now.date()),
            counts_from=now,
            renews=document,
        ),
        actor=None,
        source="task",
    )
