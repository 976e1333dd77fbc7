"""The staff page on which a case is decided."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from compliance import (
    approval_policy,
    desk,
    dossier,
    kinds,
    live,
    mentions,
    parts,
    permissions,
    personal,
    reviewing,
    selectors,
    services,
    standing,
    timeline,
)
from compliance.forms import AssignForm, DecisionForm, HoldForm, NoteForm, WaitForm
from compliance.models import Case, CaseTick, Proposal
from compliance.views import about, approval_card, case_actions, case_forms, case_parts, from_list
from portal import audit, clock, revealing
from portal.composed import ahead
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import User
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of
from portal.ui.addresses import address
from providers.forms import ReasonForm

Bound = dict[str, forms.Form]


@require_GET
@staff_page
def case(request: HttpRequest, case_id: UUID) -> HttpResponse:
    """One case with all that is needed to decide it."""
    actor = user_of(request)
    found = selectors.case_for_staff(actor, case_id)
    if request.headers.get("HX-Target") == about.HISTORY:
        return shut(request, found) or about.history_part(request, found)
    audit.record("case.view", subject=found, actor=actor, source="page")
    from_list.remember(request, found.pk)
    return page_of(request, found, {})


def page_of(request: HttpRequest, found: Case, bound: Bound, status: int = 200) -> HttpResponse:
    """The case's page, with these forms as they were sent in place of empty ones."""
    if instead := shut(request, found):
        return instead
    actor, now = user_of(request), clock.now()
    look = dossier.Look(actor, found)
    with (
        ahead(
            parts.question(found, actor),
            timeline.facts_question(found),
            services.presence_question(actor=actor, case_id=found.pk),
            live.question(actor, found.pk, now),
            revealing.live_question(actor, now),
            *dossier.questions(look),
        ),
        ahead(*kinds.get(found.kind).asks(found), *dossier.further(look)),
    ):
        revealing.remember_live(request, actor, now)
        return _page(request, found, bound, status, now)


def _page(request: HttpRequest, found: Case, bound: Bound, status: int, now: datetime) -> HttpResponse:
    actor, kind = user_of(request), kinds.get(found.kind)
    there = parts.of(found, actor)
    if there.unseen_mentions:
        services.mentions_seen(actor=actor, case_id=found.pk)
    ticks = list(found.ticks.select_related("by")) if there.ticks else []
    decided = timeline.decisions(found) if there.decisions else []
    allowed = {
        action: not permissions.why_not(actor, action, found)
        for action in (
            "take",
            "put_back",
            "assign",
            "note",
            "work",
            "wait",
            "hold",
            "resume",
            "escalate",
            "reopen",
        )
    }
    blocked = [
        *permissions.why_not(actor, "decide", found),
        *permissions.lacking_ticks(kind, {tick.item for tick in ticks}),
    ]
    sections = kind.evidence(found)
    approval = approval_card.of(actor, found, sections) if there.proposals else None
    context: dict[str, Any] = {
        "case": found,
        "kind": kind,
        "approval": approval,
        "to_decide": case_parts.to_decide(kind, standing.ball(found, approval.second if approval else None)),
        "the_case": case_parts.the_case(found, standing.due(found), kind.subject_url(found.subject_id)),
        "sections": sections,
        "facts": [{"html": case_parts.fact(item), "said": item.said} for item in timeline.facts(found)],
        "notes": timeline.notes(found) if there.notes else [],
        "personal": personal.of_case(found),
        "decided": decided,
        "reviews": reviewing.of_case(found),
        "bound_forms": list(bound.values()),
        "nav_section": "cases",
        "looking": live.lookers(actor, [found.pk], now).get(found.pk, ""),
        "live_url": _live_url(found, now),
        "leave_url": address("cases:leave", found.pk),
    }
    context |= about.context(request, found, decided)
    context["attached"] = found.files.select_related("uploaded_by").order_by("pk") if there.files else []
    context |= from_list.way_on(request, actor, found.pk)
    token = get_token(request)
    context |= _forms(actor, found, allowed, bound, token, context["list_url"])
    context |= {
        "deciding": _decision_form(actor, found, approval, bound, token, there, blocked),
        "checklist": _checklist(found, ticks, token, allowed["work"]) if kind.checklist else "",
    }
    response = render(request, "compliance/case.html", context | bound, status=status)
    # It may show pictures of papers, and a colleague's change must show.
    response["Cache-Control"] = "no-store"
    return response


def _live_url(found: Case, now: datetime) -> str:
    """Where the open page asks what became of the case since."""
    query = urlencode({"version": found.version, "at": now.isoformat()})
    return f"{address('cases:live_one', found.pk)}?{query}"


