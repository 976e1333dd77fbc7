"""The filters of the audit trail's search."""

from datetime import date, datetime, time, timedelta
from typing import Any

from django import forms
from django.utils import timezone

from portal import audit_search
from portal.audit_search import PORTAL, AuditFilter
from portal.ui.plain import name_words


class AuditFilterForm(forms.Form):
    """Read from the address; what does not hold is left out."""

    action = forms.ChoiceField(label="Action", required=False)
    who = forms.ChoiceField(label="Who", required=False)
    subject = forms.CharField(
        label="About",
        required=False,
        max_length=64,
        help_text="Reference or id",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    source = forms.ChoiceField(label="By way of", required=False)
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    request = forms.CharField(
        label="Request id",
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    address = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choose("action", [(value, value) for value in audit_search.values("action")])
        self._choose("source", [(value, name_words(value)) for value in audit_search.values("source")])
        staff = [(str(user.pk), user.label) for user in audit_search.people()]
        asked = str(self.data.get("who", ""))
        if asked not in dict(staff) and audit_search.as_id(asked):
            # Somebody's id from an entry or from the search box: a customer, whose name is not for this list.
            staff.append((asked, f"Customer or other, id …{asked[-8:]}"))
        self._choose("who", [(PORTAL, "The portal itself"), *staff])
        for bound in self.fields.values():
            # Every filter may be left out; saying so under each label helps nobody.
            bound.must_answer = True  # type: ignore[attr-defined]

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [("", "Any"), *choices]

    def chosen(self) -> AuditFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        return AuditFilter(
            action=data.get("action") or "",
            who=data.get("who") or "",
            subject=(data.get("subject") or "").strip(),
            since=_midnight(data.get("since")),
            until=_midnight(data.get("until"), days_later=1),
            source=data.get("source") or "",
            address_of=str(data.get("address") or ""),
            request_id=data.get("request") or "",
        )


class AuditSearchForm(forms.Form):
    """What may not stand in an address is sent in a form's body."""

    text = forms.CharField(
        label="Search",
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="An e-mail address, a network address, a reference, an id or a request id, whole",
        error_messages={"required": "Say what to look for."},
    )


def _midnight(day: date | None, *, days_later: int = 0) -> datetime | None:
    if day is None or day >= date.max:
        return None
    return timezone.make_aware(datetime.combine(day + timedelta(days=days_later), time.min))
