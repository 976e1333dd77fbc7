"""The gallery of the design system: every component with realistic data, and two sample pages."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.views.generic import TemplateView

from portal import clock
from portal.forms_ui import MemorableDateField
from portal.ui.chart import gauge

REFERENCE = "0193a7c4-5e1b-7d20-9f44-2b8d6c1e7a90"


@dataclass(frozen=True)
class SampleBall:
    """What `{% ball %}` needs."""

    holder: str
    line: str
    since: dt.datetime | None = None
    unblocks: str = ""
    due: dt.datetime | None = None


@dataclass(frozen=True)
class SampleEvent:
    """What `{% timeline %}` needs."""

    at: dt.datetime
    icon: str
    title: str
    actor: str = ""
    body: str = ""
    tone: str = "neutral"
    details: Any = None


def _ago(**delta: float) -> dt.datetime:
    return clock.now() - dt.timedelta(**delta)


class SampleForm(forms.Form):
    """One field of each kind."""

    name = forms.CharField(
        label="Full legal name", help_text="As it stands on your passport or driver's license."
    )
    email = forms.EmailField(label="E-mail address")
    phone = forms.CharField(label="Mobile phone", widget=forms.TextInput(attrs={"type": "tel"}))
    birth = MemorableDateField(label="Date of birth", help_text="For example 3 27 1985.", birthday=True)
    state = forms.ChoiceField(
        label="State",
        choices=[("", "Choose a state"), ("NY", "New York"), ("TX", "Texas"), ("WA", "Washington")],
    )
    income = forms.IntegerField(label="Yearly income in US dollars", required=False, min_value=0)
    employed = forms.ChoiceField(
        label="Employment",
        widget=forms.RadioSelect,
        choices=[
            ("employed", "Employed"),
            (
                "self",
                format_html(
                    '{}<span class="choice__hint">{}</span>', "Self-employed", "Freelance work counts too."
                ),
            ),
            ("none", "Not working"),
        ],
    )
    employer = forms.CharField(
        label="Employer",
        required=False,
        widget=forms.TextInput(attrs={"data-shown-when": "employed=employed|self"}),
    )
    purposes = forms.MultipleChoiceField(
        label="What will you use the account for?",
        help_text="Choose all that apply.",
        widget=forms.CheckboxSelectMultiple,
        choices=[("invest", "Long-term investing"), ("pay", "Paying people"), ("trade", "Trading")],
    )
    us_person = forms.ChoiceField(
        label="Are you a US citizen?",
        widget=forms.RadioSelect(attrs={"class": "choices--inline"}),
        choices=[("yes", "Yes"), ("no", "No")],
    )
    note = forms.CharField(
        label="Anything we should know", required=False, widget=forms.Textarea(attrs={"rows": 3})
    )
    password = forms.CharField(
        label="Password",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="At least 12 characters.",
    )
    code = forms.CharField(
        label="Six-digit code",
        required=False,
        widget=forms.TextInput(
            attrs={"class": "input--code", "inputmode": "numeric", "autocomplete": "one-time-code"}
        ),
    )
    proof = forms.FileField(
        label="Proof of address", required=False, help_text="PDF, JPEG or PNG, at most 20 MB."
    )
    agree = forms.BooleanField(
        label="I have read the account agreement",
        help_text="Eleven pages; a copy goes to your e-mail address.",
    )
    fieldsets = [
        ("About you", "We check these against public records.", ["name", "email", "phone", "birth", "state"]),
        ("Work and money", "", ["income", "employed", "employer", "purposes", "us_person"]),
    ]


class StepForm(forms.Form):
    """A sample step of a customer's application."""

    line1 = forms.CharField(
        label="Street address", widget=forms.TextInput(attrs={"autocomplete": "address-line1"})
    )
    line2 = forms.CharField(
        label="Apartment or suite",
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "address-line2"}),
    )
    city = forms.CharField(label="City", widget=forms.TextInput(attrs={"autocomplete": "address-level2"}))
    state = forms.ChoiceField(label="State", choices=[("NY", "New York"), ("TX", "Texas")])
    postal = forms.CharField(
        label="ZIP code", widget=forms.TextInput(attrs={"class": "input--short", "inputmode": "numeric"})
    )
    mailing = forms.ChoiceField(
        label="Where should letters go?",
        widget=forms.RadioSelect,
        choices=[("same", "To this address"), ("other", "To another address")],
    )
    other = forms.CharField(
        label="Mailing address",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "data-shown-when": "mailing=other"}),
    )


