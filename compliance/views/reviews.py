"""Pages of second reviews: what waits, one review without the first decision, both decisions, and the policy."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import dossier, drawing, kinds, personal, reviewing, seen, services, timeline
from compliance.dashboard import worded
from compliance.models import Review, ReviewDraw, ReviewPolicy
from compliance.review_forms import PolicyForm, ReviewFilterForm, ReviewForm, SettleForm
from portal import audit
from portal.errors import Conflict, Invalid
from portal.models import User
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of
from providers.views.paging import cursors, pager

TONES = {
    "waiting": "neutral",
    "taken": "accent",
    "agreed": "success",
    "disagreed": "danger",
    "settled": "info",
}
DRAWS = 4


@require_GET
@staff_page
def home(request: HttpRequest) -> HttpResponse:
    """The reviews one may see, by status, with what waits for nobody."""
    actor = user_of(request)
    form = ReviewFilterForm(request.GET)
    chosen = form.chosen()
    page = reviewing.reviews_for(actor, chosen, **cursors(request))
    sees_all = can_do(actor, "dashboard.view")
    waiting = [row for row in page.rows if row.status == Review.Status.WAITING]
    may = reviewing.eligible(waiting) if sees_all else {}
    rows = [
        {
            "review": row,
            "kind": kinds.get(row.case.kind).title,
            "tone": TONES[row.status],
            "may": [person.label for person in may.get(row.pk, [])] if row.pk in may else None,
            # Whoever sees what is being reviewed and by whom learns no case from it: they may be asked next.
            "is_open": row.reviewed_at is not None,
        }
        for row in page.rows
    ]
    kept = [(name, value) for name, value in request.GET.items() if value and name != "status"]
    tabs = [
        {
            "label": label,
            "url": f"?{urlencode([*(pair for pair in kept if pair[0] not in {'after', 'before'}), ('status', value)])}",
            "current": chosen.status == value,
            "count": None,
        }
        for value, label in [("", "All"), *Review.Status.choices]
    ]
    context = {
        "rows": rows,
        "tabs": tabs,
        "sees_all": sees_all,
        "may_review": can_do(actor, "case.decide"),
        "mine": reviewing.mine(actor),
        "nav_section": "dashboard",
        **pager(request, page),
    }
    return render(request, "compliance/reviews.html", context)


@require_POST
@staff_page
def take(request: HttpRequest) -> HttpResponse:
    """Take the next review one may make, or go on with the one that one has."""
    found = services.review_take(actor=user_of(request))
    if found is None:
        messages.info(request, "No review waits that you may make.")
        return redirect("reviews:list")
    return redirect("reviews:detail", found.pk)


@require_GET
@staff_page
def review(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """One review: blind for its reviewer, with both decisions once it is made."""
    found = reviewing.review_for(user_of(request), review_id)
    audit.record("review.view", subject=found, actor=user_of(request), source="page")
    return _page(request, found)


def _shut(request: HttpRequest, found: Review) -> HttpResponse | None:
    """What stands in the place of what its case says, while the data of the case's people is shut away."""
    actor = user_of(request)
    reason, url = personal.why_shut(found.case, actor)
    if not reason:
        return None
    context = {
        "review": found,
        "reason": reason,
        "url": url,
        "may_put_back": found.is_blind and (found.reviewer_id == actor.pk or can_do(actor, "case.manage")),
        "nav_section": "dashboard",
    }
    return render(request, "compliance/review_shut.html", context, status=403)


def _page(
    request: HttpRequest, found: Review, form: forms.Form | None = None, status: int = 200
) -> HttpResponse:
    actor, kind = user_of(request), kinds.get(found.case.kind)
    is_mine = found.is_blind and found.reviewer_id == actor.pk
    if (is_mine or found.reviewed_at) and (instead := _shut(request, found)):
        return instead
    context: dict[str, Any] = {
        "review": found,
        "kind": kind,
        "tone": TONES[found.status],
        "nav_section": "dashboard",
    }
    if is_mine:
        decided_at = found.decision.at
        papers = _papers(request, found)
        context |= {
            "paper": next((paper for paper in papers if paper.is_chosen), None),
            "paper_tabs": [
                {
                    "label": f"{paper.title}: {paper.whose}",
                    "url": f"?paper={paper.id}#papers",
                    "current": paper.is_chosen,
                    "count": None,
                }
                for paper in papers
            ],
            "sections": seen.sections(found.decision),
            # What came after the decision could tell what it was.
            "facts": [item for item in timeline.facts(found.case) if item.fact.at <= decided_at],
            "form": form or ReviewForm(decisions=kind.decisions, prefix="review"),
        }
        return render(request, "compliance/review_blind.html", context, status=status)
    if found.reviewed_at is None:
        fit = reviewing.eligible([found])[found.pk]
        people = [person for person in fit if not personal.why_shut(found.case, person)[0]]
        context |= {"people": people, "is_shut": len(people) < len(fit)}
        context |= {"may_put_back": can_do(actor, "case.manage") and found.is_blind}
        return render(request, "compliance/review_waiting.html", context, status=status)
    blocked = reviewing.why_not_settle(actor, found)
    first = found.decision
    _, label, reason = worded(found.case.kind, found.code, found.reason_code)
    context |= {
        "both": [
            _one("First", first.actor, first.label, first.reason_label, first.text, first.at),
            _one("Second", found.reviewer, label, reason, found.text, found.reviewed_at),
        ],
        "is_open": found.status == Review.Status.DISAGREED,
        "blocked": blocked,
        "settlers": reviewing.settlers(found) if blocked and found.status == Review.Status.DISAGREED else [],
        "form": form or SettleForm(prefix="settle"),
    }
    return render(request, "compliance/review.html", context, status=status)


