"""Everything that happened to an application, in one list: steps, status changes, calls, webhooks, letters, views.

A fixed number of queries whatever its length; no personal data beyond masks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from onboarding.models import Application, ChangeRequest, ClosureRequest, ProviderAccount
from onboarding.requirements.titles import step_title
from portal.composed import Composed, Row
from portal.models import AuditEntry, OutboundCall, StatusChange
from portal.ui.plain import in_words, name_words
from providers.models import CallLog, ExpectedEvent, InboundEvent

LONGEST = 500

APPLICATION = Application._meta.label_lower
ACCOUNT = ProviderAccount._meta.label_lower
CHANGE = ChangeRequest._meta.label_lower
CLOSURE = ClosureRequest._meta.label_lower
WHAT = {ACCOUNT: "Account", CHANGE: "Restricted change", CLOSURE: "Closing of the account"}
OWN_WORDS = {CHANGE: dict(ChangeRequest.Status.choices), CLOSURE: dict(ClosureRequest.Status.choices)}
WORDS = dict(Application.Status.choices) | dict(ProviderAccount.Status.choices)
TONES = {
    "approved": "success",
    "active": "success",
    "rejected": "danger",
    "suspended": "danger",
    "inactive": "danger",
    "action_required": "warning",
    "correction_needed": "warning",
    "documents_needed": "warning",
    "liquidate_only": "warning",
}


@dataclass(frozen=True)
class Item:
    """One happening, as the timeline component shows it. `details` are label and value."""

    at: datetime
    icon: str
    title: str
    actor: str = ""
    body: str = ""
    tone: str = "neutral"
    details: list[tuple[str, str]] = field(default_factory=list)
    url_name: str = ""
    url_id: UUID | None = None


def timeline(application: Application) -> list[Item]:
    """The newest happenings of the application and its account, newest first (at most LONGEST of each kind)."""
    items = [item for read in PARTS.values() for item in read(application)]
    return sorted(items, key=lambda item: item.at, reverse=True)


def _keys(application: Application) -> list[tuple[str, UUID]]:
    account: ProviderAccount | None = getattr(application, "account", None)
    return [(APPLICATION, application.pk)] + ([(ACCOUNT, account.pk)] if account else [])


def _newest(rows: Callable[..., QuerySet[Any, Row]]) -> Composed[Row]:
    """The newest of what is about such rows: by the labels of their models, and their keys."""
    return Composed(
        lambda label, key: rows(subject_type__in=[label], subject_id__in=[key])[:LONGEST], str, UUID
    )


_CHANGES = _newest(
    lambda **about: StatusChange.objects.filter(**about).select_related("actor").order_by("-at")
)
_AUDITED = _newest(
    lambda **about: AuditEntry.objects.filter(**about).exclude(action__endswith=".status").order_by("-at")
)
_CALLS = _newest(lambda **about: OutboundCall.objects.filter(**about).defer("body").order_by("-created_at"))
_CALL_LOGS = _newest(lambda **about: CallLog.objects.filter(**about).order_by("-at"))
_EVENTS = _newest(lambda **about: InboundEvent.objects.filter(**about).defer("body").order_by("-received_at"))
_EXPECTED = _newest(
    lambda **about: ExpectedEvent.objects.filter(**about, state__in=["late", "recovered"]).order_by("-due_at")
)
_REQUESTS = {
    label: Composed(
        # Each time around the loop has its own model.
        partial(
            lambda model, account: (
                model.objects.filter(account=account).order_by("-pk").values_list("pk")[:LONGEST]
            ),
            model,
        ),
        UUID,
    )
    for label, model in ((CHANGE, ChangeRequest), (CLOSURE, ClosureRequest))
}


def _about(application: Application) -> tuple[list[str], list[UUID]]:
    keys = _keys(application)
    return [label for label, _ in keys], [key for _, key in keys]


def _statuses(application: Application) -> list[Item]:
    return _changes(_keys(application) + _requests_of(getattr(application, "account", None)))


def _people(application: Application) -> list[Item]:
    return [_audit_item(row) for row in _AUDITED(*_about(application))]


def _provider(application: Application) -> list[Item]:
    about = _about(application)
    return [*_calls(*about), *_events(*about), *_expected(*about)]


#: The kinds of happenings by the names of their filters: each gives the newest, at most LONGEST of each sort.
PARTS: dict[str, Callable[..., list[Item]]] = {
    "Statuses": _statuses,
    "Customer and staff": _people,
    "Provider": _provider,
}


def _requests_of(account: ProviderAccount | None) -> list[tuple[str, UUID]]:
    """What the customer asked for that the provider's operations do by hand."""
    if account is None:
        return []
    return [(label, key) for label, rows in _REQUESTS.items() for (key,) in rows(account.pk)]


