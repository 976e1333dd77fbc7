"""Staff pages of applications: the list that answers questions in one look, and the page of one application."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from onboarding import drafts, list_rows, papers, papers_standing, party, selectors, standing, standing_words
from onboarding.corrections import corrections_of
from onboarding.models import Document
from onboarding.requirements import has_entity
from onboarding.timeline import timeline
from onboarding.views.details import updates_of
from onboarding.views.documents import paper_cards
from onboarding.views.identity_staff import identity_card
from onboarding.views.shared import acceptances_of, summary_sections
from portal import audit, permissions
from portal.staff import staff_page, user_of


@require_GET
@staff_page
def applications(request: HttpRequest) -> HttpResponse:
    """The list: search, filters in the address, newest first, paged by key."""
    pairs = list_rows.given(request.GET)
    page = selectors.applications_for_staff(
        user_of(request),
        list_rows.chosen(pairs),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    kept = [(name, value) for name, value in request.GET.lists() if name not in {"after", "before"}]
    query = [(name, item) for name, values in kept for item in values if item]
    return render(
        request,
        "onboarding/staff/applications.html",
        {
            "filter_panel": list_rows.panel(pairs=pairs, url=request.path),
            "rows": list_rows.drawn(page.rows),
            "filtered": bool(query),
            "papers_tabs": _papers_tabs(request),
            "may_start": permissions.can_do(user_of(request), "application.start"),
            "nav_section": "applications",
            "older": f"?{urlencode([*query, ('after', page.older)])}" if page.older else "",
            "newer": f"?{urlencode([*query, ('before', page.newer)])}" if page.newer else "",
        },
    )


class PapersTab(NamedTuple):
    """A choice of the papers filter, with how many it holds."""

    label: str
    url: str
    current: bool
    count: int | None  # type: ignore[assignment]  # As in every tab.


def _papers_tabs(request: HttpRequest) -> tuple[PapersTab, ...]:
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
        found.append(PapersTab(label, url, name == current, counts.get(name)))
    return tuple(found)


@require_GET
@staff_page
def application(request: HttpRequest, application_id: UUID) -> HttpResponse:
    """One application: who has the ball, the answers masked, the provider's state, everything that happened."""
    actor = user_of(request)
    found = selectors.application_for_staff(actor, application_id)
    audit.record("application.view", subject=found, actor=actor, source="page")
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
            "account_tone": standing_words.TONES.get(account.status) if account else "",
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
            "may_share": not has_entity(found.account_type),
            "may_see_money": permissions.can_do(user_of(request), "transfer.view"),
            "may_move_money": permissions.can_do(user_of(request), "transfer.create"),
            "transfers_url": f"{reverse('funding_staff:transfers')}?account={account.pk}" if account else "",
            "may_look": permissions.can_do(user_of(request), "document.view"),
            "may_privacy": permissions.can_do(user_of(request), "privacy.ask")
            or permissions.can_do(user_of(request), "pii.retained"),
            "nav_section": "applications",
        },
    )


def _title(draft: drafts.Draft) -> str:
    """The name the account goes by: the company's, or the applicant's."""
    named = draft.entity.legal_name if draft.entity else ""
    return named or draft.applicant.full_name or "Name not given yet"
