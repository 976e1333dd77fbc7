"""Staff pages of the second person: what waits for an answer, and the answers, one by one or many at once."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from compliance import approvers, kinds, services, standing
from compliance.models import Case, Proposal
from compliance.views.staff import changing, done, page_of
from portal.errors import Conflict, Invalid
from portal.models import User
from portal.money import Money
from portal.pages import keyset
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm
from providers.views.paging import asked, cursors

SEPARATOR = "~"
#: The lists, as the address names them, and the word that opens each.
FOR_ME, MINE, ALL = "", "mine", "all"
WORDS = {FOR_ME: "case.work", MINE: "case.work", ALL: "queue.view"}
LABELS = {FOR_ME: "For me to approve", MINE: "Proposed by me", ALL: "All that wait"}
_LISTS: dict[str, Callable[[User], QuerySet[Proposal]]] = {
    FOR_ME: approvers.waiting_for,
    MINE: approvers.proposed_by,
    ALL: lambda _: approvers.waiting(),
}


@require_GET
@staff_page
def approvals(request: HttpRequest) -> HttpResponse:
    """What the viewer may approve, the longest waiting first; what they proposed themselves; or, for whoever sees every
    queue, all that waits and for whom."""
    actor = user_of(request)
    lists = [key for key, word in WORDS.items() if can_do(actor, word)]
    if not lists:
        require(actor, WORDS[FOR_ME])
    whose = asked(request, "whose")
    whose = whose if whose in lists else lists[0]
    page = keyset(_LISTS[whose](actor), oldest_first=True, **cursors(request))
    address, kept = reverse("cases:approvals"), f"whose={whose}&" if whose else ""
    context = {
        "rows": _rows(actor, page.rows),
        "whose": whose,
        "answers": whose == FOR_ME,
        "tabs": [
            {
                "label": LABELS[key],
                "url": f"{address}?whose={key}" if key else address,
                "current": key == whose,
                "count": None,
            }
            for key in lists
        ],
        "back": ("Previous", f"?{kept}before={page.older}" if page.older else ""),
        "onward": ("Next", f"?{kept}after={page.newer}" if page.newer else ""),
        "nav_section": "cases",
    }
    return render(request, "compliance/approvals.html", context)


def _rows(actor: User, proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    cases = [proposal.case for proposal in proposals]
    around = approvers.Around.of(cases) if cases else None
    seconds = approvers.seconds_of(proposals)
    return [
        {
            "proposal": proposal,
            "case": proposal.case,
            "kind": kinds.get(proposal.case.kind).title,
            "due": standing.due(proposal.case),
            "pressing": proposal.case.priority > Case.Priority.NORMAL,
            "priority_tone": standing.PRIORITY_TONES[proposal.case.priority],
            "amount": Money.from_columns(proposal.case.amount_minor, proposal.case.currency),
            "who": seconds[proposal.case_id].line,
            "nobody": not seconds[proposal.case_id].can,
            "cannot": approvers.why_not_answer(actor, proposal, around) if around else [],
            "value": SEPARATOR.join(map(str, (proposal.case_id, proposal.pk, proposal.case.version))),
        }
        for proposal in proposals
    ]


@require_POST
@staff_page
def approve_many(request: HttpRequest) -> HttpResponse:
    """Approve what is ticked, with an answer for each."""
    actor = user_of(request)
    require(actor, "case.work")
    try:
        outcomes = services.cases_approve(actor=actor, shown=_shown(request.POST.getlist("chosen")))
    except Invalid as error:
        messages.error(request, next(iter(error.fields.values()))[0])
        return redirect("cases:approvals")
    context = {
        "outcomes": outcomes,
        "done": sum(outcome.done for outcome in outcomes),
        "back_url": reverse("cases:approvals"),
        "back_label": "Approvals",
        "nav_section": "cases",
    }
    return render(request, "compliance/bulk.html", context)


def _shown(values: list[str]) -> dict[UUID, services.Shown]:
    """The rows that are ticked; what no row says is left out."""
    found = {}
    for value in values:
        try:
            case_id, proposal_id, version = value.split(SEPARATOR)
            found[UUID(case_id)] = services.Shown(UUID(proposal_id), _number(version))
        except ValueError:
            continue
    return found


def _number(text: str) -> int:
    """A small number from the page; what is none is no version of anything."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _key(request: HttpRequest) -> UUID:
    """The proposal that the page showed. Raises Forbidden for who has no part in it, Conflict when it says none."""
    require(user_of(request), "case.work")
    try:
        return UUID(request.POST.get("proposal", ""))
    except ValueError:
        raise Conflict("Open the case anew: it is not clear what you answer.") from None


@changing
def approve(request: HttpRequest, found: Case) -> HttpResponse:
    """Approve it as the page showed it."""
    made = services.case_approve(
        actor=user_of(request),
        case_id=found.pk,
        proposal_id=_key(request),
        version=_number(request.POST.get("version", "")),
    )
    return done(request, found, f"Approved: {made.label}. {made.outcome}".strip())


@changing
def send_back(request: HttpRequest, found: Case) -> HttpResponse:
    """Do not approve it, and say why."""
    proposal_id, form = _key(request), ReasonForm(request.POST, prefix="send_back")
    if not form.is_valid():
        return page_of(request, found, {"send_back_form": form}, 422)
    services.case_send_back(
        actor=user_of(request),
        case_id=found.pk,
        proposal_id=proposal_id,
        reason=form.cleaned_data["reason"],
    )
    return done(request, found, "Sent back. Whoever proposed it is told.")


@changing
def withdraw(request: HttpRequest, found: Case) -> HttpResponse:
    """Take a proposal back."""
    services.case_withdraw(actor=user_of(request), case_id=found.pk, proposal_id=_key(request))
    return done(request, found, "The proposal is withdrawn. Decide again when it is right.")
