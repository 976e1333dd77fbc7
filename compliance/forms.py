"""Forms of the pages of cases."""

from collections.abc import Collection, Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html

from compliance import kinds
from compliance.desk import Option, Options
from compliance.models import Case, CaseTick
from compliance.ordering import ORDERS, USUAL
from compliance.selectors import CaseFilter
from compliance.services.shared import LONGEST_TEXT
from portal import clock
from portal.models import User
from portal.ui.time import since_words

LONGEST_WAIT_DAYS = 365
UNDONE = "undone"
AGES = [("", "Any"), ("1", "Over a day"), ("3", "Over 3 days"), ("7", "Over a week"), ("30", "Over 30 days")]


class CaseFilterForm(forms.Form):
    """Filters of the queue, read from the address; what does not hold is left out."""

    q = forms.CharField(
        label="Search", required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"})
    )
    kind = forms.ChoiceField(label="Kind", required=False)
    queue = forms.ChoiceField(label="Queue", required=False)
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[
            ("", "Not decided"),
            ("waiting", "Waiting for others"),
            *((value, label) for value, label in Case.Status.choices if value not in Case.WAITING),
            *((value, label) for value, label in Case.Status.choices if value in Case.WAITING),
            ("all", "All"),
        ],
    )
    assignee = forms.ChoiceField(label="Assigned to", required=False)
    mentioned = forms.ChoiceField(label="Notes", required=False, choices=[("", "Any"), ("me", "Mention me")])
    age = forms.ChoiceField(label="Age", required=False, choices=AGES)
    due = forms.ChoiceField(
        label="Due",
        required=False,
        choices=[("", "Any"), ("overdue", "Overdue, longest first"), ("today", "By the end of today")],
    )
    priority = forms.ChoiceField(
        label="Priority",
        required=False,
        choices=[("", "Any"), *((str(value), label) for value, label in Case.Priority.choices)],
    )
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[(key, order.label) for key, order in ORDERS.items()]
    )

    def __init__(self, *args: Any, options: Options, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices: dict[str, list[tuple[str, str]]] = {
            "kind": [("", "Any"), *options.kinds],
            "queue": [("", "Any"), *options.queues],
            "assignee": [("", "Anyone"), ("me", "Me"), ("nobody", "Nobody"), *options.people],
        }
        for name, values in choices.items():
            bound = self.fields[name]
            assert isinstance(bound, forms.ChoiceField)
            bound.choices = values
        for each in self.fields.values():
            # Every filter may be left out; saying so under each label helps nobody.
            each.must_answer = True  # type: ignore[attr-defined]

    def chosen(self) -> CaseFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        status = data.get("status") or UNDONE
        return CaseFilter(
            text=data.get("q") or "",
            kind=data.get("kind") or "",
            queue=data.get("queue") or "",
            status="" if status == "all" else status,
            assignee=data.get("assignee") or "",
            mentioned=data.get("mentioned") == "me",
            older_than_days=int(data.get("age") or 0),
            due=data.get("due") or "",
            priority=int(data.get("priority") or 0),
            sort=data.get("sort") or USUAL,
        )


class NoteForm(forms.Form):
    """An internal note."""

    text = forms.CharField(
        label="New note",
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="For colleagues; customers never see it. Notes cannot be changed. No tax or account numbers.",
        error_messages={"required": "Write the note."},
    )


class ChecklistForm(forms.Form):
    """A checklist's items, each a code and what it says, and which of them are ticked."""

    done = forms.MultipleChoiceField(label="", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self,
        *args: Any,
        items: Iterable[tuple[str, str]],
        ticked: Iterable[str],
        enabled: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        bound = self.fields["done"]
        bound.initial = list(ticked)
        assert isinstance(bound, forms.MultipleChoiceField)
        bound.choices = list(items)
        bound.disabled = not enabled
        bound.must_answer = True  # type: ignore[attr-defined]


def tick_choice(text: str, tick: CaseTick | None) -> str:
    """An item of a checklist, with who ticked it."""
    if tick is None:
        return text
    done = f"{tick.by.label}, {since_words(tick.at)}"
    return format_html('{}<span class="choice__hint">{}</span>', text, done)


class HoldForm(forms.Form):
    """Until which day a case rests, and why."""

    until = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="It comes back on this day, or as soon as something new comes in.",
        error_messages={"required": "Choose the day it comes back."},
    )
    reason = forms.CharField(
        label="What for",
        min_length=5,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept in the audit trail. No personal data.",
        error_messages={"required": "Say what it waits for.", "min_length": "Say what it waits for."},
    )

    def clean_until(self) -> datetime:
        """The beginning of that day."""
        day = self.cleaned_data["until"]
        if not clock.today() < day <= clock.today() + timedelta(days=LONGEST_WAIT_DAYS):
            raise forms.ValidationError("Choose a day from tomorrow, within a year.")
        return timezone.make_aware(datetime.combine(day, time.min))


class WaitForm(HoldForm):
    """On whom the case waits, until which day, and why."""

    on = forms.ChoiceField(
        label="On whom",
        choices=[("customer", "The customer"), ("provider", "The provider")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose on whom it waits."},
    )
    field_order = ("on", "until", "reason")


class PersonField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the people, by name and role."""

    def label_from_instance(self, obj: User) -> str:
        return obj.label


class AssignForm(forms.Form):
    """Whom a manager gives the case to."""

    to = PersonField(
        label="Give it to",
        queryset=User.objects.none(),
        empty_label="Choose",
        error_messages={"required": "Choose someone.", "invalid_choice": "Choose someone of the list."},
    )

    def __init__(
        self, *args: Any, people: QuerySet[User], offered: tuple[Option, ...], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        bound = self.fields["to"]
        assert isinstance(bound, PersonField)
        bound.queryset = people
        bound.choices = [("", "Choose"), *offered]


class DecisionForm(forms.Form):
    """The decisions the person may make, the reasons of each, and words of one's own."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        label="Decision", widget=forms.RadioSelect, error_messages={"required": "Choose a decision."}
    )

    def __init__(
        self,
        *args: Any,
        decisions: Iterable[kinds.Decision],
        needing_two: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.decisions = {decision.code: decision for decision in decisions}
        self.needing_two = needing_two
        self.offer(self.decisions.values())
        for code, decision in self.decisions.items():
            if decision.reasons:
                self.fields[f"reason_{code}"] = self._reason_field(decision)
        needing = [f"“{decision.label}”" for decision in self.decisions.values() if decision.needs_text]
        self.fields["text"] = forms.CharField(
            label="In your own words",
            required=False,
            max_length=LONGEST_TEXT,
            widget=forms.Textarea(attrs={"rows": 4}),
            help_text=f"Needed for {' and '.join(needing)}." if needing else "",
        )

    def offer(self, decisions: Iterable[kinds.Decision]) -> None:
        """Show these decisions to choose from."""
        bound = self.fields["decision"]
        assert isinstance(bound, forms.ChoiceField)
        bound.choices = [
            (decision.code, _with_hint(decision, decision.code in self.needing_two)) for decision in decisions
        ]

    def _reason_field(self, decision: kinds.Decision) -> forms.ChoiceField:
        shown = f"{self.add_prefix('decision')}={decision.code}"
        made = forms.ChoiceField(
            label=f"Reason for “{decision.label}”",
            required=False,
            choices=[("", "Choose"), *decision.reasons.items()],
            widget=forms.Select(attrs={"data-shown-when": shown}),
        )
        made.must_answer = True  # type: ignore[attr-defined]
        return made

    def made(self) -> dict[str, Any]:
        """What `services.case_decide` takes of it."""
        data = self.cleaned_data
        return {
            "decision": data["decision"],
            "version": data["version"],
            "reason_code": data.get(f"reason_{data['decision']}", ""),
            "text": data["text"],
        }

    def refused(self, fields: dict[str, list[str]]) -> None:
        """Put the service's sentences beside the fields they are about."""
        for name, sentences in fields.items():
            own = f"reason_{self.cleaned_data['decision']}" if name == "reason_code" else name
            for sentence in sentences:
                self.add_error(own if own in self.fields else None, sentence)


def _with_hint(decision: kinds.Decision, needs_two: bool) -> str:
    hint = " ".join(filter(None, [decision.hint, "A second person approves it." if needs_two else ""]))
    return (
        format_html('{}<span class="choice__hint">{}</span>', decision.label, hint)
        if hint
        else decision.label
    )
