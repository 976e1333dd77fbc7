"""The forms of customers about their money."""

from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from stdnum import bic
from stdnum.us import rtn

from funding.balances import CURRENCY
from funding.models import Transfer, WireRecipient
from funding.selectors import Wanted
from portal.money import Money, MoneyError

#: A filter outside of these is no filter; there is a day before and after each.
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


def parsed_amount(text: str) -> Money:
    """A positive amount of dollars as typed; a dollar sign and thousands' commas are forgiven. Raises MoneyError."""
    bare = text.strip().removeprefix("$").strip()
    whole, point, cents = bare.partition(".")
    groups = whole.split(",")
    if len(groups) > 1 and 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]):
        whole = "".join(groups)
    amount = Money.parse(whole + point + cents, CURRENCY)
    if amount.minor <= 0:
        raise MoneyError("Enter an amount above zero.")
    return amount


class AmountField(forms.CharField):
    """An amount of dollars; cleans to Money."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"inputmode": "decimal", "autocomplete": "off", "class": "input--short"}
        super().__init__(widget=forms.TextInput(attrs=attrs), max_length=30, **kwargs)

    def clean(self, value: Any) -> Money:
        """Raises ValidationError with one sentence that says how to mend it."""
        text = super().clean(value)
        try:
            return parsed_amount(text)
        except MoneyError as error:
            raise ValidationError(str(error)) from None


class DepositForm(forms.Form):
    """How much to take from the linked bank."""

    amount = AmountField(
        label="Amount in US dollars",
        help_text="For example 250 or 250.50",
        error_messages={"required": "Enter an amount."},
    )


class WithdrawForm(DepositForm):
    """How much, and where it goes: the linked bank, or one of the accounts kept for wires."""

    field_order = ["to", "amount"]
    to = forms.ChoiceField(
        label="Where to",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose where the money goes."},
    )

    def __init__(self, *args: Any, places: list[tuple[str, Any]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["to"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = places


class AcceptForm(forms.Form):
    """The authorisation as it was shown, and that it was agreed to."""

    text_sha256 = forms.CharField(widget=forms.HiddenInput, max_length=64)
    accepted = forms.BooleanField(
        label="I have read this and agree",
        error_messages={"required": "Read the authorisation and accept it."},
    )


def routing_number(text: str) -> str:
    """A US routing number without spaces; raises ValueError when its nine digits do not add up (ABA)."""
    bare = text.replace(" ", "").replace("-", "")
    # Nine zeros add up too, and no bank's number begins with two.
    if not (bare.isascii() and rtn.is_valid(bare)) or bare.startswith("00"):
        raise ValueError("Enter the nine digits of the bank's routing number; one of these is wrong.")
    return bare


def account_number(text: str) -> str:
    """An account number without spaces; raises ValueError for anything but 4 to 17 digits."""
    bare = text.replace(" ", "").replace("-", "")
    if not (bare.isascii() and bare.isdigit() and 4 <= len(bare) <= 17):
        raise ValueError("Enter the account number: 4 to 17 digits.")
    return bare


def swift_code(text: str) -> str:
    """A SWIFT code (BIC) in capitals, or nothing; raises ValueError for another form."""
    bare = text.replace(" ", "").upper()
    if bare and not (bare.isascii() and bic.is_valid(bare)):
        raise ValueError("A SWIFT code has 8 or 11 letters and digits, such as CHASUS33.")
    return bare


class RecipientForm(forms.Form):
    """A bank account of one's own to which wires may go."""

    bank_name = forms.CharField(
        label="Name of the bank", max_length=140, error_messages={"required": "Enter the name of the bank."}
    )
    bank_address = forms.CharField(
        label="Address of the bank",
        max_length=300,
        help_text="Street, city, state and ZIP code",
        error_messages={"required": "Enter the address of the bank."},
    )
    routing_number = forms.CharField(
        label="Routing number for wires",
        max_length=20,
        help_text="Nine digits. Ask the bank: the one for wires is often not the one on cheques.",
        widget=forms.TextInput(
            attrs={"inputmode": "numeric", "autocomplete": "off", "class": "input--short"}
        ),
        error_messages={"required": "Enter the routing number."},
    )
    account_number = forms.CharField(
        label="Account number",
        max_length=40,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
        error_messages={"required": "Enter the account number."},
    )
    swift_code = forms.CharField(
        label="SWIFT code",
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"class": "input--short"}),
    )
    own = forms.BooleanField(
        label="This account is in my own name",
        help_text="Wires to other people's accounts are sent back.",
        error_messages={"required": "Wires go to accounts in your own name alone."},
    )

    def clean_routing_number(self) -> str:
        """Its digits add up."""
        return _held(routing_number, self.cleaned_data["routing_number"])

    def clean_account_number(self) -> str:
        """Digits alone."""
        return _held(account_number, self.cleaned_data["account_number"])

    def clean_swift_code(self) -> str:
        """In capitals, or nothing."""
        return _held(swift_code, self.cleaned_data["swift_code"])


def _held(check: Any, text: str) -> str:
    try:
        return str(check(text))
    except ValueError as error:
        raise ValidationError(str(error)) from None


def places_of(bank: Any, recipients: list[WireRecipient]) -> list[tuple[str, str]]:
    """Where a withdrawal may go, as choices: "ach", or the key of a bank account for wires."""
    found = [("ach", f"{bank.institution} ending in {bank.mask} (ACH)")] if bank else []
    return found + [(str(row.pk), f"{row.bank_name} {row.account_number} (wire)") for row in recipients]


class ActivityForm(forms.Form):
    """Filters of the activity, read from the address; what does not hold is left out."""

    kind = forms.ChoiceField(
        label="What", required=False, choices=[("", "Everything"), *Transfer.Kind.choices]
    )
    direction = forms.ChoiceField(
        label="Way", required=False, choices=[("", "In and out"), ("deposit", "In"), ("withdrawal", "Out")]
    )
    status = forms.ChoiceField(
        label="Status", required=False, choices=[("", "Any"), *Transfer.Status.choices]
    )
    since = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    until = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for bound in self.fields.values():
            # Every filter may be left out; saying so under each label helps nobody.
            bound.must_answer = True  # type: ignore[attr-defined]

    def chosen(self) -> Wanted:
        """The filters that hold."""
        self.is_valid()
        kept = {name: value for name, value in self.cleaned_data.items() if value}
        for name in ("since", "until"):
            if name in kept and not FIRST_DAY <= kept[name] <= LAST_DAY:
                del kept[name]
        return Wanted(**kept)
