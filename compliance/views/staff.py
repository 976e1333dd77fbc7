"""The staff page on which a case is decided."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from compliance import kinds, permissions, selectors, services, standing, timeline
from compliance.forms import AssignForm, ChecklistForm, DecisionForm, NoteForm, WaitForm
from compliance.models import Case
from portal import audit
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import User
from portal.permissions import can_do
from portal.staff import staff_page, user_of
from providers.forms import ReasonForm

Bound = dict[str, forms.Form]


@require_GET
@staff_page
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One case with all that is needed to decide it."""
    actor = user_of(request)
    found = selectors.case_for_staff(actor, case_id)
    audit.record("case.view", subject=found, actor=actor, source="page")
    return _page(request, found, {})


def _page(request: HttpRequest, found: Case, bound: Bound, status: int = 200) -> HttpResponse:
    actor, kind = user_of(request), kinds.get(found.kind)
    ticks = list(found.ticks.select_related("by"))
    decided = timeline.decisions(found)
    allowed = {
        action: not permissions.why_not(actor, action, found)
        for action in ("take", "put_back", "assign", "note", "work", "wait", "resume", "escalate", "reopen")
    }
    blocked = [
        *permissions.why_not(actor, "decide", found),
        *permissions.lacking_ticks(kind, {tick.item for tick in ticks}),
    ]
    may, may_not = _sorted(actor, kind)
    context: dict[str, Any] = {
        "case": found,
        "kind": kind,
        "ball": standing.ball(found),
        "due": standing.due(found),
        "tone": standing.TONES[found.status],
        "priority_tone": standing.PRIORITY_TONES[found.priority],
        "subject_url": kind.subject_url(found.subject_id),
        "sections": kind.evidence(found),
        "facts": timeline.facts(found),
        "notes": timeline.notes(found),
        "decided": decided,
        "history": timeline.history(found, decided),
        "others": _others(actor, found),
        "allowed": allowed,
        "blocked": blocked,
        "may_not": may_not,
        "may_work": can_do(actor, "case.work"),
        "bound_forms": list(bound.values()),
        "nav_section": "cases",
        "checklist_form": ChecklistForm(kind=kind, ticks=ticks, enabled=allowed["work"], prefix="checklist"),
        "note_form": NoteForm(prefix="note"),
        "wait_form": WaitForm(prefix="wait"),
        "escalate_form": ReasonForm(prefix="escalate"),
        "reopen_form": ReasonForm(prefix="reopen"),
        "assign_form": AssignForm(people=selectors.people_for_cases(), prefix="assign"),
        "decision_form": DecisionForm(decisions=may, prefix="decide", initial={"version": found.version}),
    }
    return render(request, "compliance/case.html", context | bound, status=status)


def _sorted(
    actor: User, kind: kinds.CaseKind
) -> tuple[list[kinds.Decision], list[tuple[kinds.Decision, permissions.Reason]]]:
    """The decisions the actor's role makes, and those it does not, each with why."""
    may, may_not = [], []
    for decision in kind.decisions:
        reason = permissions.why_not_role(actor, kind, decision)
        if reason is None:
            may.append(decision)
        else:
            may_not.append((decision, reason))
    return may, may_not


def _others(actor: User, found: Case) -> list[dict[str, Any]]:
    rows = selectors.other_cases(actor, found)
    return [
        {"case": row, "kind": kinds.get(row.kind).title, "tone": standing.TONES[row.status]} for row in rows
    ]


Change = Callable[[HttpRequest, Case], HttpResponse]


def _changing(view: Change) -> Callable[..., HttpResponseBase]:
    """A change to one case, by POST; a refusal shows on the case's page, with the case as it is now."""

    @require_POST
    @staff_page
    @wraps(view)
    def guarded(request: HttpRequest, case_id: UUID) -> HttpResponse:
        actor = user_of(request)
        found = selectors.case_for_staff(actor, case_id)
        try:
            return view(request, found)
        except (Conflict, Forbidden) as error:
            messages.error(request, error.message)
            return _page(request, selectors.case_for_staff(actor, case_id), {}, error.status)

    return guarded