class FilterForm(forms.Form):
    """Sample filters."""

    q = forms.CharField(label="Name or reference", required=False)
    status = forms.ChoiceField(
        label="Status",
        required=False,
        choices=[("", "Any"), ("review", "In review"), ("open", "Account open")],
    )
    kind = forms.ChoiceField(
        label="Kind", required=False, choices=[("", "Any"), ("person", "Person"), ("firm", "Company")]
    )
    since = forms.DateField(
        label="Submitted since", required=False, widget=forms.DateInput(attrs={"type": "date"})
    )


class ReasonForm(forms.Form):
    """What the sample of a confirmation asks."""

    reason = forms.CharField(label="Reason", widget=forms.Textarea(attrs={"rows": 3}))


def _arrivals() -> list[tuple[Any, ...]]:
    counts = [9, 14, 11, 17, 4, 3, 16, 19, 21, 18, 24, 6, 5, 27]
    days = [_ago(days=13 - number) for number in range(len(counts))]
    return [(f"{day:%b} {day.day}", count) for day, count in zip(days, counts, strict=True)]


def _steps() -> list[dict[str, str]]:
    return [
        {"title": "About you", "url": "#", "state": "done"},
        {"title": "Address", "url": "#", "state": "current"},
        {"title": "Tax and work", "url": "#", "state": "attention"},
        {"title": "Agreements", "url": "", "state": "todo"},
        {"title": "Check and send", "url": "", "state": "todo"},
    ]


def _applications() -> list[dict[str, Any]]:
    us, them, customer = (
        ("us", "Decide the review"),
        ("provider", "Provider is checking"),
        ("customer", "Upload a document"),
    )
    rows = [
        ("Maya Fernandez", "Person", "In review", "warning", us, 2, 1250000),
        ("Northwind Trading LLC", "Company", "Sent to provider", "info", them, 5, 98000000),
        ("Daniel Okafor", "Person", "Correction asked", "danger", customer, 26, 430000),
        ("Priya Raman", "Person", "Account open", "success", ("nobody", "Nothing to do"), 49, 5675000),
        ("Harbor & Pine Partners", "Company", "Draft", "neutral", customer, 71, 0),
        ("Tomás Ibarra", "Person", "Sent to provider", "info", them, 96, 880000),
    ]
    return [
        {
            "name": name,
            "kind": kind,
            "reference": f"PA-{20418 - number}",
            "status": status,
            "tone": tone,
            "ball": SampleBall(*held),
            "at": _ago(hours=hours),
            "income": f"${cents / 100:,.2f}",
        }
        for number, (name, kind, status, tone, held, hours, cents) in enumerate(rows)
    ]


def _events() -> list[SampleEvent]:
    webhook = {
        "event": "party.status",
        "partyId": REFERENCE,
        "status": "PENDING_REVIEW",
        "attempt": 2,
        "final": False,
    }
    return [
        SampleEvent(
            _ago(minutes=9),
            "triangle-alert",
            "Correction asked",
            "Bakkt",
            "The ZIP code does not match the street.",
            "warning",
        ),
        SampleEvent(
            _ago(minutes=14),
            "webhook",
            "Webhook received",
            "Bakkt",
            "Status of the party changed.",
            "info",
            webhook,
        ),
        SampleEvent(_ago(hours=3), "send", "Sent to the provider", "System", "", "neutral"),
        SampleEvent(
            _ago(hours=26),
            "circle-check",
            "Application submitted",
            "Maya Fernandez",
            "All five steps complete.",
            "success",
        ),
        SampleEvent(
            _ago(hours=28),
            "eye",
            "Tax id revealed",
            "Ana Reyes",
            "Reason: phone call with the customer.",
            "neutral",
        ),
        SampleEvent(_ago(days=9), "plus", "Application started", "Maya Fernandez"),
    ]


