"""The forms of the staff pages of agreements."""

import re
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django_countries import countries

from onboarding.agreements.documents import Document, document_read
from onboarding.agreements.versions import Content
from onboarding.models.agreements import LARGEST_DOCUMENT, Agreement, usual_reminders
from onboarding.requirements.roles import roles_of
from onboarding.words import AccountType, EntityType, OwnerRole
from portal.errors import Invalid

#: Some hundred pages; a request's text is limited to 1 MB as a whole.
LONGEST_TEXT = 250_000
MOST_LETTERS = 10
LAST_DAY = 365
FORMATS = (
    (Agreement.Format.MARKDOWN, "Text, written here"),
    (Agreement.Format.PDF, "PDF, uploaded"),
)


def _roles_in_use() -> list[tuple[str, str]]:
    used = {
        rule.role
        for account_type in AccountType.values
        for kind in ("", EntityType.TRUST)
        for rule in roles_of(account_type, kind)
    }
    return [(value, label) for value, label in OwnerRole.choices if value in used]


class DraftForm(forms.Form):
    """A draft: what it says, whom it binds, when letters go."""

    title = forms.CharField(label="Title", max_length=200, help_text="What customers read above the text.")
    format = forms.ChoiceField(label="How it is written", choices=FORMATS, widget=forms.RadioSelect)
    text = forms.CharField(
        label="Text",
        required=False,
        max_length=LONGEST_TEXT,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 20, "data-shown-when": "format=markdown"}),
        help_text=(
            "Markdown: # for headings, - or 1. for lists, **bold**, [words](https://address). "
            "HTML is shown as it is typed."
        ),
    )
    document = forms.FileField(
        label="PDF",
        required=False,
        widget=forms.FileInput(attrs={"accept": "application/pdf", "data-shown-when": "format=pdf"}),
        help_text=f"At most {LARGEST_DOCUMENT // 1024 // 1024} MB, without password, scripts or attachments.",
    )
    account_types = forms.MultipleChoiceField(
        label="Types of account",
        required=False,
        choices=AccountType.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    roles = forms.MultipleChoiceField(
        label="Roles", required=False, choices=_roles_in_use, widget=forms.CheckboxSelectMultiple
    )
    countries = forms.CharField(
        label="Countries of residence",
        required=False,
        max_length=1000,
        help_text="Two-letter codes with commas, for example US, CA. Empty means all.",
    )
    remind_after_days = forms.CharField(
        label="Days of the letters",
        required=False,
        max_length=60,
        initial=", ".join(map(str, usual_reminders())),
        help_text="Days after publishing, 0 is the day itself: 0, 7, 21. Empty: no letters.",
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    fieldsets = [
        ("What it says", "", ["name", "version", "title", "format", "text", "document"]),
        ("Whom it binds", "Where nothing is chosen, everybody.", ["account_types", "roles", "countries"]),
        ("Letters", "To those who have not accepted yet.", ["remind_after_days"]),
    ]
    document_kept: Document | None = None

    def __init__(self, *args: Any, has_document: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.has_document = has_document
        for name in ("text", "document"):
            # One of the two must be given: neither is marked as optional.
            self.fields[name].must_answer = True  # type: ignore[attr-defined]
        if has_document:
            self.fields["document"].help_text += " Leave empty to keep the one there is."

    def clean_countries(self) -> list[str]:
        """The codes, each once. Raises ValidationError for one that is no country's."""
        codes = [part.upper() for part in re.split(r"[\s,;]+", self.cleaned_data["countries"]) if part]
        unknown = [code for code in codes if code not in dict(countries)]
        if unknown:
            raise ValidationError(
                f"There is no country with the code {unknown[0][:20]}. Use two letters, like US."
            )
        return sorted(set(codes))

    def clean_remind_after_days(self) -> list[int]:
        """The days, each once. Raises ValidationError for what is no day of the plan."""
        parts = [part for part in re.split(r"[\s,;]+", self.cleaned_data["remind_after_days"]) if part]
        if not all(re.fullmatch(r"[0-9]{1,3}", part) and int(part) <= LAST_DAY for part in parts):
            raise ValidationError(f"Write days as whole numbers up to {LAST_DAY}, for example 0, 7, 21.")
        if len(set(parts)) > MOST_LETTERS:
            raise ValidationError(f"At most {MOST_LETTERS} letters.")
        return sorted({int(part) for part in parts})

    def clean(self) -> dict[str, Any]:
        """One of text and PDF, as chosen."""
        cleaned = super().clean() or {}
        if cleaned.get("format") == Agreement.Format.PDF:
            self._clean_document(cleaned)
        elif "text" in cleaned and not cleaned["text"].strip():
            self.add_error("text", "Write the text.")
        return cleaned

    def _clean_document(self, cleaned: dict[str, Any]) -> None:
        upload = cleaned.get("document")
        if upload is None:
            if not self.has_document and "document" not in self.errors:
                self.add_error("document", "Choose the PDF.")
            return
        try:
            # One byte more than allowed is enough to know that it is too large.
            self.document_kept = document_read(upload.read(LARGEST_DOCUMENT + 1))
        except Invalid as error:
            self.add_error("document", error.fields["document"])

    @property
    def content(self) -> Content:
        """What the services take."""
        given = self.cleaned_data
        return Content(
            title=given["title"],
            text=given["text"],
            is_pdf=given["format"] == Agreement.Format.PDF,
            document=self.document_kept,
            account_types=given["account_types"],
            roles=given["roles"],
            countries=given["countries"],
            remind_after_days=given["remind_after_days"],
        )


class NewDraftForm(DraftForm):
    """A draft that does not exist yet: also which agreement it is a version of."""

    name = forms.SlugField(
        label="Name",
        max_length=100,
        help_text="The provider's name of the agreement, the same for all its versions: crypto-user-agreement.",
    )
    version = forms.RegexField(
        r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
        label="Version",
        max_length=32,
        help_text="For example 2026-11.",
        error_messages={"invalid": "Use letters, digits, dots and dashes, for example 2026-11."},
    )


def initial_of(agreement: Agreement) -> dict[str, Any]:
    """A version as the form shows it."""
    return {
        "name": agreement.name,
        "title": agreement.title,
        "format": agreement.format,
        "text": agreement.text,
        "account_types": agreement.account_types,
        "roles": agreement.roles,
        "countries": ", ".join(agreement.countries),
        "remind_after_days": ", ".join(map(str, agreement.remind_after_days)),
        "revision": agreement.revision,
    }
