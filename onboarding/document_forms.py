"""The form of one paper: its files, and what is printed on it."""

from typing import Any

from django import forms
from django.conf import settings
from django_countries import countries

from onboarding.papers import Paper
from onboarding.requirements.documents import TWO_SIDED
from onboarding.words_documents import DocumentSide, DocumentType
from portal.forms_ui import MemorableDateField

ACCEPT = "application/pdf,image/jpeg,image/png,image/heic,image/heif"
TWO_SIDED_WHEN = "|".join(sorted(TWO_SIDED))


def _file(label: str, hint: str, **attrs: str) -> forms.FileField:
    return forms.FileField(
        label=label,
        help_text=hint,
        required=False,
        # What is wrong with a file, an empty one too, is said in one place (onboarding/file_check.py).
        allow_empty_file=True,
        widget=forms.FileInput(attrs={"accept": ACCEPT} | attrs),
    )


def _limits() -> str:
    return f"PDF, JPEG, PNG or HEIC, {settings.DOCUMENT_MAX_BYTES // 1024**2} MB at most."


class PaperForm(forms.Form):
    """One paper that is asked for. Left without a file, it asks for nothing.

    A person's paper opens the camera on a phone; a company's is most often a PDF.
    """

    def __init__(self, data: Any = None, files: Any = None, *, paper: Paper, country: str) -> None:
        super().__init__(data, files, prefix=paper.name.replace(":", "_"))
        self.paper = paper
        self.fields["front"] = _file("File", _limits())
        choices = [(kind.value, kind.label) for kind in map(DocumentType, paper.rule.types)]
        if paper.owner is None and len(choices) > 1:
            which = forms.ChoiceField(label="Which paper", choices=choices)
            self.fields = {"type": which, **self.fields}
        elif paper.owner is not None:
            camera = {"accept": f"image/jpeg,image/png,{ACCEPT}", "capture": "environment"}
            kind = f"{self.prefix}-type={TWO_SIDED_WHEN}"
            self.fields = {
                "type": forms.ChoiceField(label="Which paper", choices=choices),
                "expires_on": MemorableDateField(label="Valid until", required=False),
                "front": _file("Photo or file", f"Its front. {_limits()}", **camera),
                "back": _file("Its back", "Of a card.", **camera, **{"data-shown-when": kind}),
            }
        self.fields["country"] = forms.ChoiceField(
            label="Country that issued it", choices=list(countries), initial=country
        )

    @property
    def is_filled(self) -> bool:
        """Whether a file was chosen."""
        return bool(self.files.get(self.add_prefix("front")) or self.files.get(self.add_prefix("back")))

    @property
    def kind(self) -> str:
        """The type of the paper as chosen."""
        return str(self.cleaned_data.get("type") or self.paper.rule.types[0])

    def uploads(self) -> list[tuple[DocumentSide, str, Any]]:
        """The chosen files: (side, name of the field, file)."""
        found = [(DocumentSide.FRONT, "front"), (DocumentSide.BACK, "back")]
        if self.kind not in TWO_SIDED:
            found = found[:1]
        return [(side, name, self.cleaned_data[name]) for side, name in found if self.cleaned_data.get(name)]
