"""Staff pages of webhooks: the list, one webhook, and replays that show first what they would change."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from portal import clock, permissions, revealing
from portal.errors import Conflict
from portal.models import StatusChange
from portal.staff import staff_page, user_of
from providers import inbox, masking, selectors
from providers.forms import EventFilterForm, ReasonForm
from providers.inbox import Plan, Verdict
from providers.models import InboundEvent
from providers.views.paging import CURSORS, cursors, pager

Status = InboundEvent.Status
TONES = {
    "received": "info",
    "processed": "success",
    "ignored": "neutral",
    "quarantined": "warning",
    "failed": "danger",
}
ICONS = {
    "received": "rotate-ccw",
    "processed": "circle-check",
    "ignored": "circle",
    "quarantined": "triangle-alert",
    "failed": "circle-alert",
}
#: How a verdict reads over its lines, and its colour.
VERDICTS = {
    Verdict.APPLY: ("It would change this", "info"),
    Verdict.NO_EFFECT: ("It would change nothing", "neutral"),
    Verdict.QUARANTINE: ("It would be quarantined again", "warning"),
    Verdict.FAIL: ("It would fail again", "danger"),
}
#: What a person looks after; only these are replayed many at a time.
FOR_A_PERSON = (Status.FAILED, Status.QUARANTINED)
MOST_AT_ONCE = 25


@dataclass(frozen=True)
class Step:
    """One line of a webhook's history, as the timeline draws it."""

    at: datetime
    icon: str
    title: str
    actor: str = ""
    body: str = ""
    tone: str = "neutral"
    details: dict[str, Any] | None = None


# --- List ---------------------------------------------------------------------------------------------------


@require_GET
@staff_page
def events(request: HttpRequest) -> HttpResponse:
    """Every webhook, newest first, with what came of it."""
    form = EventFilterForm(request.GET)
    chosen = form.chosen()
    page = selectors.events_page(user_of(request), chosen, **cursors(request))
    query = {name: str(value) for name, value in request.GET.items() if name not in CURSORS and value}
    many = permissions.can_do(user_of(request), "webhook.replay") and chosen.status in FOR_A_PERSON
    return render(
        request,
        "providers/events.html",
        {
            "rows": [{"event": row, "tone": TONES[row.status]} for row in page.rows],
            "form": form,
            "filtered": bool(query),
            "chips": _chips(form, query),
            "replay_url": f"{reverse('inbox:replay_many')}?{urlencode(query)}" if many and page.rows else "",
            "nav_section": "webhooks",
        }
        | pager(request, page),
    )


def _chips(form: EventFilterForm, query: dict[str, str]) -> list[dict[str, str]]:
    """The filters in force, each with the address of the list without it."""
    return [
        {
            "label": f"{form.fields[name].label}: {value.replace('_', ' ') if name == 'status' else value}",
            "url": f"?{urlencode({other: kept for other, kept in query.items() if other != name})}",
        }
        for name, value in query.items()
        if name in form.fields and name not in form.errors
    ]


# --- One webhook --------------------------------------------------------------------------------------------


