"""Staff pages: the outbound calls, operations."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from portal import heartbeat, outbox, permissions
from portal.models import OutboundCall, StatusChange
from portal.staff import staff_page, user_of
from providers import expected, operations_lines, pulse, selectors
from providers.forms import OutageNoteForm, ReasonForm
from providers.views.paging import asked, cursors, pager

# --- Outbound calls -----------------------------------------------------------------------------------------

CALL_TONES = {
    "queued": "info",
    "sending": "info",
    "unknown": "warning",
    "succeeded": "success",
    "rejected": "danger",
    "needs_person": "danger",
}


@require_GET
@staff_page
def calls(request: HttpRequest) -> HttpResponse:
    """Every call to a provider, newest first."""
    page = selectors.calls_page(user_of(request), status=asked(request, "status"), **cursors(request))
    chosen = asked(request, "status")
    tabs = [{"label": "All", "url": "?", "current": not chosen}] + [
        {"label": label, "url": f"?status={value}", "current": chosen == value}
        for value, label in OutboundCall.Status.choices
    ]
    rows = [{"call": row, "tone": CALL_TONES[row.status]} for row in page.rows]
    return render(
        request,
        "providers/calls.html",
        {"rows": rows, "tabs": tabs, "nav_section": "outbox"} | pager(request, page),
    )


@require_http_methods(["GET", "POST"])
@staff_page
def call(request: HttpRequest, call_id: UUID) -> HttpResponse:
    """One call with its attempts; a call that waits for a person can be sent again, under a new key."""
    actor = user_of(request)
    found = selectors.call(actor, call_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        permissions.require(actor, "outbox.retry")
        if form.is_valid():
            outbox.retry_by_person(actor=actor, call_id=found.pk, reason=form.cleaned_data["reason"])
            messages.success(request, "The call is queued again under a new key.")
            return redirect("operations:call", found.pk)
    history = StatusChange.objects.filter(subject_type=found._meta.label_lower, subject_id=found.pk)
    return render(
        request,
        "providers/call.html",
        {
            "call": found,
            "tone": CALL_TONES[found.status],
            "attempts": selectors.attempts_of(found),
            "form": form,
            "history": history.select_related("actor").order_by("-at"),
            "nav_section": "outbox",
            "may_retry": found.status == OutboundCall.Status.NEEDS_PERSON
            and permissions.can_do(actor, "outbox.retry"),
        },
        status=422 if form.errors else 200,
    )


# --- Operations ---------------------------------------------------------------------------------------------


@require_GET
@staff_page
def operations(request: HttpRequest) -> HttpResponse:
    """Whether everything runs, in one look."""
    actor = user_of(request)
    permissions.require(actor, "operations.view")
    waiting, arrived, silent = selectors.calls_waiting(), selectors.events_waiting(), heartbeat.silent()
    return render(
        request,
        "providers/operations.html",
        {
            "outages": expected.outages(),
            "partner": pulse.pulse(),
            "circuits": selectors.circuits(),
            "silent": silent,
            "hung": ", ".join(heartbeat.silent_workers()),
            "silent_words": ", ".join(silent),
            "all_silent": len(silent) == len(heartbeat.QUEUES),
            "calls_open": sum(waiting.values()),
            "needs_person": waiting.get("needs_person", 0),
            "unknown": waiting.get("unknown", 0),
            "oldest": selectors.oldest_unsent(),
            "quarantined": arrived.get("quarantined", 0),
            "failed": arrived.get("failed", 0),
            "received": arrived.get("received", 0),
            "late": selectors.answers_late(),
            "recovered": selectors.answers_recovered(),
            "lines": operations_lines.of(actor),
            "outages_lately": selectors.outages_lately(),
            "may_note": permissions.can_do(actor, "outage.note"),
            "nav_section": "operations",
        },
    )


@require_http_methods(["GET", "POST"])
@staff_page
def outage_note(request: HttpRequest, outage_id: UUID) -> HttpResponse:
    """What staff should know of an outage, to be written or written anew."""
    actor = user_of(request)
    found = selectors.outage(actor, outage_id)
    permissions.require(actor, "outage.note")
    form = OutageNoteForm(request.POST or None, initial={"note": found.note})
    if request.method == "POST" and form.is_valid():
        expected.note_outage(actor=actor, outage_id=found.pk, note=form.cleaned_data["note"])
        messages.success(request, "The note is kept.")
        return redirect("operations:home")
    return render(
        request,
        "providers/outage_note.html",
        {"outage": found, "form": form, "nav_section": "operations"},
        status=422 if form.errors else 200,
    )
