"""Forms of the staff pages of webhooks and outbound calls."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from providers.models import InboundEvent
from providers.selectors import EventFilter
from providers.verify import VERIFIERS


class ReasonForm(forms.Form):
    """Why something is replayed, sent again or revealed: kept in the audit trail."""

    reason = forms.CharField(
        label="Reason",
        min_length=5,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept in the audit trail. No personal data.",
        error_messages={"required": "Say why, in a few words.", "min_length": "Say why, in a few words."},
    )


class OutageNoteForm(forms.Form):
    """What staff should know of an outage."""

    note = forms.CharField(
        label="Note",
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="What the provider said, a ticket number, whom to ask. No personal data.",
        error_messages={"required": "Write what others should know."},
    )


class EventFilterForm(forms.Form):
    """Filters of the webhook list, read from the address; what does not hold is left out."""

    q = forms.CharField(
        label="Search",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    status = forms.ChoiceField(
        label="Result", required=False, choices=[("", "Any"), *InboundEvent.Status.choices]
    )
    provider = forms.ChoiceField(
        label="Provider", required=False, choices=[("", "Any"), *((name, name.title()) for name in VERIFIERS)]
    )
    kind = forms.CharField(
        label="Kind",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"placeholder": "PARTY_EVENT"}),
    )
    since = forms.DateField(
        label="Received from", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    until = forms.DateField(
        label="Received to", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for bound in self.fields.values():
            # Every filter may be left out; saying so under each label helps nobody.
            bound.must_answer = True  # type: ignore[attr-defined]

    def chosen(self) -> EventFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        return EventFilter(
            text=data.get("q") or "",
            status=data.get("status") or "",
            provider=data.get("provider") or "",
            kind=data.get("kind") or "",
            since=_midnight(data.get("since")),
            until=_midnight(data.get("until"), days_later=1),
        )


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    if day is None or day >= date.max:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days_later), time.min))
