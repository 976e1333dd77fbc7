"""The forms of papers: their files, and what is printed on them. The customer's by paper, the staff's for any."""

from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django_countries import countries

from onboarding.models import Application
from onboarding.papers import Paper
from onboarding.requirements.documents import EXPIRING, TWO_SIDED
from onboarding.requirements.roles import has_entity
from onboarding.services.paper_answers import DESCRIPTION_MAX, PaperAnswers
from onboarding.words_documents import DocumentSide, DocumentType
from portal.forms_ui import MemorableDateField

#: Images first: phones then offer the camera beside the files, and the gallery.
ACCEPT = "image/jpeg,image/png,image/heic,image/heif,.heic,application/pdf"
TWO_SIDED_WHEN = "|".join(sorted(TWO_SIDED))


def _file(label: str, hint: str, **attrs: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        help_text=hint,
        required=False,
        # What is wrong with a file, an empty one too, is said in one place (portal/file_check.py).
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPT} | attrs),
    )


def limits() -> str:
    """What is taken, in words."""
    return f"PDF, JPEG, PNG or HEIC, {settings.DOCUMENT_MAX_BYTES // 1024**2} MB at most."


class PaperForm(forms.Form):
    """One paper that is asked for. Left without a file, it asks for nothing.

    What a person carries with them is photographed; a company's paper is most often a PDF. `data-camera` has the page
    offer the camera as a button of its own (static/js/uploads.js).
    """

    def __init__(self, data: Any = None, files: Any = None, *, paper: Paper, country: str) -> None:
        super().__init__(data, files, prefix=paper.name.replace(":", "_"))
        self.paper = paper
        types = [DocumentType(kind) for kind in paper.rule.types]
        camera = {"data-camera": "environment"} if paper.owner is not None else {}
        if len(types) > 1:
            self.fields["type"] = forms.ChoiceField(
                label="Which paper", choices=[(kind.value, kind.label) for kind in types]
            )
        if paper.owner is not None or EXPIRING.intersection(types):
            every = EXPIRING.issuperset(types)
            self.fields["expires_on"] = MemorableDateField(
                label="Valid until",
                required=False,
                help_text="Printed on it."
                + ("" if every else " Identity cards of some countries have none."),
            )
        two_sided = TWO_SIDED.intersection(types)
        self.fields["front"] = _file(
            "Front" if two_sided else "File", limits(), **{"data-side": DocumentSide.FRONT}, **camera
        )
        if two_sided:
            when = {"data-shown-when": f"{self.prefix}-type={TWO_SIDED_WHEN}"} if len(types) > 1 else {}
            self.fields["back"] = _file(
                "Back", f"Of a card. {limits()}", **{"data-side": DocumentSide.BACK}, **camera, **when
            )
        self.fields["country"] = forms.ChoiceField(
            label="Country that issued it", choices=list(countries), initial=country
        )
        for field in self.fields.values():
            # Nothing is asked for without a file, and nothing is optional with one.
            field.must_answer = True  # type: ignore[attr-defined]

    @property
    def is_filled(self) -> bool:
        """Whether a file was chosen."""
        return bool(self.files.get(self.add_prefix("front")) or self.files.get(self.add_prefix("back")))

    @property
    def only_type(self) -> str:
        """The type where there is no choice; empty where there is."""
        return "" if "type" in self.fields else str(self.paper.rule.types[0])

    @property
    def owner_id(self) -> UUID | None:
        """Whose paper it is."""
        return self.paper.owner.pk if self.paper.owner else None

    def uploads(self) -> list[tuple[DocumentSide, str, Any]]:
        """The chosen files: (side, name of the field, file)."""
        found = [(DocumentSide.FRONT, "front"), (DocumentSide.BACK, "back")]
        if (self.only_type or self.cleaned_data["type"]) not in TWO_SIDED:
            found = found[:1]
        return [(side, name, self.cleaned_data[name]) for side, name in found if self.cleaned_data.get(name)]

    def answers(self, side: DocumentSide) -> dict[str, Any]:
        """What is said of one of the files."""
        return {
            "type": self.only_type or self.cleaned_data["type"],
            "side": side,
            "owner_id": self.owner_id,
            "country": self.cleaned_data["country"],
            "expires_on": self.cleaned_data.get("expires_on"),
        }


class StaffPaperForm(forms.Form):
    """Any paper of anybody in an application. What fits together is said by onboarding/services/paper_answers.py."""

    type = forms.ChoiceField(label="Type of paper", choices=DocumentType.choices)
    owner = forms.ChoiceField(label="Whose paper", required=False)
    side = forms.ChoiceField(
        label="Side",
        choices=DocumentSide.choices,
        help_text="Of licences and cards; all other papers have a front.",
    )
    country = forms.ChoiceField(label="Country that issued it", choices=list(countries), initial="US")
    expires_on = MemorableDateField(label="Valid until", required=False)
    description = forms.CharField(
        label="Description",
        required=False,
        max_length=DESCRIPTION_MAX,
        help_text=f"The provider reads it. At most {DESCRIPTION_MAX} characters.",
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    by_hand = forms.BooleanField(
        label="KYC was approved by hand on the strength of this paper",
        required=False,
        help_text="The description will begin with this sentence, as the provider asks.",
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, application: Application, may_approve: bool
    ) -> None:
        super().__init__(data, files)
        people = [
            (str(owner.pk), f"{owner.full_name or 'Name not given yet'} ({owner.get_role_display()})")
            for owner in application.owners.order_by("-is_applicant", "pk")
        ]
        entity = [("", "The company or trust itself")] if has_entity(application.account_type) else []
        self.fields["owner"].choices = entity + people  # type: ignore[attr-defined]
        self.fields["owner"].must_answer = True  # type: ignore[attr-defined]
        if not may_approve:
            del self.fields["by_hand"]
        self.fields["file"] = _file("File", limits())
        self.fields["file"].required = True

    def answers(self) -> PaperAnswers:
        """What is said of the file."""
        given = self.cleaned_data
        return PaperAnswers(
            given["type"],
            given["side"],
            UUID(given["owner"]) if given["owner"] else None,
            given["country"],
            given["expires_on"],
            given["description"],
            given.get("by_hand", False),
        )
