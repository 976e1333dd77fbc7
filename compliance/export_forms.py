"""Forms that ask for case files."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils import timezone

from compliance import kinds
from compliance.models import Case, Queue
from providers.forms import ReasonForm


class CaseFileForm(ReasonForm):
    """Why a case file is taken, and whether the papers come along."""

    with_papers = forms.BooleanField(
        label="With the customers' papers and the attachments",
        required=False,
        initial=True,
        help_text="As they were sent, unmasked. Without them the file still tells their SHA-256.",
    )


class CaseFilesForm(CaseFileForm):
    """The cases opened in some days, of a kind, a queue or a status."""

    opened_from = forms.DateField(label="Opened from", widget=forms.DateInput(attrs={"type": "date"}))
    opened_to = forms.DateField(label="Opened to", widget=forms.DateInput(attrs={"type": "date"}))
    kind = forms.ChoiceField(label="Kind", required=False)
    queue = forms.ModelChoiceField(
        label="Queue", queryset=Queue.objects.none(), required=False, empty_label="Any"
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), ("undone", "Not decided"), *Case.Status.choices],
    )
    field_order = ("opened_from", "opened_to", "kind", "queue", "status", "reason", "with_papers")

    def __init__(self, *args: Any, queues: QuerySet[Queue], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kind, queue = self.fields["kind"], self.fields["queue"]
        assert isinstance(kind, forms.ChoiceField)
        assert isinstance(queue, forms.ModelChoiceField)
        kind.choices = [("", "Any"), *((known.name, known.title) for known in kinds.all_kinds())]
        queue.queryset = queues

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        first, last = data.get("opened_from"), data.get("opened_to")
        if first and last and last < first:
            self.add_error("opened_to", "Choose a day that is not before the first.")
        return data

    def chosen(self) -> dict[str, Any]:
        """The filters as the selector takes them."""
        data = self.cleaned_data
        return {
            "kind": data["kind"],
            "queue": data["queue"],
            "status": data["status"],
            "opened_from": _midnight(data["opened_from"]),
            "opened_until": _midnight(data["opened_to"], days_later=1),
        }


def _midnight(day: date, *, days_later: int = 0) -> datetime:
    latest = min(day, date.max - timedelta(days=days_later + 1))
    return timezone.make_aware(datetime.combine(latest + timedelta(days=days_later), time.min))
