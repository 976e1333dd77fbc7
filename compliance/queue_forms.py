"""Forms of the page of queues and rules. Each carries the version of the rule book that its page showed."""

from datetime import date
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django_countries import countries

from compliance import kinds, queue_words
from compliance.models import Case, Queue, Rule, WorkCalendar
from compliance.permissions import NARROWED_ROLES
from compliance.services.queues import RuleWish
from portal.models import Role
from portal.money import Money, MoneyError

MOST_DAYS_OFF = 400
ROLES = [(role, Role(role).label) for role in NARROWED_ROLES]
PRIORITIES = [(str(value), label) for value, label in Case.Priority.choices]


class _Form(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)


class MoneyForm(_Form):
    """An amount and its currency, or neither: `money` of the cleaned data."""

    amount = forms.CharField(
        label="Amount, at least", required=False, max_length=24, help_text="Such as 10000.00."
    )
    currency = forms.RegexField(
        r"^[A-Z]{3}$",
        label="Currency of the amount",
        required=False,
        help_text="Three letters, such as USD.",
        error_messages={"invalid": "Write the currency as three letters, such as USD."},
    )

    def clean(self) -> dict[str, Any]:
        """The amount and its currency as money."""
        data = super().clean() or {}
        amount, currency = data.get("amount", ""), data.get("currency", "")
        data["money"] = None
        if bool(amount) != bool(currency) and not self.has_error("currency"):
            missing = "currency" if amount else "amount"
            self.add_error(missing, "Write the amount and its currency, or neither.")
        elif amount and currency:
            try:
                data["money"] = Money.parse(amount, currency)
            except MoneyError as error:
                self.add_error("amount", str(error))
            else:
                if data["money"].minor <= 0:
                    self.add_error("amount", "Write an amount above nothing.")
        return data