@require_GET
@staff_page
def event(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """One webhook: what it said (masked), what came of it, and everything that was done about it."""
    found = selectors.event(user_of(request), event_id)
    return _event_page(request, found, ReasonForm())


@require_POST
@staff_page
def reveal(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Show the body as it came, for some minutes and a stated reason; nothing of it stays in an address."""
    actor = user_of(request)
    found = selectors.event(actor, event_id)
    permissions.require(actor, "pii.reveal")
    form = ReasonForm(request.POST)
    if not form.is_valid():
        return _event_page(request, found, form, status=422)
    reason = form.cleaned_data["reason"]
    revealing.reveal_grant(actor=actor, name=selectors.BODY, row_id=found.pk, reason=reason)
    return redirect("inbox:detail", found.pk)


def _event_page(
    request: HttpRequest, found: InboundEvent, form: ReasonForm, *, status: int = 200
) -> HttpResponse:
    actor, text = user_of(request), found.body.reveal()
    grant = revealing.live(actor).get((selectors.BODY, found.pk))
    may_reveal = permissions.can_do(actor, "pii.reveal")
    revealed = grant if may_reveal else None
    request.shows_revealed = revealed is not None  # type: ignore[attr-defined]
    return render(
        request,
        "providers/event.html",
        {
            "event": found,
            "tone": TONES[found.status],
            "words": _in_words(found),
            "body": masking.readable(text) if revealed else masking.masked(text),
            "raw": text if revealed else "",
            "size": len(text),
            "revealed": revealed,
            "seconds": int((revealed.until - clock.now()).total_seconds()) if revealed else 0,
            "subject_url": inbox.subject_page(found),
            "history": _history(found),
            "may_reveal": may_reveal,
            "may_apply": permissions.can_do(actor, "webhook.apply") and inbox.held_plan(found) is not None,
            "may_replay": permissions.can_do(actor, "webhook.replay") and found.status != Status.RECEIVED,
            "form": form,
            "nav_section": "webhooks",
        },
        status=status,
    )


def _in_words(found: InboundEvent) -> str:
    """What became of it, in a sentence."""
    match found.status:
        case Status.PROCESSED:
            return found.outcome
        case Status.IGNORED:
            return f"Read, and nothing had to change. {found.outcome}"
        case Status.QUARANTINED:
            return f"Kept aside for a person; nothing was changed. {found.outcome}"
        case Status.FAILED:
            return f"Given up after {found.attempts} attempts; nothing was changed. {found.outcome}"
    if found.attempts:
        return f"{found.outcome} It is tried again by itself."
    return "Stored, and waiting to be processed."


def _history(found: InboundEvent) -> list[Step]:
    changes = StatusChange.objects.filter(subject_type=found._meta.label_lower, subject_id=found.pk)
    labels = dict(Status.choices)
    steps = [Step(found.received_at, "inbox", "Received", actor=found.provider.title(), tone="info")]
    if found.deliveries > 1:
        steps.append(
            Step(
                found.last_received_at,
                "copy",
                "Last repeat",
                actor=found.provider.title(),
                body=f"Delivered {found.deliveries} times in all; repeats are counted, not processed.",
            )
        )
    for change in changes.select_related("actor").order_by("at"):
        again = change.new == Status.RECEIVED
        steps.append(
            Step(
                change.at,
                ICONS[change.new],
                "Put back to be processed again" if again else labels[change.new],
                actor=change.actor.label if change.actor else "Portal",
                body=change.reason,
                tone=TONES[change.new],
            )
        )
    return steps


# --- Replay -------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@staff_page
def replay(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """First what processing again would change, then, by the button under it, the replay itself."""
    actor = user_of(request)
    found = selectors.event(actor, event_id)
    permissions.require(actor, "webhook.replay")
    if found.status == Status.RECEIVED:
        messages.info(request, "This webhook is still waiting to be processed.")
        return redirect("inbox:detail", found.pk)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            inbox.replay(
                actor=actor,
                event_id=found.pk,
                reason=form.cleaned_data["reason"],
                seen=request.POST.get("seen", ""),
            )
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("inbox:replay", found.pk)
        inbox.process(found.pk)
        messages.success(request, "Processed again. What came of it stands below.")
        return redirect("inbox:detail", found.pk)
    return render(
        request,
        "providers/event_replay.html",
        {"event": found, "form": form, "nav_section": "webhooks"} | _shown(inbox.preview(found)),
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "POST"])
@staff_page
def apply_held(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """First what a held webhook would change, then, by the button under it, the change itself."""
    actor = user_of(request)
    found = selectors.event(actor, event_id)
    permissions.require(actor, "webhook.apply")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            inbox.apply_held(
                actor=actor,
                event_id=found.pk,
                reason=form.cleaned_data["reason"],
                seen=request.POST.get("seen", ""),
            )
        except Conflict as error:
            messages.error(request, error.message)
            return redirect("inbox:detail", found.pk)
        messages.success(request, "Applied. What it changed stands below.")
        return redirect("inbox:detail", found.pk)
    plan = inbox.held_plan(found)
    if plan is None:
        messages.info(request, "This webhook holds nothing that waits to be applied.")
        return redirect("inbox:detail", found.pk)
    return render(
        request,
        "providers/event_apply.html",
        {
            "event": found,
            "form": form,
            "nav_section": "webhooks",
            "plan": plan,
            "subject_url": inbox.subject_page(found),
        },
        status=422 if form.errors else 200,
    )


def _shown(plan: Plan) -> dict[str, Any]:
    title, tone = VERDICTS[plan.verdict]
    return {"plan": plan, "plan_title": title, "plan_tone": tone}


@require_http_methods(["GET", "POST"])
@staff_page
def replay_many(request: HttpRequest) -> HttpResponse:
    """The failed or quarantined webhooks that match the filters, each with what a replay would change."""
    actor = user_of(request)
    permissions.require(actor, "webhook.replay")
    chosen = EventFilterForm(request.GET).chosen()
    form = ReasonForm(request.POST or None)
    context: dict[str, Any] = {"form": form, "nav_section": "webhooks", "query": request.GET.urlencode()}
    picked = _picked(request.POST.getlist("event"))
    if request.method == "POST" and form.is_valid() and picked:
        done = inbox.replay_many(actor=actor, chosen=picked, reason=form.cleaned_data["reason"])
        context["results"] = [{"result": row, "tone": TONES[row.event.status]} for row in done]
        return render(request, "providers/events_replayed.html", context)
    if request.method == "POST" and form.is_valid():
        form.add_error(None, "Choose at least one webhook.")
    rows = selectors.events(actor, chosen).defer(None).order_by("-pk")
    rows = rows.filter(status=chosen.status if chosen.status in FOR_A_PERSON else Status.FAILED)
    found = list(rows[: MOST_AT_ONCE + 1])
    context["rows"] = [{"event": row, **_shown(inbox.preview(row))} for row in found[:MOST_AT_ONCE]]
    context["more"] = len(found) > MOST_AT_ONCE
    return render(request, "providers/events_replay.html", context, status=422 if form.errors else 200)


def _picked(values: list[str]) -> list[tuple[UUID, str]]:
    """Event ids with the fingerprints of the plans shown, from `id:fingerprint`; the rest is left out."""
    picked = []
    for value in values[:MOST_AT_ONCE]:
        event_id, _, seen = value.partition(":")
        try:
            picked.append((UUID(event_id), seen))
        except ValueError:
            continue
    return picked