def _done(request: HttpRequest, found: Case, sentence: str) -> HttpResponse:
    messages.success(request, sentence)
    return redirect("cases:detail", found.pk)


@require_POST
@staff_page
def take_next(request: HttpRequest) -> HttpResponse:
    """Assign the most pressing case nobody works on, and open it."""
    found = services.case_take_next(actor=user_of(request))
    if found is None:
        messages.info(request, "No open case is left that nobody works on.")
        return redirect("cases:list")
    return _done(request, found, f"{found.reference} is yours.")


@_changing
def assign(request: HttpRequest, found: Case) -> HttpResponse:
    """To oneself, to someone chosen, or back into the queue."""
    actor, to = user_of(request), request.POST.get("whom", "")
    if to == "me":
        services.case_assign(actor=actor, case_id=found.pk, to=actor)
        return _done(request, found, "The case is yours.")
    if to == "nobody":
        services.case_assign(actor=actor, case_id=found.pk, to=None)
        return _done(request, found, "The case is back in the queue.")
    form = AssignForm(request.POST, people=selectors.people_for_cases(), prefix="assign")
    if not form.is_valid():
        return _page(request, found, {"assign_form": form}, 422)
    chosen = form.cleaned_data["to"]
    services.case_assign(actor=actor, case_id=found.pk, to=chosen)
    return _done(request, found, f"The case is with {chosen} now.")


@_changing
def note(request: HttpRequest, found: Case) -> HttpResponse:
    """Add a note."""
    form = NoteForm(request.POST, prefix="note")
    if not form.is_valid():
        return _page(request, found, {"note_form": form}, 422)
    services.case_note(actor=user_of(request), case_id=found.pk, text=form.cleaned_data["text"])
    return _done(request, found, "Note added.")


@_changing
def checklist(request: HttpRequest, found: Case) -> HttpResponse:
    """Save the checklist."""
    done = set(request.POST.getlist("checklist-done"))
    services.case_check(actor=user_of(request), case_id=found.pk, done=done)
    return _done(request, found, "Checklist saved.")


@_changing
def wait(request: HttpRequest, found: Case) -> HttpResponse:
    """Let it wait."""
    form = WaitForm(request.POST, prefix="wait")
    if not form.is_valid():
        return _page(request, found, {"wait_form": form}, 422)
    services.case_wait(actor=user_of(request), case_id=found.pk, **form.cleaned_data)
    return _done(request, found, "The case waits.")


@_changing
def resume(request: HttpRequest, found: Case) -> HttpResponse:
    """Take it up again."""
    services.case_resume(actor=user_of(request), case_id=found.pk)
    return _done(request, found, "The case is in progress again.")


@_changing
def escalate(request: HttpRequest, found: Case) -> HttpResponse:
    """Ask a manager to decide."""
    form = ReasonForm(request.POST, prefix="escalate")
    if not form.is_valid():
        return _page(request, found, {"escalate_form": form}, 422)
    services.case_escalate(actor=user_of(request), case_id=found.pk, reason=form.cleaned_data["reason"])
    return _done(request, found, "A manager decides it now.")


@_changing
def reopen(request: HttpRequest, found: Case) -> HttpResponse:
    """Put a decided case back into the queue."""
    form = ReasonForm(request.POST, prefix="reopen")
    if not form.is_valid():
        return _page(request, found, {"reopen_form": form}, 422)
    services.case_reopen(actor=user_of(request), case_id=found.pk, reason=form.cleaned_data["reason"])
    return _done(request, found, "The case is open again.")


@_changing
def decide(request: HttpRequest, found: Case) -> HttpResponse:
    """Decide it. What the form lacks shows beside its fields, with everything typed kept."""
    actor, kind = user_of(request), kinds.get(found.kind)
    form = DecisionForm(request.POST, decisions=kind.decisions, prefix="decide")
    if form.is_valid():
        try:
            made = services.case_decide(actor=actor, case_id=found.pk, **form.made())
        except Invalid as error:
            form.refused(error.fields)
        else:
            return _done(request, found, f"Decided: {made.label}. {made.outcome}".strip())
    form.offer(_sorted(actor, kind)[0])
    return _page(request, found, {"decision_form": form}, 422)
