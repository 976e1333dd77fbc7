"""The forms by which staff ask for papers and say what they think of a file."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django import forms

from onboarding.document_requests import AGAIN_WITHIN, OF_ENTITY, OF_PERSON
from onboarding.models import Application, Owner
from onboarding.requirements.roles import has_entity
from onboarding.services.document_requests import (
    DUE_RULE,
    LATEST,
    LONGEST_NOTE,
    LONGEST_REASON,
    LONGEST_TEXT,
    may_be_due,
)
from onboarding.words_documents import DocumentType, RejectReason
from portal import clock

ENTITY = "entity"


def _types(kinds: tuple[DocumentType, ...], shown_when: str) -> forms.MultipleChoiceField:
    attrs = {"data-shown-when": shown_when} if shown_when else {}
    found = forms.MultipleChoiceField(
        label="Which papers would do",
        help_text="Any one of those you tick meets the request.",
        choices=[(kind.value, kind.label) for kind in kinds],
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs=attrs),
    )
    # One of the two groups must be answered, so neither is called optional.
    found.must_answer = True  # type: ignore[attr-defined]
    return found


class RequestForm(forms.Form):
    """What to ask for. Whose it is comes first: it decides which papers there are.

    An answer in words is offered where a case asks: whoever works on it reads it.
    """

    whose = forms.ChoiceField(label="Whose paper")
    reason = forms.CharField(
        label="What we ask, and why",
        help_text="The customer reads this. No numbers, no names of others.",
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 3}),
        error_messages={"required": "Tell the customer what we ask, and why."},
    )
    in_words = forms.BooleanField(
        label="An answer in words",
        help_text="Ask a question below. Beside papers, either of them meets the request.",
        required=False,
    )
    due_on = forms.DateField(
        label="Due on",
        widget=forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"}),
        error_messages={"required": "Choose a day.", "invalid": "Enter a day, such as 2026-12-31."},
    )
    note = forms.CharField(
        label="Note for colleagues",
        help_text="The customer does not see it.",
        required=False,
        max_length=LONGEST_NOTE,
        widget=forms.Textarea(attrs={"rows": 2}),
    )

    field_order = ("whose", "in_words", "types_person", "types_entity", "reason", "due_on", "note")

    def __init__(
        self, data: Any = None, *, application: Application, owners: list[Owner], for_case: bool = False
    ) -> None:
        super().__init__(data)
        if not for_case:
            del self.fields["in_words"]
        choices = [(str(row.pk), row.full_name or row.get_role_display()) for row in owners]
        people = "whose=" + "|".join(key for key, _ in choices)
        if has_entity(application.account_type):
            choices.insert(0, (ENTITY, "The company or trust itself"))
            self.fields["types_entity"] = _types(OF_ENTITY, f"whose={ENTITY}")
            self.fields["types_person"] = _types(OF_PERSON, people)
        else:
            self.fields["types_person"] = _types(OF_PERSON, "")
        self.fields["whose"].choices = choices  # type: ignore[attr-defined]
        today = clock.now().date()
        self.fields["due_on"].initial = today + AGAIN_WITHIN
        self.fields["due_on"].widget.attrs |= {
            "min": (today + timedelta(days=1)).isoformat(),
            "max": (today + LATEST).isoformat(),
        }
        self.order_fields(self.field_order)

    def clean_due_on(self) -> date:
        """The rule of the service, so that everything is said at once."""
        day: date = self.cleaned_data["due_on"]
        if not may_be_due(day):
            raise forms.ValidationError(DUE_RULE)
        return day

    def clean(self) -> dict[str, Any]:
        """At least one paper of the kind that whoever was chosen has, or an answer in words."""
        data = super().clean() or {}
        name = "types_entity" if data.get("whose") == ENTITY else "types_person"
        if data.get("whose") and not data.get("in_words") and not data.get(name) and name not in self.errors:
            other = ", or an answer in words" if "in_words" in self.fields else ""
            self.add_error(name, f"Choose at least one paper{other}.")
        return data

    @property
    def answers(self) -> dict[str, Any]:
        """What the service takes."""
        data = self.cleaned_data
        of_entity = data["whose"] == ENTITY
        return {
            "owner_id": None if of_entity else UUID(data["whose"]),
            "types": data["types_entity" if of_entity else "types_person"],
            "in_words": data.get("in_words", False),
            "reason": data["reason"],
            "note": data["note"],
            "due_on": data["due_on"],
        }

    def refuse(self, fields: dict[str, list[str]]) -> None:
        """Put what the service did not accept at its field."""
        of_entity = self.cleaned_data.get("whose") == ENTITY
        names = {"owner": "whose", "types": "types_entity" if of_entity else "types_person"}
        for name, sentences in fields.items():
            self.add_error(names.get(name, name), sentences)


class WithdrawForm(forms.Form):
    """Why a paper is not wanted any more."""

    reason = forms.CharField(
        label="Why it is not wanted any more",
        max_length=LONGEST_TEXT,
        error_messages={"required": "Say why, in a few words."},
    )


class SeenForm(forms.Form):
    """How many decisions about the file the page showed."""

    seen = forms.IntegerField(min_value=0, widget=forms.HiddenInput)


class RejectForm(SeenForm):
    """What is wrong with a file."""

    reason = forms.ChoiceField(
        label="What is wrong with it",
        choices=RejectReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what is wrong with it."},
    )
    text = forms.CharField(
        label="What the customer reads besides",
        required=False,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": 2}),
    )
