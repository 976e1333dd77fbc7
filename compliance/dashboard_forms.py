"""The filters of the dashboard, read from the address; what does not hold is left out."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from django import forms

from compliance.behind import MARKS, NONE, Behind
from compliance.measures import BACKLOG
from compliance.models import Queue
from compliance.sums import DAY, Period
from portal import clock

LAST = {"7": "Last 7 days", "30": "Last 30 days", "90": "Last 90 days"}
THIS_QUARTER, LAST_QUARTER, CUSTOM = "quarter", "last_quarter", "custom"
USUAL = "30"
#: Nobody looks at more at once, so that no address asks for everything.
LONGEST_DAYS = 366


class DashboardForm(forms.Form):
    """Which days, of which queue."""

    period = forms.ChoiceField(
        label="Days",
        required=False,
        choices=[
            *LAST.items(),
            (THIS_QUARTER, "This quarter"),
            (LAST_QUARTER, "Last quarter"),
            (CUSTOM, "From … to …"),
        ],
    )
    first = forms.DateField(
        label="From",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "data-shown-when": "period=custom"}),
    )
    last = forms.DateField(
        label="To",
        required=False,
        widget=forms.DateInput(attrs={"type": "date", "data-shown-when": "period=custom"}),
    )
    queue = forms.ChoiceField(label="Queue", required=False)

    def __init__(self, data: Any, *, queues: Iterable[Queue]) -> None:
        super().__init__({"period": USUAL, **data.dict()})
        self.queues = {str(queue.pk): queue for queue in queues}
        bound = self.fields["queue"]
        assert isinstance(bound, forms.ChoiceField)
        bound.choices = [("", "All queues"), *((key, queue.name) for key, queue in self.queues.items())]
        for each in self.fields.values():
            each.must_answer = True  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Days that come after one another, not too many, none to come."""
        data = super().clean() or {}
        if data.get("period") == CUSTOM:
            first, last = data.get("first"), data.get("last")
            for name in ("first", "last"):
                if not data.get(name) and name not in self.errors:
                    self.add_error(name, "Choose a day.")
            if first and last and first > last:
                self.add_error("last", "Choose a day that is not before the first.")
            elif first and last and (last - first).days >= LONGEST_DAYS:
                self.add_error("last", f"Choose at most {LONGEST_DAYS} days.")
            elif last and last > clock.today():
                self.add_error("last", "Choose today or an earlier day.")
        return data

    def chosen(self) -> tuple[Period, Queue | None]:
        """The days and the queue; the last 30 days where the address says nothing that holds."""
        whole = self.is_valid()
        data = self.cleaned_data
        queue = self.queues.get(data.get("queue") or "")
        which = data.get("period") or USUAL
        if which == CUSTOM and whole:
            first, last = data["first"], data["last"]
            return Period.of(first, last, f"{_said(first)} to {_said(last)}"), queue
        if which in {THIS_QUARTER, LAST_QUARTER}:
            return _quarter(which), queue
        which = which if which in LAST else USUAL
        today = clock.today()
        return Period.of(today - timedelta(days=int(which) - 1), today, LAST[which]), queue


def _quarter(which: str) -> Period:
    today = clock.today()
    begin = _begin_of_quarter(today)
    before = _begin_of_quarter(begin - DAY)
    if which == THIS_QUARTER:
        # As many days of the quarter before, from its beginning.
        same = min(before + (today - begin), begin - DAY)
        return Period(begin, today, (before, same), "This quarter")
    return Period(before, begin - DAY, (_begin_of_quarter(before - DAY), before - DAY), "Last quarter")


def _begin_of_quarter(day: date) -> date:
    return date(day.year, day.month - (day.month - 1) % 3, 1)


def _said(day: date) -> str:
    return f"{day:%b} {day.day}, {day.year}"


class BehindForm(forms.Form):
    """Which number, as the dashboard's links say it."""

    measure = forms.ChoiceField(choices=[(name, name) for name in sorted({*MARKS, BACKLOG})])
    first = forms.DateField(required=False)
    last = forms.DateField(required=False)
    queue = forms.CharField(required=False, max_length=36)
    person = forms.UUIDField(required=False)
    met = forms.ChoiceField(required=False, choices=[("yes", "yes"), ("no", "no")])
    verdict = forms.ChoiceField(
        required=False, choices=[(name, name) for name in ("approved", "refused", "other")]
    )
    kind = forms.CharField(required=False, max_length=64)
    code = forms.CharField(required=False, max_length=64)
    reason = forms.CharField(required=False, max_length=64)
    older = forms.IntegerField(required=False, min_value=0, max_value=36500)
    younger = forms.IntegerField(required=False, min_value=0, max_value=36500)

    def clean_queue(self) -> str:
        """A queue's id, "none", or nothing."""
        given: str = self.cleaned_data["queue"]
        return given if not given or given == NONE else str(forms.UUIDField().clean(given))

    def chosen(self) -> Behind | None:
        """What it asks for; None for an address that no link of ours has."""
        if not self.is_valid():
            return None
        return Behind(**{name: value for name, value in self.cleaned_data.items() if value not in (None, "")})
