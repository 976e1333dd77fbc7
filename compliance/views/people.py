"""Who works on cases: what they are given by themselves, how much they have, and who is away."""

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from compliance import kinds, selectors, services
from compliance.models import Worker
from compliance.models.workers import MOST_CAPACITY
from portal.errors import NotFound
from portal.models import User
from portal.permissions import can_do, require
from portal.staff import staff_page, user_of


class WorkerForm(forms.Form):
    """How many cases a person is given, and of which kinds."""

    capacity = forms.IntegerField(
        label="Cases at a time",
        min_value=0,
        max_value=MOST_CAPACITY,
        widget=forms.NumberInput(attrs={"class": "input--short"}),
        help_text="Up to so many are given by themselves. 0: none; the person takes what they want.",
    )
    takes = forms.MultipleChoiceField(
        label="Kinds they handle",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="None ticked: all kinds.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound = self.fields["takes"]
        assert isinstance(bound, forms.MultipleChoiceField)
        bound.choices = [(kind.name, kind.title) for kind in kinds.all_kinds()]
        bound.must_answer = True  # type: ignore[attr-defined]


@require_GET
@staff_page
def people(request: HttpRequest) -> HttpResponse:
    """Everybody who works on cases."""
    actor = user_of(request)
    require(actor, "queue.view")
    titles = {kind.name: kind.title for kind in kinds.all_kinds()}
    rows = [
        {
            "person": person,
            "worker": worker,
            "load": load,
            "kinds": ", ".join(titles.get(name, name) for name in worker.kinds) or "All kinds",
        }
        for person, worker, load in selectors.workers()
    ]
    context = {"rows": rows, "may_manage": can_do(actor, "case.manage"), "nav_section": "cases"}
    return render(request, "compliance/people.html", context)


@require_http_methods(["GET", "POST"])
@staff_page
def person(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Change what one person is given."""
    require(user_of(request), "case.manage")
    found = _person(user_id)
    worker = Worker.objects.filter(pk=user_id).first() or Worker(user=found)
    form = WorkerForm(request.POST or None, initial={"capacity": worker.capacity, "takes": worker.kinds})
    if request.method == "POST" and form.is_valid():
        services.worker_save(actor=user_of(request), person=found, **form.cleaned_data)
        messages.success(request, f"Saved what {found} is given.")
        return redirect("cases:people")
    context = {"form": form, "person": found, "nav_section": "cases"}
    return render(request, "compliance/person.html", context, status=422 if form.errors else 200)


@require_POST
@staff_page
def away(request: HttpRequest) -> HttpResponse:
    """Say that one is away or back; a manager says it of others too."""
    actor = user_of(request)
    given = request.POST.get("person", "")
    try:
        whom = _person(UUID(given)) if given else actor
    except ValueError:
        raise NotFound("There is no such person.") from None
    leaves = request.POST.get("away") == "yes"
    returned = services.away_set(actor=actor, person=whom, is_away=leaves)
    who = "You are" if whom == actor else f"{whom} is"
    words = (
        f"{who} away. {returned} case{'' if returned == 1 else 's'} went back." if leaves else f"{who} back."
    )
    messages.success(request, words)
    return redirect("cases:people" if given else "cases:list")


def _person(user_id: UUID) -> User:
    found = selectors.people_for_cases().filter(pk=user_id).first()
    if found is None:
        raise NotFound("There is no such person.")
    return found
