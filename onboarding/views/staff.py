"""Staff pages of applications: the list that answers questions in one look, and the page of one application."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from onboarding import drafts, papers, papers_standing, party, selectors, standing
from onboarding.corrections import corrections_of
from onboarding.forms import ApplicationFilterForm
from onboarding.models import Document
from onboarding.timeline import timeline
from onboarding.views.details import updates_of
from onboarding.views.documents import paper_cards
from onboarding.views.identity_staff import identity_card
from onboarding.views.shared import acceptances_of, summary_sections
from portal import audit, permissions
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

#: What may be revealed, and where it stands.
REVEALABLE = {"tax_id": "Tax number", "date_of_birth": "Date of birth"}


@require_GET
@staff_page
def applications(request: HttpRequest) -> HttpResponse:
    """The list: search, filters in the address, newest first, paged by key."""
    form = ApplicationFilterForm(request.GET)
    page = selectors.applications_for_staff(
        user_of(request),
        form.chosen(),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    kept = [(name, value) for name, value in request.GET.lists() if name not in {"after", "before"}]
    query = [(name, item) for name, values in kept for item in values if item]
    rows = [
        {
            "application": row,
            "name": getattr(row, "account_name", ""),
            "ball": standing.ball(row),
            "status": standing.shown_status(row),
        }
        for row in page.rows
    ]
    return render(
        request,
        "onboarding/staff/applications.html",
        {
            "form": form,
            "rows": rows,
            "filtered": bool(query),
            "papers_tabs": _papers_tabs(request),
            "may_start": permissions.can_do(user_of(request), "application.start"),
            "nav_section": "applications",
            "older": f"?{urlencode([*query, ('after', page.older)])}" if page.older else "",
            "newer": f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else "",
        },
    )


def _papers_tabs(request: HttpRequest) -> list[dict[str, Any]]:
    """The list's choices of papers, with how many each holds; the other filters stay."""
    counts = selectors.papers_counts(user_of(request))
    current = request.GET.get("papers", "")
    found = []
    for name, label in {"": "All", **papers_standing.FILTERS}.items():
        query = request.GET.copy()
        for gone in ("after", "before", "papers"):
            query.pop(gone, None)
        if name:
            query["papers"] = name
        url = f"?{query.urlencode()}" if query else request.path
        found.append({"label": label, "url": url, "current": name == current, "count": counts.get(name)})
    return found


@require_GET
@staff_page
def application(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """One application: who has the ball, the answers masked, the provider's state, everything that happened."""
    actor = user_of(request)
    found = selectors.application_for_staff(actor, application_id)
    audit.record("application.view", subject=found, actor=actor, source="page")
    return _page(request, found, {})


def _page(request: HttpRequest, found: Any, revealed: dict[str, Any], status: int = 200) -> HttpResponse:
    account = standing.account_of(found)
    draft = drafts.load(found)
    sections = summary_sections(draft)
    return render(
        request,
        "onboarding/staff/application.html",
        {
            "application": found,
            "title": _title(draft),
            "owners": draft.owners,
            "entity": draft.entity,
            "account": account,
            "ball": standing.ball(found),
            "status": standing.shown_status(found),
            "account_tone": standing.TONES.get(account.status) if account else "",
            "reason_words": party.REASONS.get(account.party_reason, "") if account else "",
            "sections": sections,
            "not_filled_in": [section for section in sections if not section["rows"]],
            "acceptances": acceptances_of(draft),
            "corrections": corrections_of(draft),
            "updates": updates_of(draft),
            "papers": paper_cards(papers.papers_of(found)),
            "replaced": found.documents.filter(status=Document.Status.REPLACED).order_by("-pk"),
            "identity": identity_card(account, user_of(request)),
            "timeline": timeline(found),
            "standing": standing.standing(found),
            "may_fill": found.is_with_staff and permissions.can_do(user_of(request), "application.start"),
            "may_reveal": permissions.can_do(user_of(request), "pii.reveal"),
            "reason_form": ReasonForm(),
            "revealed": revealed,
            "nav_section": "applications",
        },
        status=status,
    )


def _title(draft: drafts.Draft) -> str:
    """The name the account goes by: the company's, or the applicant's."""
    named = draft.entity.legal_name if draft.entity else ""
    return named or draft.applicant.full_name or "Name not given yet"


@require_POST
@staff_page
def reveal(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """Show masked data once, for a stated reason; nothing of it goes into an address or stays in the session."""
    actor = user_of(request)
    found = selectors.application_for_staff(actor, application_id)
    permissions.require(actor, "pii.reveal")
    form = ReasonForm(request.POST)
    if not form.is_valid():
        messages.error(request, str(form.errors["reason"][0]))
        return redirect(reverse("staff:application", args=[found.pk]))
    rows = _sealed_rows(drafts.load(found))
    audit.record(
        "pii.reveal",
        subject=found,
        actor=actor,
        reason=form.cleaned_data["reason"],
        source="page",
        after={"fields": [f"{row.pk} {name}" for _, row, name in rows]},
    )
    values = {label: getattr(row, name).reveal() for label, row, name in rows}
    response = _page(request, found, values)
    response["Cache-Control"] = "no-store"
    return response


def _sealed_rows(draft: drafts.Draft) -> list[tuple[str, Any, str]]:
    """What there is to reveal: (label, row, field name)."""
    several = len(draft.owners) > 1
    found: list[tuple[str, Any, str]] = []
    if draft.entity is not None and draft.entity.tax_id:
        found.append((f"{draft.entity.legal_name}: tax number", draft.entity, "tax_id"))
    for owner in draft.owners:
        whose = f"{owner.full_name or owner.get_role_display()}: " if several else ""
        found += [
            (f"{whose}{label.lower() if whose else label}", owner, name)
            for name, label in REVEALABLE.items()
            if getattr(owner, name)
        ]
    return found