def _forms(
    actor: User, found: Case, allowed: Mapping[str, bool], bound: Bound, token: str, list_url: str
) -> dict[str, Any]:
    """Heading, forms and links by their names in the template; what was sent stands in them as it was sent."""
    kind = kinds.get(found.kind)
    fields, is_kept = case_forms.drawn(bound), not bound
    asks = kind.ask_url(found) if allowed["wait"] and can_do(actor, "document.request") else ""
    shown: dict[str, Any] = {
        "send_back_fields": fields["send_back_fields"],
        "head": case_parts.head(
            found,
            kind,
            token,
            list_url=list_url,
            may_take=allowed["take"],
            may_work=can_do(actor, "case.work"),
        ),
        "actions": case_actions.drawn(
            found.pk,
            {**allowed, "put_back": allowed["put_back"] and found.assignee_id is not None},
            fields,
            [name.removesuffix("_form") for name, form in bound.items() if form.errors],
            token=token,
            ask_url=f"{asks}?case={found.pk}" if asks else "",
            hold_words=case_parts.hold_words(kind, standing.due(found)),
        ),
    }
    if allowed["note"]:
        shown["noting"] = case_parts.form(
            found.pk,
            token,
            "_note",
            is_kept=is_kept,
            fields=fields["note_fields"],
            mentionable=tuple(mentions.possible(actor, found)),
        )
        shown["attach"] = case_parts.form(found.pk, token, "_attach")
    if can_do(actor, "case.export"):
        shown["case_file"] = case_parts.form(found.pk, token, "_case_file")
    return shown


def _checklist(found: Case, ticks: Sequence[CaseTick], token: str, may_work: bool) -> SafeString:
    boxes = case_forms.checklist(kinds.get(found.kind), ticks, enabled=may_work)
    lessons = reviewing.lessons(found.kind)
    return case_parts.form(found.pk, token, "_checklist", checklist=boxes, may_work=may_work, lessons=lessons)


def _decision_form(
    actor: User,
    found: Case,
    approval: approval_card.Card | None,
    bound: Bound,
    token: str,
    there: parts.Parts,
    blocked: Sequence[permissions.Reason],
) -> SafeString:
    """The form to decide in, or what is in the way; empty for a case that nobody decides now."""
    kind = kinds.get(found.kind)
    if found.is_done or not kind.decisions or (approval and approval.is_waiting):
        return SafeString("")
    may, may_not = _sorted(actor, kind)
    fields, sent = SafeString(""), bound.get("decision_form")
    initial = approval_card.initial(actor, approval)
    if blocked:
        pass
    elif isinstance(sent, DecisionForm):
        fields = case_forms.decision_sent(sent) if sent.decisions else fields
    else:
        needing_two = approval_policy.needing_two(found, may) if there.approval_rules else set()
        fields = case_forms.decision(may, needing_two, found.version, initial)
    return case_parts.form(
        found.pk,
        token,
        "_decide",
        is_kept=not (sent or initial),
        fields=fields,
        blocked=case_parts.reasons(blocked),
        may_not=case_parts.reasons([reason for _, reason in may_not]),
    )


def shut(request: HttpRequest, found: Case) -> HttpResponse | None:
    """What stands in the case's place while the data of its people is shut away from the reader."""
    reason, url = personal.why_shut(found, user_of(request))
    if not reason:
        return None
    return render(request, "compliance/shut.html", {"case": found, "reason": reason, "url": url}, status=403)


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


Change = Callable[[HttpRequest, Case], HttpResponse]


def changing(view: Change) -> Callable[..., HttpResponseBase]:
    """A change to one case, by POST; a refusal shows on the case's page, with the case as it is now."""

    @require_POST
    @staff_page
    @wraps(view)
    def guarded(request: HttpRequest, case_id: UUID) -> HttpResponse:
        actor = user_of(request)
        found = selectors.case_for_staff(actor, case_id)
        if instead := shut(request, found):
            return instead
        try:
            require(actor, "case.work")
            return view(request, found)
        except (Conflict, Forbidden) as error:
            messages.error(request, error.message)
            return page_of(request, selectors.case_for_staff(actor, case_id), {}, error.status)

    return guarded


def done(request: HttpRequest, found: Case, sentence: str, part: str = "main") -> HttpResponse:
    """Back to the case's page, where the reader goes on: at its beginning, or at one of its parts."""
    messages.success(request, sentence)
    return redirect(f"{reverse('cases:detail', args=[found.pk])}#{part}")


@require_POST
@staff_page
def take_next(request: HttpRequest) -> HttpResponse:
    """Assign the most pressing case nobody works on, and open it."""
    return _taken_next(request)


def _taken_next(request: HttpRequest) -> HttpResponse:
    found = services.case_take_next(actor=user_of(request))
    if found is None:
        messages.info(request, "No open case is left that nobody works on.")
        return redirect("cases:list")
    return done(request, found, f"{found.reference} is yours.")


