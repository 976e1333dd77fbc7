"""The pages' forms, made from the one description of requirements; its rules do the checking."""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from django import forms
from django.utils.datastructures import MultiValueDict
from django.utils.html import format_html
from django_countries import countries

from onboarding import papers_standing, selectors
from onboarding.models import Application
from onboarding.requirements import Field, Kind, Problem, RoleRule, Step
from onboarding.words import AccountType, EntityType, OwnerRole
from portal.forms_ui import MemorableDateField
from portal.sealed import Sealed

RADIO_UP_TO = 7


def _attrs(field: Field) -> dict[str, Any]:
    return {"autocomplete": field.autocomplete or "off"}


def _text(field: Field, **attrs: Any) -> forms.Field:
    return forms.CharField(widget=forms.TextInput(attrs=_attrs(field) | attrs), strip=False)


def _choice(field: Field) -> forms.Field:
    if len(field.choices) <= RADIO_UP_TO:
        return forms.CharField(widget=forms.RadioSelect(choices=field.choices))
    blank = [("", "Choose"), *field.choices]
    return forms.CharField(widget=forms.Select(choices=blank, attrs=_attrs(field)))


def _country(field: Field) -> forms.Field:
    return forms.CharField(
        widget=forms.Select(choices=[("", "Choose"), *list(countries)], attrs=_attrs(field)), initial="US"
    )


_FORM_FIELDS: dict[Kind, Callable[[Field], forms.Field]] = {
    Kind.TEXT: _text,
    Kind.EMAIL: lambda field: forms.CharField(widget=forms.EmailInput(attrs=_attrs(field)), strip=False),
    Kind.PHONE: lambda field: forms.CharField(widget=forms.TextInput(attrs=_attrs(field) | {"type": "tel"})),
    Kind.DATE: lambda field: MemorableDateField(birthday=bool(field.autocomplete)),
    Kind.CHOICE: _choice,
    Kind.STATE: lambda field: forms.CharField(
        widget=forms.Select(choices=[("", "Choose"), *field.choices], attrs=_attrs(field))
    ),
    Kind.COUNTRY: _country,
    Kind.INTEGER: lambda field: _text(field, inputmode="numeric"),
    Kind.BOOLEAN: lambda _: forms.BooleanField(),
    Kind.COUNTRIES: _text,
    Kind.TAX_ID: _text,
}


def _as_typed(value: Any) -> Any:
    """A kept list of countries as the line a person types."""
    return (
        ", ".join(str(countries.name(code) or code) for code in value) if isinstance(value, list) else value
    )


def _date_typed(year: str, month: str, day: str) -> str:
    """The three boxes as one text, ISO where they are a date."""
    if not (year or month or day):
        return ""
    return "-".join((year, *(part.zfill(2) if part.isdecimal() else part for part in (month, day))))


class StepForm(forms.Form):
    """A step's page. `answers` after validation is what the service takes; kept sensitive answers fill blanks."""

    step: Step

    def __init__(self, *args: Any, kept: dict[str, Any] | None = None, **kwargs: Any) -> None:
        self.kept = kept or {}
        initial = {
            name: _as_typed(value) for name, value in self.kept.items() if not isinstance(value, Sealed)
        }
        kwargs["initial"] = {**kwargs.get("initial", {}), **initial}
        super().__init__(*args, **kwargs)
        for name, value in self.kept.items():
            if isinstance(value, Sealed) and value and name in self.fields:
                self.fields[name].help_text = f"We have {value}. Leave this empty to keep it."

    step_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    @property
    def forgotten(self) -> list[str]:
        """The sensitive questions whose fields were emptied by hand, so that nothing typed before is meant."""
        return self.data.getlist("forget") if isinstance(self.data, MultiValueDict) else []

    def typed(self) -> dict[str, Any]:
        """What stands in the page's controls, checked by nothing. An empty sensitive one says nothing."""
        found: dict[str, Any] = {}
        for field in self.step.fields:
            value = self.fields[field.name].widget.value_from_datadict(self.data, self.files, field.name)
            if isinstance(value, list):
                month, day, year = (str(part or "").strip() for part in value)
                value = _date_typed(year, month, day)
            if value or not field.sensitive or field.name in self.forgotten:
                found[field.name] = value
        return found

    def clean(self) -> dict[str, Any]:
        """Gather the raw answers and let the step's own rules speak."""
        raw: dict[str, Any] = {}
        for field in self.step.fields:
            if field.name in self.errors:
                continue
            value = self.cleaned_data.get(field.name)
            kept = self.kept.get(field.name)
            raw[field.name] = kept.reveal() if not value and isinstance(kept, Sealed) and kept else value
        try:
            self.answers = self.step.clean(
                {name: value for name, value in raw.items() if self._is_asked(name, raw)}
            )
        except Problem as problem:
            for name, sentences in problem.fields.items():
                if name not in self.errors:
                    self.add_error(name, sentences)
        return self.cleaned_data

    def _is_asked(self, name: str, raw: dict[str, Any]) -> bool:
        field = next(field for field in self.step.fields if field.name == name)
        return field.shown is None or field.shown.holds(raw)


def _in_browser(value: Any) -> str:
    """An answer as the page's controls hold it: a ticked box is on, one without its tick is empty."""
    if isinstance(value, bool):
        return "on" if value else ""
    return str(value)


