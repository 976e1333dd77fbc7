"""The staff pages of papers: what is there and missing, accepting and rejecting, asking for more, what expires."""

from datetime import date
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import kinds
from compliance import permissions as case_permissions
from compliance import selectors as cases
from compliance.models import Case
from onboarding import document_reminders, selectors, standing
from onboarding.document_page import papers_page
from onboarding.document_request_forms import RejectForm, RequestForm, SeenForm
from onboarding.models import Application, Document, Owner
from onboarding.services import document_requests as services
from portal import audit, clock, permissions
from portal.errors import Conflict, DomainError, Invalid, NotFound
from portal.models import User
from portal.staff import staff_page, user_of

EXPIRING_PER_PAGE = 25


@require_GET
@staff_page
def papers(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Everything about an application's papers on one page."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    audit.record("application.view", subject=application, actor=actor, source="page")
    return _page(request, application)


def _page(request: HttpRequest, application: Application, **more: Any) -> HttpResponse:
    actor = user_of(request)
    context = {
        "application": application,
        "page": papers_page(actor, application),
        "ball": standing.ball(application),
        "account": standing.account_of(application),
        "may_look": permissions.can_do(actor, "document.view"),
        "may_upload": permissions.can_do(actor, "document.upload"),
        "may_request": not services.why_not_request(actor, application),
        "why_not_request": services.why_not_request(actor, application),
        "nav_section": "applications",
    }
    return render(request, "onboarding/staff/papers.html", context | more)


@require_http_methods(["GET", "POST"])
@staff_page
def ask(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Ask the customer for a paper; for a case, for an answer in words too."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    permissions.require(actor, "document.request")
    owners = list(Owner.objects.filter(application=application).order_by("-is_applicant", "pk"))
    case = _asking_case(request, application)
    form = RequestForm(
        request.POST or None, application=application, owners=owners, for_case=case is not None
    )
    if request.method == "GET" and request.GET.get("whose"):
        form.initial["whose"] = request.GET["whose"]
    problem = ""
    if request.method == "POST" and form.is_valid():
        try:
            services.document_request(
                actor=actor,
                application_id=application.pk,
                source="page",
                case_id=case.pk if case else None,
                **form.answers,
            )
        except Invalid as error:
            form.refuse(error.fields)
        except DomainError as error:
            problem = error.message
        else:
            if case is not None:
                messages.success(request, "Asked. The case waits for the customer and comes back by itself.")
                return redirect("cases:detail", case.pk)
            messages.success(request, "Asked. The customer gets a letter and sees it on their page.")
            return redirect("staff_documents:papers", application.pk)
    return render(
        request,
        "onboarding/staff/paper_ask.html",
        {
            "application": application,
            "case": case,
            "form": form,
            "problem": problem,
            "reasons": _why_not_ask(actor, application, case) if request.method == "GET" else [],
            "nav_section": "applications",
        },
        status=422 if form.errors or problem else 200,
    )


def _asking_case(request: HttpRequest, application: Application) -> Case | None:
    """The case that asks, if the address names one. Raises NotFound for one that is not theirs or not about this."""
    given = request.GET.get("case")
    if given is None:
        return None
    try:
        case = cases.case_for_staff(user_of(request), UUID(given))
    except ValueError:
        raise NotFound("There is no such case.") from None
    if kinds.get(case.kind).ask_url(case) != reverse("staff_documents:ask", args=[application.pk]):
        raise NotFound("There is no such case.")
    return case


def _why_not_ask(actor: User, application: Application, case: Case | None) -> list[str]:
    reasons = services.why_not_request(actor, application)
    if case is not None:
        reasons += [str(reason) for reason in case_permissions.why_not(actor, "wait", case)]
    return reasons


@require_POST
@staff_page
def withdraw(request: HttpRequest, application_id: UUID, request_id: UUID) -> HttpResponse:
    """A paper is not wanted any more."""
    actor = user_of(request)
    application = selectors.application_for_staff(actor, application_id)
    if not application.document_requests.filter(pk=request_id).exists():
        raise NotFound("There is no such request.")
    try:
        services.document_request_withdraw(
            actor=actor, request_id=request_id, reason=request.POST.get("reason", ""), source="page"
        )
    except (Invalid, Conflict) as error:
        messages.error(request, _sentences(error))
    else:
        messages.success(request, "Withdrawn. The customer is not asked for it any more.")
    return redirect("staff_documents:papers", application.pk)


@require_POST
@staff_page
def accept(request: HttpRequest, application_id: UUID, document_id: UUID) -> HttpResponse:
    """Our verdict on one file: good."""
    form = SeenForm(request.POST)
    seen = form.cleaned_data["seen"] if form.is_valid() else -1
    return _decided(
        request,
        application_id,
        "Accepted.",
        lambda: services.document_accept(
            actor=user_of(request),
            application_id=application_id,
            document_id=document_id,
            seen=seen,
            source="page",
        ),
    )


@require_POST
@staff_page
def reject(request: HttpRequest, application_id: UUID, document_id: UUID) -> HttpResponse:
    """Our verdict on one file: not good, and why."""
    form = RejectForm(request.POST)
    form.is_valid()
    data = form.cleaned_data
    return _decided(
        request,
        application_id,
        "Rejected. The customer is asked for this one again.",
        lambda: services.document_reject(
            actor=user_of(request),
            application_id=application_id,
            document_id=document_id,
            seen=data.get("seen", -1),
            reason=data.get("reason", ""),
            text=data.get("text", request.POST.get("text", "")),
            source="page",
        ),
    )


def _decided(request: HttpRequest, application_id: UUID, done: str, work: Any) -> HttpResponse:
    application = selectors.application_for_staff(user_of(request), application_id)
    permissions.require(user_of(request), "document.decide")
    try:
        work()
    except NotFound:
        raise
    except DomainError as error:
        messages.error(request, _sentences(error))
    else:
        messages.success(request, done)
    return redirect("staff_documents:papers", application.pk)


def _sentences(error: DomainError) -> str:
    return " ".join([error.message, *(line for lines in error.fields.values() for line in lines)])


@require_GET
@staff_page
def expiring(request: HttpRequest) -> HttpResponse:
    """Papers that expire within sixty days or have expired, soonest first, paged by key."""
    permissions.require(user_of(request), "application.view")
    rows = document_reminders.expiring().select_related("application", "owner").defer("file_key")
    cursor = request.GET.get("after", "")
    follows = _cursor(cursor)
    if follows is not None:
        day, key = follows
        rows = rows.filter(Q(expires_on__gt=day) | Q(expires_on=day, pk__gt=key))
    found = list(rows[: EXPIRING_PER_PAGE + 1])
    shown = found[:EXPIRING_PER_PAGE]
    more = f"?after={shown[-1].expires_on}_{shown[-1].pk}" if len(found) > len(shown) else ""
    return render(
        request,
        "onboarding/staff/papers_expiring.html",
        {
            "rows": [_expiring_row(row) for row in shown],
            "first": reverse("staff_documents:expiring") if follows else "",
            "more": more,
            "nav_section": "applications",
        },
    )


def _expiring_row(row: Document) -> dict[str, Any]:
    assert row.expires_on is not None
    days = (row.expires_on - clock.now().date()).days
    words = "Expired" if days <= 0 else "Tomorrow" if days == 1 else f"In {days} days"
    tone = "danger" if days <= 0 else "warning" if days <= 7 else "info"
    return {"document": row, "words": words, "tone": tone}


def _cursor(text: str) -> tuple[date, UUID] | None:
    """The place a page begins after. One that is none is read as none, so an old bookmark shows the first page."""
    day, _, key = text.partition("_")
    try:
        return date.fromisoformat(day), UUID(key)
    except ValueError:
        return None