def _changes(keys: list[tuple[str, UUID]]) -> list[Item]:
    rows = _CHANGES(sorted({label for label, _ in keys}), [key for _, key in keys])
    return [
        Item(
            row.at,
            "flag",
            f"{WHAT.get(row.subject_type, 'Application')}: {_word(row.subject_type, row.new)}",
            actor=row.actor.label if row.actor else _source(row.source),
            body=row.reason,
            tone=TONES.get(row.new, "info"),
            details=[("Before", _word(row.subject_type, row.old)), ("Request", row.request_id)],
        )
        for row in rows
    ]


def _word(subject_type: str, status: str) -> str:
    return str(OWN_WORDS.get(subject_type, WORDS).get(status, status))


_SOURCES = {
    "webhook": "Provider, by webhook",
    "poll": "Recovered by poll",
    "provider": "Provider, in its answer",
    "outbox": "Portal",
    "inbox": "Portal",
    "page": "Page",
    "api": "App",
}


def _source(source: str) -> str:
    return _SOURCES.get(source, "Portal")


_AUDIT_WORDS = {
    "document.upload": ("upload", "Paper uploaded"),
    "document.read": ("eye", "Paper read by staff"),
    "document.accept": ("check", "Paper accepted by staff"),
    "document.reject": ("circle-x", "Paper rejected by staff"),
    "document.request": ("mail", "Paper asked for"),
    "document.question": ("mail", "Question asked"),
    "document.question_answered": ("check", "Question answered in words"),
    "document.request_handed_in": ("upload", "Paper asked for is here"),
    "document.request_reopen": ("mail", "Paper asked for again"),
    "document.request_accepted": ("check", "Request for a paper closed: accepted"),
    "document.request_withdrawn": ("circle-x", "Request for a paper withdrawn"),
    "document.request_postpone": ("clock", "More time given for a paper"),
    "document.compare": ("eye", "Papers compared with the provider's"),
    "document.read_provider": ("eye", "Provider's copy of a paper read by staff"),
    "application.start": ("pencil", "Application started"),
    "application.import": ("upload", "Imported from a file"),
    "application.hand_over": ("send", "Handed over to the customer"),
    "application.owner_invite": ("mail", "Owner invited to fill in their own part"),
    "application.owner_joined": ("check", "Owner took their own part"),
    "customer.viewed_as": ("eye", "Customer's own page looked at by staff"),
    "application.view": ("eye", "Application opened by staff"),
    "pii.reveal": ("eye", "Masked data revealed"),
    "application.owner_add": ("pencil", "Person added"),
    "application.owner_change": ("pencil", "Person's role, country, control or share changed"),
    "application.owner_remove": ("pencil", "Person removed"),
    "account.update_request": ("pencil", "Change of details asked for"),
    "account.update_done": ("check", "Change of details ended"),
    "account.update_by_staff": ("check", "Copies made the same by staff"),
    "account.restricted_evidence": ("eye", "Papers that prove a restricted change given out"),
    "account.settlement": ("send", "Change of the settlement method asked for"),
    "account.settlement_done": ("check", "Change of the settlement method ended"),
    "account.restricted_request": ("pencil", "Change asked for that the provider alone makes"),
    "account.restricted_confirm": ("check", "The provider's change recorded"),
    "account.restricted_refuse": ("ban", "Change of the provider's not accepted"),
    "account.provider_note": ("eye", "What we ask the provider's compliance team given out"),
    "account.hold": ("ban", "Money of the account held by us"),
    "account.hold_release": ("check", "A hold of ours released"),
    "account.closure_request": ("pencil", "Closing of the account asked for"),
    "account.closure_pass_on": ("send", "Closing passed on to the provider's operations"),
    "account.closure_refuse": ("ban", "Closing refused"),
    "account.closure_keep": ("check", "The customer keeps the account"),
    "account.closure_done": ("check", "Closed by the provider"),
    "account.compare": ("eye", "Compared with the provider's copy"),
    "identity_check.begin": ("id-card", "Identity check asked for by the provider"),
    "identity_check.link": ("link", "Link for the identity check"),
    "identity_check.ask": ("refresh-cw", "New link for the identity check asked for"),
    "identity_check.override": ("refresh-cw", "Link asked for after declined consent"),
    "identity_check.opened": ("external-link", "Link for the identity check opened"),
    "identity_check.handoff": ("smartphone", "Identity check carried to a phone"),
    "account.doubt": ("circle-help", "A word that contradicts what is known"),
    "account.doubt_settled": (
        "check",
        "Settled by reading the provider's record: the late word has no effect",
    ),
}


