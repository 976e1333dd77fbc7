"""The forms of what the provider's operations do by hand."""

from django import forms

from providers.forms import ReasonForm


class CloseForm(forms.Form):
    """The customer has read what closing means."""

    understood = forms.BooleanField(
        label="I have read what closing means",
        error_messages={"required": "Confirm that you have read what closing means."},
    )


class ExportForm(ReasonForm):
    """Why it is given out, and whether with full numbers; only who may reveal is asked that."""

    unmasked = forms.BooleanField(label="With full numbers and dates", required=False)

    def __init__(self, *args: object, may_reveal: bool, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        if not may_reveal:
            del self.fields["unmasked"]


class ConfirmForm(forms.Form):
    """What the provider's operations call their change."""

    reference = forms.CharField(label="Their reference", max_length=100)


class RefusalForm(forms.Form):
    """What the customer is told."""

    text = forms.CharField(
        label="What the customer is told", max_length=500, widget=forms.Textarea(attrs={"rows": 3})
    )