def _one(
    who: str, person: User | None, label: str, reason: str, text: str, at: datetime | None
) -> dict[str, Any]:
    return {"who": who, "person": person, "label": label, "reason": reason, "text": text, "at": at}


def _papers(request: HttpRequest, found: Review) -> list[dossier.Paper]:
    """The customer's papers with their pictures. What was said of each, and its page, would tell what came of it."""
    try:
        chosen = UUID(request.GET.get("paper", ""))
    except ValueError:
        chosen = None
    known = dossier.of(dossier.Look(user_of(request), found.case, chosen))
    return [replace(paper, state=(), url="") for paper in known.papers] if known else []


@require_POST
@staff_page
def decide(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Keep the second decision. What the form lacks shows beside its fields, with everything typed kept."""
    actor = user_of(request)
    require(actor, "case.decide")
    found = reviewing.review_for(actor, review_id)
    if instead := _shut(request, found):
        return instead
    form = ReviewForm(request.POST, decisions=kinds.get(found.case.kind).decisions, prefix="review")
    if not form.is_valid():
        return _page(request, found, form, 422)
    try:
        made = services.review_decide(actor=actor, review_id=review_id, **form.second())
    except Invalid as error:
        form.refused(error.fields)
        return _page(request, found, form, 422)
    agreed = "You agree with the first decision." if made.agrees else "The first decision was another one."
    messages.success(request, f"Review kept. {agreed}")
    return redirect("reviews:detail", review_id)


@require_POST
@staff_page
def put_back(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Let somebody else make it."""
    require(user_of(request), "case.decide")
    services.review_put_back(actor=user_of(request), review_id=review_id)
    messages.success(request, "The review waits for somebody else.")
    return redirect("reviews:list")


@require_POST
@staff_page
def settle(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Say which stands, and the lesson."""
    actor = user_of(request)
    require(actor, "case.manage")
    found = reviewing.review_for(actor, review_id)
    if instead := _shut(request, found):
        return instead
    form = SettleForm(request.POST, prefix="settle")
    if not form.is_valid():
        return _page(request, found, form, 422)
    services.review_settle(actor=actor, review_id=review_id, **form.cleaned_data)
    messages.success(request, "Settled. The lesson is shown to both.")
    return redirect("reviews:detail", review_id)


@require_http_methods(["GET", "POST"])
@staff_page
def quality(request: HttpRequest) -> HttpResponse:
    """What is drawn, what was drawn, and what checklists may lack. Managers change the policy."""
    actor = user_of(request)
    require(actor, "dashboard.view")
    policy = ReviewPolicy.current()
    form = PolicyForm(policy=policy)
    status = 200
    if request.method == "POST":
        require(actor, "case.manage")
        form, status = PolicyForm(request.POST, policy=policy), 422
        if form.is_valid():
            try:
                services.review_policy_save(actor=actor, **form.wish())
            except Conflict as error:
                form.add_error(None, error.message)
            else:
                messages.success(request, "The policy is saved. It holds from the next drawing on.")
                return redirect("reviews:quality")
    suggested = reviewing.suggestions()
    context = {
        "form": form,
        "policy": policy,
        "may_manage": can_do(actor, "case.manage"),
        "kinds": [
            {
                "kind": kind,
                "percent": policy.percents.get(kind.name, policy.usual_percent),
                "suggested": [
                    {"one": one, "words": worded(one.kind, one.code, one.reason)}
                    for one in suggested.get(kind.name, [])
                ],
            }
            for kind in kinds.all_kinds()
        ],
        "draws": [
            {"row": row, "again": drawing.drawn_again(row)}
            for row in ReviewDraw.objects.order_by("-week")[:DRAWS]
        ],
        "list_url": reverse("reviews:list"),
        "nav_section": "dashboard",
    }
    return render(request, "compliance/quality.html", context, status=status)