@changing
def assign(request: HttpRequest, found: Case) -> HttpResponse:
    """To oneself, to someone chosen, or back into the queue."""
    actor, to = user_of(request), request.POST.get("whom", "")
    if to == "me":
        services.case_assign(actor=actor, case_id=found.pk, to=actor)
        if "list" in request.POST:
            # Taken in the list, and back to its row there.
            messages.success(request, f"{found.reference} is yours.")
            return redirect(from_list.row_url(request.POST["list"], found.pk))
        return done(request, found, "The case is yours.")
    if to == "nobody":
        services.case_assign(actor=actor, case_id=found.pk, to=None)
        return done(request, found, "The case is back in the queue.")
    people = selectors.people_for_cases()
    form = AssignForm(request.POST, people=people, offered=desk.people(), prefix="assign")
    if not form.is_valid():
        return page_of(request, found, {"assign_form": form}, 422)
    chosen = form.cleaned_data["to"]
    services.case_assign(actor=actor, case_id=found.pk, to=chosen)
    return done(request, found, f"The case is with {chosen} now.")


@changing
def note(request: HttpRequest, found: Case) -> HttpResponse:
    """Add a note."""
    form = NoteForm(request.POST, prefix="note")
    if not form.is_valid():
        return page_of(request, found, {"note_form": form}, 422)
    try:
        services.case_note(actor=user_of(request), case_id=found.pk, text=form.cleaned_data["text"])
    except Invalid as error:
        form.add_error("text", error.fields["text"])
        return page_of(request, found, {"note_form": form}, 422)
    return done(request, found, "Note added.", "notes")


@changing
def checklist(request: HttpRequest, found: Case) -> HttpResponse:
    """Save the checklist."""
    ticked = set(request.POST.getlist("checklist-done"))
    services.case_check(actor=user_of(request), case_id=found.pk, done=ticked)
    return done(request, found, "Checklist saved.", "decision")


@changing
def wait(request: HttpRequest, found: Case) -> HttpResponse:
    """Let it wait."""
    form = WaitForm(request.POST, prefix="wait")
    if not form.is_valid():
        return page_of(request, found, {"wait_form": form}, 422)
    services.case_wait(actor=user_of(request), case_id=found.pk, **form.cleaned_data)
    return done(request, found, "The case waits.")


@changing
def hold(request: HttpRequest, found: Case) -> HttpResponse:
    """Put it aside until a day, with its clock running on."""
    form = HoldForm(request.POST, prefix="hold")
    if not form.is_valid():
        return page_of(request, found, {"hold_form": form}, 422)
    services.case_hold(actor=user_of(request), case_id=found.pk, **form.cleaned_data)
    return done(request, found, "The case is on hold.")


@changing
def resume(request: HttpRequest, found: Case) -> HttpResponse:
    """Take it up again."""
    services.case_resume(actor=user_of(request), case_id=found.pk)
    return done(request, found, "The case is in progress again.")


@changing
def escalate(request: HttpRequest, found: Case) -> HttpResponse:
    """Ask a manager to decide."""
    form = ReasonForm(request.POST, prefix="escalate")
    if not form.is_valid():
        return page_of(request, found, {"escalate_form": form}, 422)
    services.case_escalate(actor=user_of(request), case_id=found.pk, reason=form.cleaned_data["reason"])
    return done(request, found, "A manager decides it now.")


@changing
def reopen(request: HttpRequest, found: Case) -> HttpResponse:
    """Put a decided case back into the queue."""
    form = ReasonForm(request.POST, prefix="reopen")
    if not form.is_valid():
        return page_of(request, found, {"reopen_form": form}, 422)
    services.case_reopen(actor=user_of(request), case_id=found.pk, reason=form.cleaned_data["reason"])
    return done(request, found, "The case is open again.")


@changing
def decide(request: HttpRequest, found: Case) -> HttpResponse:
    """Decide it. What the form lacks shows beside its fields, with everything typed kept."""
    actor, kind = user_of(request), kinds.get(found.kind)
    form = DecisionForm(
        request.POST,
        decisions=kind.decisions,
        needing_two=approval_policy.needing_two(found, kind.decisions),
        prefix="decide",
    )
    if form.is_valid():
        try:
            made = services.case_decide(actor=actor, case_id=found.pk, **form.made())
        except Invalid as error:
            form.refused(error.fields)
        else:
            sentence = (
                f"Proposed: {made.label}. A second person approves it."
                if isinstance(made, Proposal)
                else f"Decided: {made.label}. {made.outcome}".strip()
            )
            if request.POST.get("then") == "next":
                messages.success(request, sentence)
                return _taken_next(request)
            return done(request, found, sentence)
    form.offer(_sorted(actor, kind)[0])
    return page_of(request, found, {"decision_form": form}, 422)
