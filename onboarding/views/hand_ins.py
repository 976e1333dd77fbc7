"""Staff pages of handing in a wave: who would go, the pace, progress, and what came of each customer."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from onboarding.imports import handin, handin_jobs, ready, selectors
from onboarding.models import HandIn, ImportRow
from onboarding.views.agreements_shared import in_file_order
from portal import permissions
from portal.errors import Conflict, NotFound
from portal.staff import staff_page, user_of

Outcome = ImportRow.Outcome
TONES = {
    HandIn.Status.RUNNING: "info",
    HandIn.Status.PAUSED: "warning",
    HandIn.Status.STOPPED: "neutral",
    HandIn.Status.DONE: "success",
}
OUTCOME_TONES = {
    Outcome.WAITS: "neutral",
    Outcome.HANDED_IN: "success",
    Outcome.UPDATED: "success",
    Outcome.NOTHING_NEW: "neutral",
    Outcome.HELD: "warning",
    Outcome.LEFT_OUT: "warning",
    Outcome.FAILED: "danger",
}
ACTS = {"pause": handin.hand_in_pause, "go-on": handin.hand_in_go_on, "stop": handin.hand_in_stop}


class HandInForm(forms.Form):
    """Who goes, and how fast."""

    who = forms.ChoiceField(
        label="Who goes",
        choices=[("complete", "Complete customers only"), ("all", "Everybody who may go")],
        initial="complete",
        widget=forms.RadioSelect,
        help_text="While the grace period runs, customers may go with something missing and add it later.",
        error_messages={"required": "Choose who goes."},
    )
    per_minute = forms.IntegerField(
        label="Customers a minute",
        min_value=1,
        max_value=handin_jobs.FASTEST,
        initial=20,
        widget=forms.NumberInput(attrs={"class": "input--short"}),
        help_text="Be kind to the provider: ask which pace it can take.",
        error_messages={
            "required": "Enter a number.",
            "invalid": "Enter a whole number.",
            "min_value": f"Enter a number between 1 and {handin_jobs.FASTEST}.",
            "max_value": f"Enter a number between 1 and {handin_jobs.FASTEST}.",
        },
    )


@require_http_methods(["GET", "POST"])
@staff_page
def hand_in_new(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """How many would go, and the runs so far; then it begins."""
    actor = user_of(request)
    batch = selectors.batch_for_staff(actor, batch_id)
    complete = ready.count(batch, complete_only=True)
    everybody = ready.count(batch, complete_only=False) if batch.in_grace else complete
    form = HandInForm(request.POST or None)
    if everybody == complete:
        # Without grace, or when nobody lacks anything, there is nothing to choose.
        form.fields["who"].widget = forms.HiddenInput()
    if request.method == "POST":
        permissions.require(actor, handin.MANAGE)
        if form.is_valid():
            try:
                found = handin.hand_in_start(
                    actor=actor,
                    batch_id=batch.pk,
                    complete_only=form.cleaned_data["who"] == "complete",
                    per_minute=form.cleaned_data["per_minute"],
                    source="page",
                )
            except Conflict as error:
                form.add_error(None, error.message)
            else:
                return redirect("staff:hand_in", batch.pk, found.pk)
    runs = selectors.hand_ins_of(batch)
    return _page(
        request,
        "hand_in_new",
        status=422 if form.errors else 200,
        batch=batch,
        form=form,
        complete=complete,
        everybody=everybody,
        reasons=handin.why_not(batch, going=everybody.total),
        runs=[{"run": run, "tone": TONES[HandIn.Status(run.status)]} for run in runs],
    )


@require_GET
@staff_page
def hand_in(request: HttpRequest, batch_id: UUID, hand_in_id: UUID) -> HttpResponse:
    """How far a run is, and what came of each customer."""
    viewer = user_of(request)
    found = selectors.hand_in_for_staff(viewer, batch_id, hand_in_id)
    chosen = request.GET.get("outcome", "")
    page = selectors.hand_in_rows(
        found, outcome=chosen, after=request.GET.get("after", ""), before=request.GET.get("before", "")
    )
    counts = selectors.hand_in_counts(found)
    return _page(
        request,
        "hand_in",
        rows=[{"row": row, "tone": OUTCOME_TONES[Outcome(row.outcome)]} for row in page.rows],
        tabs=_tabs(counts, chosen),
        **in_file_order(page, {"outcome": chosen}),
        **_progress(found, counts),
    )


@require_GET
@staff_page
def progress(request: HttpRequest, batch_id: UUID, hand_in_id: UUID) -> HttpResponse:
    """The part of the page that moves, for htmx; the whole page is loaded again when it stands still."""
    found = selectors.hand_in_for_staff(user_of(request), batch_id, hand_in_id)
    response = _page(request, "_hand_in_progress", **_progress(found, selectors.hand_in_counts(found)))
    if found.status != HandIn.Status.RUNNING:
        response["HX-Refresh"] = "true"
    return response


@require_POST
@staff_page
def act(request: HttpRequest, batch_id: UUID, hand_in_id: UUID, word: str) -> HttpResponse:
    """Pause, go on, or stop."""
    if word not in ACTS:
        raise NotFound("There is nothing of that name to be done.")
    found = selectors.hand_in_for_staff(user_of(request), batch_id, hand_in_id)
    try:
        ACTS[word](actor=user_of(request), hand_in_id=found.pk, source="page")
    except Conflict as error:
        messages.error(request, error.message)
    return redirect("staff:hand_in", batch_id, hand_in_id)


def _progress(found: HandIn, counts: dict[str, int]) -> dict[str, Any]:
    waiting = counts.get(Outcome.WAITS, 0)
    went = sum(counts.get(word, 0) for word in (Outcome.HANDED_IN, Outcome.UPDATED))
    return {
        "hand_in": found,
        "batch": found.batch,
        "tone": TONES[HandIn.Status(found.status)],
        "done": sum(counts.values()) - waiting,
        "went": went,
        "waiting": waiting,
        "to_look_at": sum(counts.get(word, 0) for word in (Outcome.HELD, Outcome.LEFT_OUT, Outcome.FAILED)),
        "minutes_left": -(-waiting // found.per_minute),
        "behind": found.status == HandIn.Status.RUNNING and handin_jobs.provider_is_behind(),
    }


def _tabs(counts: dict[str, int], chosen: str) -> list[dict[str, Any]]:
    everything = {"label": "All", "url": "?", "current": not chosen, "count": sum(counts.values())}
    return [
        everything,
        *(
            {
                "label": Outcome(word).label,
                "url": f"?outcome={word}",
                "current": chosen == word,
                "count": counts[word],
            }
            for word in Outcome.values
            if word in counts
        ),
    ]


def _page(request: HttpRequest, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    everywhere = {
        "nav_section": "imports",
        "may_manage": permissions.can_do(user_of(request), handin.MANAGE),
    }
    return render(request, f"onboarding/imports/{name}.html", everywhere | context, status=status)