class GalleryView(TemplateView):
    """`?show=` one of SHOWS, otherwise every component; `errors=1` with errors."""

    SHOWS = ("step", "list", "detail", "confirm", "print")

    def get_template_names(self) -> list[str]:
        show = self.request.GET.get("show", "")
        return [f"components/gallery/{show if show in self.SHOWS else 'all'}.html"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        wrong = {
            "name": "",
            "email": "maya@",
            "birth_month": "2",
            "birth_day": "31",
            "birth_year": "1990",
            "employed": "self",
        }
        step = {
            "line1": "118 Greene Street",
            "city": "New York",
            "state": "NY",
            "postal": "1001",
            "mailing": "same",
        }
        step_form = StepForm(step) if self.request.GET.get("errors") else StepForm(initial=step)
        if step_form.is_bound:
            step_form.add_error("postal", "Enter a ZIP code of five digits, for example 10012.")
        return super().get_context_data(
            nav_section="applications",
            nav_counts={"applications": 14, "webhooks": 2},
            reason=ReasonForm(auto_id="r_%s"),
            arrivals=_arrivals(),
            gauges=[
                gauge("Unauthorized returns", 0.31, [("Nacha's threshold", 0.5, 0.4)]),
                gauge("Administrative returns", 2.6, [("Nacha's level", 3, 2.5)]),
                gauge("All returns", 15.4, [("Nacha's level", 15, 12)]),
            ],
            trend=[61, 58, 70, 66, 84, 79, 96, 101, 98, 127],
            facts=[
                {"label": "Status", "value": "Under review"},
                {"label": "Provider's words", "value": "PENDING_REVIEW"},
                {"label": "Reference", "value": "PA-20418"},
            ],
            form=SampleForm(initial={"birth": dt.date(1985, 3, 27)}, auto_id="g_%s"),
            wrong=SampleForm(wrong, auto_id="w_%s", prefix=""),
            step_form=step_form,
            filters=FilterForm(self.request.GET or None, auto_id="f_%s"),
            steps=_steps(),
            applications=_applications(),
            events=_events(),
            balls=[
                SampleBall(
                    "us",
                    "Decide the review",
                    _ago(hours=5),
                    "An analyst approves or asks for a correction.",
                    clock.now() + dt.timedelta(hours=19),
                ),
                SampleBall(
                    "customer",
                    "Upload a proof of address",
                    _ago(days=2),
                    "A bank statement of the last three months is enough.",
                    _ago(hours=3),
                ),
                SampleBall(
                    "provider",
                    "Bakkt is checking the identity",
                    _ago(minutes=12),
                    "A webhook tells us; we also ask every ten minutes.",
                ),
                SampleBall("nobody", "The account is open"),
            ],
            rows=[
                {"label": "Full legal name", "value": "Maya Fernandez", "url": "#"},
                {"label": "Date of birth", "value": "March 27, 1985", "url": "#"},
                {"label": "Address", "value": "118 Greene Street, New York, NY 10012", "url": "#"},
                {"label": "Second nationality", "value": "", "url": "#", "action": "Add"},
            ],
            tax_id="•••-••-6789",
            tabs=[
                {"label": "Overview", "url": "#", "current": True},
                {"label": "Documents", "url": "#", "count": 3},
                {"label": "Calls", "url": "#", "count": 12},
                {"label": "History", "url": "#"},
            ],
            chips=[{"label": "Status: In review", "url": "?"}, {"label": "Kind: Person", "url": "?"}],
            tones=["neutral", "info", "success", "warning", "danger", "accent"],
            crumbs=[("Applications", "#"), ("PA-20418", "")],
            reference=REFERENCE,
            payload={
                "partyId": REFERENCE,
                "status": "PENDING",
                "score": 0.82,
                "checks": ["name", "address"],
                "final": False,
                "note": None,
            },
            now=clock.now(),
            **kwargs,
        )

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; GET only."""
        return self.render_to_response(self.get_context_data(**kwargs))