def _audit_item(row: AuditEntry) -> Item:
    icon, title = _AUDIT_WORDS.get(row.action, ("circle", row.action))
    after = row.after or {}
    if row.action == "application.step":
        icon, title = "pencil", f"Step saved: {step_title(after.get('step', ''))}"
    details = [
        (name_words(name), str(value) if name == "version" else in_words(value))
        for name, value in after.items()
        if name != "step"
    ]
    return Item(
        row.at, icon, title, actor=row.actor_label or _source(row.source), body=row.reason, details=details
    )


def _calls(labels: list[str], keys: list[UUID]) -> list[Item]:
    queued = [
        Item(
            row.created_at,
            "send",
            f"Call to the provider written down: {row.operation}",
            details=[
                ("State", row.get_status_display()),
                ("Attempts", str(row.attempts)),
                ("Key", row.idempotency_key),
            ],
        )
        for row in _CALLS(labels, keys)
    ]
    made = [
        Item(
            row.at,
            "arrow-up",
            f"{row.method} {row.template}",
            body=f"{row.outcome}".replace("_", " "),
            tone="success" if row.status and row.status < 300 else "warning",
            details=[
                ("HTTP status", str(row.status or "none")),
                ("Took", f"{row.duration_ms} ms"),
                ("Attempt", str(row.attempt)),
                ("Provider's request id", row.provider_request_id),
                ("Request", row.request_id),
            ],
        )
        for row in _CALL_LOGS(labels, keys)
    ]
    return queued + made


def _events(labels: list[str], keys: list[UUID]) -> list[Item]:
    return [
        Item(
            row.received_at,
            "arrow-down",
            f"Webhook: {row.kind or 'unknown kind'}",
            actor="Provider",
            body=row.outcome,
            tone="warning" if row.status in {"quarantined", "failed"} else "info",
            details=[
                ("Result", row.get_status_display()),
                ("Delivered", f"{row.deliveries} times" if row.deliveries > 1 else "once"),
            ],
            url_name="inbox:detail",
            url_id=row.pk,
        )
        for row in _EVENTS(labels, keys)
    ]


def _expected(labels: list[str], keys: list[UUID]) -> list[Item]:
    return [
        Item(
            row.due_at,
            "clock",
            "The provider's answer was late"
            + (", and was found by reading its record" if row.state == "recovered" else ""),
            tone="warning",
        )
        for row in _EXPECTED(labels, keys)
    ]
