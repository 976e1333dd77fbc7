"""Forms of second reviews."""

from typing import Any

from django import forms

from compliance import kinds
from compliance.forms import DecisionForm
from compliance.models import Review, ReviewPolicy
from compliance.reviewing import OUTCOMES, ReviewFilter
from compliance.services.reviews import LONGEST_LESSON


class ReviewFilterForm(forms.Form):
    """Which reviews, read from the address; what does not hold is left out."""

    status = forms.ChoiceField(required=False, choices=Review.Status.choices)
    kind = forms.CharField(required=False, max_length=64)
    code = forms.CharField(required=False, max_length=64)
    reason = forms.CharField(required=False, max_length=64)
    outcome = forms.ChoiceField(required=False, choices=[(name, name) for name in OUTCOMES])
    first = forms.DateField(required=False)
    last = forms.DateField(required=False)

    def chosen(self) -> ReviewFilter:
        """The filters that hold."""
        self.is_valid()
        return ReviewFilter(**{name: value for name, value in self.cleaned_data.items() if value})


class ReviewForm(DecisionForm):
    """The decisions of the kind, as the first had them."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def second(self) -> dict[str, Any]:
        """What `services.review_decide` takes of it."""
        return {name: value for name, value in self.made().items() if name != "version"}


class SettleForm(forms.Form):
    """Which stands, and what is learnt."""

    stands = forms.ChoiceField(
        label="Which decision stands?",
        choices=Review.Stands.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose which decision stands."},
    )
    lesson = forms.CharField(
        label="What everybody learns from it",
        max_length=LONGEST_LESSON,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Shown to both, and beside the kind's checklist. No names and no personal data.",
        error_messages={"required": "Write what is learnt from it."},
    )


class PolicyForm(forms.Form):
    """How much is drawn each week."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    usual_percent = forms.IntegerField(
        label="Share of every other kind, in percent",
        min_value=0,
        max_value=100,
        widget=forms.NumberInput(attrs={"class": "input--short"}),
    )
    per_person = forms.IntegerField(
        label="Of each person at least",
        min_value=0,
        max_value=50,
        widget=forms.NumberInput(attrs={"class": "input--short"}),
        help_text="So many decisions a week, as far as there are any.",
    )

    def __init__(self, data: Any = None, *, policy: ReviewPolicy) -> None:
        initial: dict[str, Any] = {
            "version": policy.version,
            "usual_percent": policy.usual_percent,
            "per_person": policy.per_person,
        }
        super().__init__(data, initial=initial, prefix="policy")
        for number, kind in enumerate(kinds.all_kinds()):
            self.fields[f"kind_{number}"] = forms.IntegerField(
                label=f"{kind.title}, in percent",
                required=False,
                min_value=0,
                max_value=100,
                initial=policy.percents.get(kind.name),
                widget=forms.NumberInput(attrs={"class": "input--short"}),
            )
        self.order_fields(["version", *(name for name in self.fields if name.startswith("kind_"))])

    def wish(self) -> dict[str, Any]:
        """What `services.review_policy_save` takes of it. A kind left empty has the usual share."""
        given = self.cleaned_data
        percents = {
            kind.name: given[f"kind_{number}"]
            for number, kind in enumerate(kinds.all_kinds())
            if given.get(f"kind_{number}") is not None
        }
        return {
            "percents": percents,
            "usual_percent": given["usual_percent"],
            "per_person": given["per_person"],
            "version": given["version"],
        }
