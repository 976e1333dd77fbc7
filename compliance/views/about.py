"""What the case page shows beside the case itself: the dossier, one merged timeline, other cases about the same."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from compliance import dossier, selectors, timeline
from compliance.models import Case, CaseDecision
from compliance.views import case_parts
from portal import audit
from portal.staff import user_of

#: So many happenings stand on the page; of each sort so many are read.
MOST_HAPPENINGS = 60
THIS_CASE = "This case"
#: The part of the page that shows them; an open page asks for it by this name.
HISTORY = "history"


def context(request: HttpRequest, case: Case, decided: list[CaseDecision]) -> dict[str, Any]:
    """The names that the templates case.html, _dossier.html and _history.html expect.

    What happened stands below everything on which a decision rests: it is read when somebody gets there, or when the
    address asks for it (`show`).
    """
    viewer = user_of(request)
    found = dossier.of(dossier.Look(viewer, case, _id(request.GET.get("paper", ""))))
    return {
        "dossier": found,
        "about": case_parts.about(found),
        "signals": case_parts.signals(found) if found else "",
        "linked": case_parts.linked(found) if found else "",
        "paper_tabs": _paper_tabs(found, request),
        "others": case_parts.others(selectors.other_cases(viewer, case, found.about if found else ())),
        "history_url": f"?{urlencode(_kept(request, show='all'))}",
    } | (_history(request, case, decided) if "show" in request.GET else {})


def history_part(request: HttpRequest, case: Case) -> HttpResponse:
    """What happened, by itself, for an open page of the case."""
    audit.record("case.view", subject=case, actor=user_of(request), after={"part": HISTORY}, source="page")
    context = _history(request, case, timeline.decisions(case))
    response = render(request, "compliance/_history.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _id(word: str) -> UUID | None:
    try:
        return UUID(word)
    except ValueError:
        return None


def _paper_tabs(found: dossier.Dossier | None, request: HttpRequest) -> list[dict[str, Any]]:
    if found is None:
        return []
    return [
        {
            "id": f"paper-{paper.id}",
            "label": f"{paper.title}: {paper.whose}",
            "url": f"?{urlencode(_kept(request, paper=str(paper.id)))}#papers",
            "current": paper.is_chosen,
        }
        for paper in found.papers
    ]


def _history(request: HttpRequest, case: Case, decided: list[CaseDecision]) -> dict[str, Any]:
    """What happened to the case and to whom it is about, in one list: all of it, or what one filter names."""
    reads = {THIS_CASE: lambda: timeline.history(case, decided)} | dict(
        dossier.happenings(dossier.Look(user_of(request), case))
    )
    chosen = request.GET.get("show", "")
    chosen = chosen if chosen in reads else ""
    items = [item for name, read in reads.items() if chosen in {"", name} for item in read()]
    items.sort(key=lambda item: item.at, reverse=True)
    tabs = [
        {
            "id": f"history-{place}",
            "label": name or "All",
            "url": f"?{urlencode(_kept(request, show=name or 'all'))}#history",
            "current": name == chosen,
        }
        for place, name in enumerate(["", *reads])
    ]
    return {
        "history": items[:MOST_HAPPENINGS],
        "history_more": len(items) > MOST_HAPPENINGS,
        "history_tabs": tabs if len(reads) > 1 else [],
    }


def _kept(request: HttpRequest, **changed: str) -> dict[str, str]:
    """The page's own choices as the address has them, with these changed."""
    held = {name: request.GET.get(name, "") for name in ("paper", "show")} | changed
    return {name: value for name, value in held.items() if value}
