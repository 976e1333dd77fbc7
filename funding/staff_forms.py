"""Forms of the staff pages of transfers."""

from datetime import date
from typing import Any

from django import forms

from funding import authorising
from funding.limits import Limits
from funding.models import Transfer, WireRecipient
from funding.staff_selectors import SORTS, TransferFilter
from portal.money import Money, MoneyError


class AmountField(forms.CharField):
    """An amount of US dollars as people type it, as Money; None where nothing was typed."""

    def __init__(self, **options: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"}
        super().__init__(max_length=24, widget=forms.TextInput(attrs=attrs), **options)

    def clean(self, value: Any) -> Any:
        """Separators and a dollar sign are forgiven."""
        text = str(super().clean(value) or "").replace(",", "").replace("$", "").strip()
        if not text:
            return None
        try:
            amount = Money.parse(text, "USD")
        except MoneyError as error:
            raise forms.ValidationError(str(error)) from error
        if amount.minor < 0:
            raise forms.ValidationError("Enter an amount above 0.")
        return amount

    def prepare_value(self, value: Any) -> Any:
        """As it was typed, or an amount in its plain form."""
        return value.as_decimal_string() if isinstance(value, Money) else value


def _choice(label: str, choices: list[tuple[str, str]]) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, choices=[("", "Any"), *choices])


def _day(label: str) -> forms.DateField:
    return forms.DateField(label=label, required=False, widget=forms.DateInput(attrs={"type": "date"}))


class TransferFilterForm(forms.Form):
    """The filters of the staff list, read from the address; what does not hold is left out, not an error page."""

    q = forms.CharField(
        label="Customer or reference",
        required=False,
        max_length=255,
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    waits = _choice("Waits for us", [("held", "For approval"), ("stuck", "Nobody knows what became of it")])
    status = _choice("Status", Transfer.Status.choices)
    direction = _choice("Direction", Transfer.Direction.choices)
    rail = _choice("Rail", Transfer.Rail.choices)
    kind = _choice("Kind", Transfer.Kind.choices)
    origin = _choice("Asked for by", Transfer.Origin.choices)
    code = forms.CharField(
        label="Return or reason code", required=False, max_length=64, widget=forms.TextInput()
    )
    amount_from = AmountField(label="Amount from", required=False)
    amount_to = AmountField(label="Amount to", required=False)
    since = _day("Asked for from")
    until = _day("Asked for to")
    account = forms.UUIDField(required=False, widget=forms.HiddenInput)
    sort = forms.CharField(required=False, widget=forms.HiddenInput)

    def chosen(self) -> TransferFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        words = ("status", "direction", "rail", "kind", "origin", "waits")
        sort = data.get("sort") or ""
        low, high = data.get("amount_from"), data.get("amount_to")
        return TransferFilter(
            text=(data.get("q") or "").replace("\x00", ""),
            code=(data.get("code") or "").replace("\x00", "").upper(),
            account=data.get("account"),
            amount_from=low.minor if low else None,
            amount_to=high.minor if high else None,
            since=_real(data.get("since")),
            until=_real(data.get("until")),
            sort=sort if sort.lstrip("-") in SORTS else "",
            **{name: data.get(name) or "" for name in words},
        )


def _real(day: date | None) -> date | None:
    """A day that can be compared with: the first years of the calendar have no midnight west of Greenwich."""
    return day if day is not None and day.year > 1 else None


class ReasonForm(forms.Form):
    """Why a transfer is refused."""

    reason = forms.CharField(
        label="Reason",
        min_length=5,
        max_length=300,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        help_text="Kept with the transfer. No personal data.",
        error_messages={"required": "Say why, in a few words.", "min_length": "Say why, in a few words."},
    )


class AskForm(forms.Form):
    """What staff want to move for a customer; the terms are shown before it is asked for."""

    what = forms.ChoiceField(
        label="What",
        choices=[
            ("deposit-ach", "Deposit by ACH"),
            ("withdrawal-ach", "Withdraw by ACH"),
            ("withdrawal-wire", "Withdraw by wire"),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": "Choose what to do."},
    )
    amount = AmountField(label="Amount in US dollars", error_messages={"required": "Enter the amount."})
    recipient = forms.ModelChoiceField(
        label="Bank account of the wire",
        queryset=WireRecipient.objects.none(),
        required=False,
        empty_label="None",
        help_text="For a wire alone. Customers add theirs on their own page.",
    )

    def __init__(self, *args: Any, recipients: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["recipient"].queryset = recipients  # type: ignore[attr-defined]

    @property
    def direction(self) -> str:
        """Which way, of a form that holds."""
        return str(self.cleaned_data["what"]).partition("-")[0]

    @property
    def chosen_recipient(self) -> WireRecipient | None:
        """Where a wire goes, of a form that holds."""
        found: WireRecipient | None = self.cleaned_data["recipient"] if self.rail == "wire" else None
        return found

    @property
    def rail(self) -> str:
        """On which rail, of a form that holds."""
        return str(self.cleaned_data["what"]).partition("-")[2]


class AgreedForm(forms.Form):
    """That the customer agreed, and how they were asked."""

    digest = forms.CharField(required=False, widget=forms.HiddenInput)
    accepted = forms.BooleanField(
        label="I read the text above to the customer, word for word, and they agreed",
        error_messages={"required": "Go on when the customer agrees."},
    )

    def __init__(self, *args: Any, text: str, **kwargs: Any) -> None:
        """`text` is what is read out; empty for a wire, which is asked for without one."""
        super().__init__(*args, **kwargs)
        self.fields["digest"].initial = authorising.digest(text) if text else ""
        if not text:
            self.fields["accepted"].label = "The customer asked for this, and I made sure that it was them"


class LimitForm(forms.Form):
    """One rule. Empty is no such limit."""

    least = AmountField(label="Least", error_messages={"required": "Enter the least."})
    single = AmountField(label="Most in one transfer", required=False)
    day = AmountField(label="Most in 24 hours", required=False)
    month = AmountField(label="Most in 30 days", required=False)
    second_factor = AmountField(label="Second factor above", required=False)
    second_person = AmountField(label="Second person above", required=False)

    def __init__(self, *args: Any, asker: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # A customer confirms with a second factor, staff with a second person.
        del self.fields["second_person" if asker == "customer" else "second_factor"]

    def wanted(self) -> Limits:
        """The limits of a form that holds."""
        found = {name: value.minor if value else None for name, value in self.cleaned_data.items()}
        return Limits(**(found | {"least": found["least"] or 0}))