@lru_cache(maxsize=512)
def step_form(step: Step) -> type[StepForm]:
    """The form class of a step."""
    members: dict[str, Any] = {"step": step}
    for field in step.fields:
        made = _FORM_FIELDS[field.kind](field)
        # Whether an answer is needed is the step's rule, which also knows what is not asked.
        made.required = False
        # The field's template says which are optional.
        made.must_answer = field.required or field.may_be_needed  # type: ignore[attr-defined]
        made.label = field.label
        made.help_text = field.hint
        if field.sensitive:
            made.widget.attrs["data-secret"] = field.name
        if field.shown is not None:
            values = "|".join(sorted(_in_browser(value) for value in field.shown.values))
            made.widget.attrs["data-shown-when"] = f"{field.shown.field}={values}"
        members[field.name] = made
    groups = list(dict.fromkeys(field.group for field in step.fields))
    members["fieldsets"] = [
        (group, "", [field.name for field in step.fields if field.group == group]) for group in groups
    ]
    return type(f"{step.name.value.capitalize()}Form", (StepForm,), members)


class StartForm(forms.Form):
    """Which account, and where its holder lives or is registered: what decides all other questions."""

    account_type = forms.ChoiceField(
        label="Which account do you want to open?",
        choices=[
            (AccountType.INDIVIDUAL, "For myself"),
            (AccountType.CUSTODIAL, "For a child, until they are of age"),
            (AccountType.ENTITY_PERSONAL_TRUST, "For a personal trust"),
            (AccountType.ENTITY, "For a company or another entity"),
        ],
        widget=forms.RadioSelect,
        initial=AccountType.INDIVIDUAL,
        error_messages={"required": "Choose which account you want to open."},
    )
    entity_type = forms.ChoiceField(
        label="What kind of company or entity?",
        choices=EntityType.choices,
        widget=forms.RadioSelect(attrs={"data-shown-when": f"account_type={AccountType.ENTITY}"}),
        required=False,
    )
    entity_type.must_answer = True  # type: ignore[attr-defined]
    country = forms.ChoiceField(
        label="Country where you live, or where the company or trust is registered",
        choices=[("", "Choose"), *list(countries)],
        initial="US",
        error_messages={"required": "Choose a country."},
    )
    fieldsets: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("", "", ("account_type", "entity_type", "country")),
    )

    def clean(self) -> dict[str, Any]:
        """A company needs its kind."""
        data = self.cleaned_data
        if data.get("account_type") == AccountType.ENTITY and not data.get("entity_type"):
            self.add_error("entity_type", "Choose what kind of company or entity it is.")
        return data


class StartForForm(StartForm):
    """The same asked of staff, and for whom."""

    email = forms.CharField(
        label="The customer's e-mail address",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    name = forms.CharField(
        label="The customer's name", max_length=100, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    fieldsets = (("", "", ("email", "name", "account_type", "entity_type", "country")),)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["account_type"].label = "Which account?"
        self.fields["country"].label = "Country where they live, or where the company or trust is registered"


class PersonForm(forms.Form):
    """One person of the account: the role, and what decides their questions."""

    role = forms.ChoiceField(label="Role", widget=forms.RadioSelect)
    given_name = forms.CharField(label="First name", max_length=100)
    family_name = forms.CharField(label="Last name", max_length=100)
    country = forms.ChoiceField(label="Country where they live", choices=[("", "Choose"), *list(countries)])
    is_control_person = forms.BooleanField(
        label="Controls the company",
        help_text="One person with significant responsibility, such as the chief executive.",
        required=False,
    )
    ownership_percent = forms.IntegerField(
        label="Share of the company, in percent",
        min_value=0,
        max_value=100,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def __init__(
        self, *args: Any, roles: tuple[RoleRule, ...], of_company: bool, named: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        role = self.fields["role"]
        assert isinstance(role, forms.ChoiceField)
        role.choices = [(rule.role, _with_hint(rule)) for rule in roles]
        if len(roles) == 1:
            role.initial = roles[0].role
        if not roles:
            del self.fields["role"]
            self.fields["country"].label = "Country where you live"
        if not named:
            del self.fields["given_name"], self.fields["family_name"]
        if not of_company:
            del self.fields["is_control_person"], self.fields["ownership_percent"]


def _with_hint(rule: RoleRule) -> str:
    return format_html('{}<span class="choice__hint">{}</span>', OwnerRole(rule.role).label, rule.hint)


class InviteForm(forms.Form):
    """Where the link to an owner's own part is sent."""

    email = forms.CharField(
        label="Their e-mail address",
        max_length=254,
        help_text="They sign in or sign up with exactly this address.",
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )


class ApplicationFilterForm(forms.Form):
    """The filters of the staff list, read from the address; what does not hold is left out, not an error page."""

    q = forms.CharField(
        label="Search", required=False, max_length=100, widget=forms.TextInput(attrs={"type": "search"})
    )
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), *Application.Status.choices, (selectors.EXPIRED, "Expired")],
    )
    waiting_on = forms.ChoiceField(
        label="Waiting on",
        required=False,
        choices=[
            ("", "Anyone"),
            ("customer", "Customer"),
            ("us", "Us"),
            ("provider", "Provider"),
            ("nobody", "Nobody"),
        ],
    )
    papers = forms.ChoiceField(
        label="Papers", required=False, choices=[("", "Any"), *papers_standing.FILTERS.items()]
    )
    submitted_from = forms.DateField(
        label="Submitted from", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    submitted_to = forms.DateField(
        label="Submitted to", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )

    def chosen(self) -> selectors.ApplicationFilter:
        """The filters that hold."""
        self.is_valid()
        data = self.cleaned_data
        return selectors.ApplicationFilter(
            text=data.get("q") or "",
            status=data.get("status") or "",
            waiting_on=data.get("waiting_on") or "",
            papers=data.get("papers") or "",
            submitted_from=data.get("submitted_from"),
            submitted_to=data.get("submitted_to"),
        )
