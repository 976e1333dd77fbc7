"""Staff pages of the queues, their rules and calendars. Whoever sees every queue reads them, managers change them."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from compliance import queue_words, routing, services
from compliance.models import Queue, Rule, RuleBook, WorkCalendar
from compliance.queue_forms import CalendarForm, QueueForm, RuleForm
from compliance.services.queues import rules_with
from portal.errors import Conflict, Invalid, NotFound
from portal.forms_ui import add_errors
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of

Form = RuleForm | QueueForm | CalendarForm


@require_GET
@staff_page
def home(request: HttpRequest) -> HttpResponse:
    """Queues, rules in their order, calendars, and who changed what."""
    actor = user_of(request)
    require(actor, "queue.view")
    Queue.default()
    queues = Queue.objects.select_related("calendar").order_by("-is_default", "name")
    return render(
        request,
        "compliance/queues.html",
        {
            "queues": [{"row": row, **queue_words.queue(row)} for row in queues],
            "rules": [
                {"row": row, "when": queue_words.when(row), "then": queue_words.then(row)}
                for row in Rule.objects.select_related("queue")
            ],
            "calendars": [
                {"row": row, "days": ", ".join(queue_words.DAYS[day] for day in row.weekdays)}
                for row in WorkCalendar.objects.order_by("name")
            ],
            "changes": queue_words.changes(RuleBook.current()),
            "may_manage": can_do(actor, "queue.manage"),
            "nav_section": "cases",
        },
    )


@require_http_methods(["GET", "POST"])
@staff_page
def rule(request: HttpRequest, rule_id: UUID | None = None) -> HttpResponse:
    """Add or change a rule; "Try it" says what would move and changes nothing."""
    require(user_of(request), "queue.manage")
    row = _row(Rule, rule_id) if rule_id else None
    places = Rule.objects.count() + (0 if row else 1)
    initial = RuleForm.initial_of(row) if row else {"position": places}
    form = RuleForm(request.POST or None, places=places, initial={**initial, "version": _version()})
    context: dict[str, Any] = {"form": form, "row": row}
    if request.method == "POST" and form.is_valid():
        wish = form.wish()
        if request.POST.get("do") != "save":
            rules, _ = rules_with(wish, rule_id)
            return _shown(request, "compliance/rule.html", context | {"moves": _moves(rules)})

        def save() -> None:
            services.rule_save(
                actor=user_of(request), rule_id=rule_id, wish=wish, version=form.cleaned_data["version"]
            )

        if _saved(request, form, save):
            messages.success(request, "The rule is saved. Open cases move within a minute.")
            return redirect("cases:queues")
    return _shown(request, "compliance/rule.html", context, form)


@require_http_methods(["GET", "POST"])
@staff_page
def remove_rule(request: HttpRequest, rule_id: UUID) -> HttpResponse:
    """Ask once more, with what would move; then take the rule away."""
    require(user_of(request), "queue.manage")
    row = _row(Rule, rule_id)
    if request.method == "POST":
        given = request.POST.get("version", "")
        version = int(given) if given.isascii() and given.isdigit() else 0
        try:
            services.rule_remove(actor=user_of(request), rule_id=rule_id, version=version)
        except Conflict as error:
            messages.error(request, error.message)
        else:
            messages.success(request, "The rule is gone. Open cases move within a minute.")
        return redirect("cases:queues")
    rules = list(Rule.objects.select_related("queue").exclude(pk=rule_id))
    context = {
        "row": row,
        "when": queue_words.when(row),
        "version": _version(),
        "moves": _moves(rules),
    }
    return _shown(request, "compliance/rule_remove.html", context)


@require_http_methods(["GET", "POST"])
@staff_page
def queue(request: HttpRequest, queue_id: UUID | None = None) -> HttpResponse:
    """Make or change a queue."""
    require(user_of(request), "queue.manage")
    row = _row(Queue, queue_id) if queue_id else None
    initial = QueueForm.initial_of(row) if row else QueueForm.initial_of(Queue())
    form = QueueForm(request.POST or None, initial={**initial, "version": _version()})
    if request.method == "POST" and form.is_valid():

        def save() -> None:
            services.queue_save(actor=user_of(request), queue_id=queue_id, **form.cleaned_data)

        if _saved(request, form, save):
            messages.success(request, "The queue is saved.")
            return redirect("cases:queues")
    return _shown(request, "compliance/queue.html", {"form": form, "row": row, "what": "queue"}, form)


@require_http_methods(["GET", "POST"])
@staff_page
def calendar(request: HttpRequest, calendar_id: UUID | None = None) -> HttpResponse:
    """Make or change a calendar."""
    require(user_of(request), "queue.manage")
    row = _row(WorkCalendar, calendar_id) if calendar_id else None
    usual = {"time_zone": "America/New_York", "weekdays": [0, 1, 2, 3, 4], "keeps_federal_holidays": True}
    initial = CalendarForm.initial_of(row) if row else usual
    form = CalendarForm(request.POST or None, initial={**initial, "version": _version()})
    if request.method == "POST" and form.is_valid():

        def save() -> None:
            services.calendar_save(actor=user_of(request), calendar_id=calendar_id, **form.cleaned_data)

        if _saved(request, form, save):
            messages.success(request, "The calendar is saved. Due dates follow within a minute.")
            return redirect("cases:queues")
    return _shown(request, "compliance/queue.html", {"form": form, "row": row, "what": "calendar"}, form)


def _saved(request: HttpRequest, form: Form, save: Callable[[], None]) -> bool:
    """Whether it was saved; what was refused is said beside the fields, or above them."""
    try:
        save()
    except Invalid as error:
        add_errors(form, error.fields)
    except Conflict as error:
        form.add_error(None, error.message)
    else:
        return True
    return False


def _moves(rules: list[Rule]) -> dict[str, Any]:
    found = routing.moves(rules)
    cases = sum(move.cases for move in found)
    return {
        "rows": found,
        "cases": cases,
        "title": f"{cases} open case{'' if cases == 1 else 's'} would move",
    }


def _version() -> int:
    return RuleBook.current().version


def _row(model: Any, key: UUID) -> Any:
    found = model.objects.filter(pk=key).first()
    if found is None:
        raise NotFound("It is no longer there.")
    return found


def _shown(
    request: HttpRequest, template: str, context: dict[str, Any], form: Form | None = None
) -> HttpResponse:
    status = 422 if form is not None and form.errors else 200
    return render(request, template, {**context, "nav_section": "cases"}, status=status)