class RuleForm(MoneyForm):
    """A rule: what it is about, where it stands, what it does. What is left empty matches anything."""

    kind = forms.ChoiceField(label="Kind of case", required=False)
    priority_from = forms.ChoiceField(
        label="Priority, at least",
        choices=PRIORITIES,
        initial="1",
        help_text="As the facts of the case ask for it.",
    )
    country = forms.ChoiceField(label="Country", required=False, choices=[("", "Any"), *countries])
    language = forms.RegexField(
        r"^[a-z]{2,3}$",
        label="Language",
        required=False,
        help_text="Two letters, such as es.",
        error_messages={"invalid": "Write the language as two letters, such as es."},
    )
    queue = forms.ModelChoiceField(
        label="Queue", queryset=Queue.objects.none(), empty_label="Choose",
        error_messages={"required": "Choose the queue."},
    )  # fmt: skip
    priority = forms.ChoiceField(
        label="Priority it gives", required=False, choices=[("", "The case's own"), *PRIORITIES]
    )
    due_hours = forms.IntegerField(
        label="Due in hours", required=False, min_value=1, max_value=2000,
        help_text="Counted on the queue's calendar. Empty: the time its kind asks for, round the clock.",
    )  # fmt: skip
    position = forms.TypedChoiceField(
        label="Place", coerce=int, help_text="The first rule that matches a case holds."
    )

    fieldsets = [
        ("Which cases", "What you leave empty matches anything.",
         ["kind", "priority_from", "country", "language", "amount", "currency"]),
        ("What happens to them", "", ["queue", "priority", "due_hours", "position"]),
    ]  # fmt: skip

    def __init__(self, *args: Any, places: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._choices("kind", [("", "Any"), *((kind.name, kind.title) for kind in kinds.all_kinds())])
        self._choices("position", [(str(at), str(at)) for at in range(1, places + 1)])
        queue = self.fields["queue"]
        assert isinstance(queue, forms.ModelChoiceField)
        queue.queryset = Queue.objects.order_by("name")

    def _choices(self, name: str, values: list[tuple[str, str]]) -> None:
        bound = self.fields[name]
        assert isinstance(bound, forms.ChoiceField)
        bound.choices = values

    @staticmethod
    def initial_of(rule: Rule) -> dict[str, Any]:
        """The rule as the form shows it."""
        money = None if rule.amount_minor is None else Money(rule.amount_minor, rule.currency)
        return {
            **{
                name: getattr(rule, name)
                for name in ("kind", "priority_from", "country", "language", "currency", "priority")
            },
            "queue": rule.queue_id,
            "due_hours": rule.due_hours,
            "position": rule.position,
            "amount": money.as_decimal_string() if money else "",
        }

    def wish(self) -> RuleWish:
        """What `services.rule_save` takes."""
        data = self.cleaned_data
        return RuleWish(
            position=data["position"],
            queue=data["queue"],
            kind=data["kind"],
            priority_from=int(data["priority_from"]),
            country=data["country"],
            language=data["language"],
            amount=data["money"],
            priority=int(data["priority"]) if data["priority"] else None,
            due_hours=data["due_hours"],
        )


class QueueForm(_Form):
    """A queue: its name, who sees and decides in it, and the calendar its hours are counted on."""

    name = forms.CharField(label="Name", max_length=80, error_messages={"required": "Give it a name."})
    purpose = forms.CharField(label="What it is for", max_length=300, required=False)
    seen_by = forms.MultipleChoiceField(
        label="Who sees it", required=False, choices=ROLES, widget=forms.CheckboxSelectMultiple,
        help_text="Managers and auditors see every queue. Whoever decides in it sees it too.",
    )  # fmt: skip
    decided_by = forms.MultipleChoiceField(
        label="Who decides in it", required=False, choices=ROLES, widget=forms.CheckboxSelectMultiple,
        help_text="Managers decide in every queue. A kind of case may ask for more.",
    )  # fmt: skip
    calendar = forms.ModelChoiceField(
        label="Hours are counted",
        required=False,
        queryset=WorkCalendar.objects.none(),
        empty_label="Round the clock",
    )
    is_default = forms.BooleanField(label="What no rule claims comes here", required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        calendar = self.fields["calendar"]
        assert isinstance(calendar, forms.ModelChoiceField)
        calendar.queryset = WorkCalendar.objects.order_by("name")
        for name in ("seen_by", "decided_by", "calendar", "is_default"):
            self.fields[name].must_answer = True  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(queue: Queue) -> dict[str, Any]:
        """The queue as the form shows it."""
        names = ("name", "purpose", "seen_by", "decided_by", "is_default")
        return {**{name: getattr(queue, name) for name in names}, "calendar": queue.calendar_id}


class CalendarForm(_Form):
    """A calendar: days, hours, holidays."""

    name = forms.CharField(label="Name", max_length=80, error_messages={"required": "Give it a name."})
    time_zone = forms.ChoiceField(
        label="Time zone", choices=[(zone, zone) for zone in sorted(available_timezones())]
    )
    weekdays = forms.TypedMultipleChoiceField(
        label="Days we work", coerce=int, choices=list(enumerate(queue_words.DAYS)),
        widget=forms.CheckboxSelectMultiple(attrs={"class": "choices--inline"}),
        error_messages={"required": "Choose at least one day."},
    )  # fmt: skip
    opens = forms.TimeField(label="From", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    closes = forms.TimeField(label="To", widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    keeps_federal_holidays = forms.BooleanField(
        label="The federal holidays of the United States are days off", required=False
    )
    days_off = forms.CharField(
        label="Other days off", required=False, max_length=20_000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text="One a line, such as 2026-12-24 Christmas Eve.",
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["keeps_federal_holidays"].must_answer = True  # type: ignore[attr-defined]

    @staticmethod
    def initial_of(calendar: WorkCalendar) -> dict[str, Any]:
        """The calendar as the form shows it."""
        names = ("name", "time_zone", "weekdays", "opens", "closes", "keeps_federal_holidays")
        days = calendar.days_off.order_by("day")
        return {
            **{name: getattr(calendar, name) for name in names},
            "days_off": "\n".join(f"{row.day} {row.name}".strip() for row in days),
        }

    def clean_days_off(self) -> dict[date, str]:
        """The days with their names."""
        found: dict[date, str] = {}
        for number, line in enumerate(self.cleaned_data["days_off"].splitlines(), start=1):
            day, _, name = line.strip().partition(" ")
            if not day:
                continue
            try:
                found[date.fromisoformat(day)] = name.strip()
            except ValueError:
                raise forms.ValidationError(
                    f"Line {number} does not begin with a day such as 2026-12-24."
                ) from None
        if len(found) > MOST_DAYS_OFF:
            raise forms.ValidationError(f"Keep to {MOST_DAYS_OFF} days.")
        return found
