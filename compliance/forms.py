"""Forms of the pages of cases."""

from collections.abc import Iterable
from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.html import format_html

from compliance import kinds
from compliance.models import Case, CaseTick, Queue
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
    age = forms.ChoiceField(label="Age", required=False, choices=AGES)
    sort = forms.ChoiceField(
        label="Order", required=False, choices=[(key, order.label) for key, order in ORDERS.items()]
    )

    def __init__(self, *args: Any, people: Iterable[User], queues: Iterable[Queue], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = [("", "Anyone"), ("me", "Me"), ("nobody", "Nobody")]
        choices: dict[str, list[tuple[str, str]]] = {
            "kind": [("", "Any"), *((kind.name, kind.title) for kind in kinds.all_kinds())],
            "queue": [("", "Any"), *((str(queue.pk), queue.name) for queue in queues)],
            "assignee": [*known, *((str(person.pk), person.label) for person in people)],
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
            older_than_days=int(data.get("age") or 0),
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
    """The kind's checklist, what is done ticked, with who did it."""

    done = forms.MultipleChoiceField(label="", required=False, widget=forms.CheckboxSelectMultiple)

    def __init__(
        self, *args: Any, kind: kinds.CaseKind, ticks: Iterable[CaseTick], enabled: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        by = {tick.item: tick for tick in ticks}
        bound = self.fields["done"]
        bound.initial = list(by)
        assert isinstance(bound, forms.MultipleChoiceField)
        bound.choices = [(item.code, _with_tick(item.text, by.get(item.code))) for item in kind.checklist]
        bound.disabled = not enabled
        bound.must_answer = True  # type: ignore[attr-defined]


def _with_tick(text: str, tick: CaseTick | None) -> str:
    if tick is None:
        return text
    done = f"{tick.by.label}, {since_words(tick.at)}"
    return format_html('{}<span class="choice__hint">{}</span>', text, done)


class WaitForm(forms.Form):
    """On whom the case waits, until which day, and why."""

    on = forms.ChoiceField(
        label="On whom",
        choices=[("customer", "The customer"), ("provider", "The provider")],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose on whom it waits."},
    )
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

    def __init__(self, *args: Any, people: QuerySet[User], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        bound = self.fields["to"]
        assert isinstance(bound, PersonField)
        bound.queryset = people


class DecisionForm(forms.Form):
    """The decisions the person may make, the reasons of each, and words of one's own."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    decision = forms.ChoiceField(
        label="Decision", widget=forms.RadioSelect, error_messages={"required": "Choose a decision."}
    )

    def __init__(self, *args: Any, decisions: Iterable[kinds.Decision], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.decisions = {decision.code: decision for decision in decisions}
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
        bound.choices = [(decision.code, _with_hint(decision)) for decision in decisions]

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


def _with_hint(decision: kinds.Decision) -> str:
    if not decision.hint:
        return decision.label
    return format_html('{}<span class="choice__hint">{}</span>', decision.label, decision.hint)
