"""Movements that a rule finds unusual, and words of the provider that contradict what is known."""

from collections.abc import Sequence
from datetime import timedelta

from django.urls import reverse

from compliance import kinds
from compliance.models import Case, CaseFact
from funding import contradictions, second_person, subjects, watching
from funding.cases import asking, evidence, stopping
from onboarding.models import AccountHold
from portal.ui.time import moment_words
from providers.models import InboundEvent


def _unusual_evidence(case: Case) -> Sequence[kinds.Section]:
    rules = tuple(
        kinds.Row(rule.title, "Once a day at most" if rule.each_day else "For each transfer")
        for rule in watching.RULES
    )
    return [
        *evidence.stated(case),
        *evidence.of_case(case),
        kinds.Section("The rules there are", rules),
    ]


def _contradiction_evidence(case: Case) -> Sequence[kinds.Section]:
    facts = CaseFact.objects.filter(case=case).values_list("evidence", flat=True)
    keys = [fact["webhook"] for fact in facts if "webhook" in fact]
    events = InboundEvent.objects.filter(pk__in=keys).defer("body").order_by("-received_at")
    rows = tuple(
        kinds.Row(
            f"Webhook of {moment_words(event.received_at)}",
            event.outcome or event.get_status_display(),
            reverse("inbox:detail", args=[event.pk]),
        )
        for event in events
    )
    return [kinds.Section("What the provider said", rows), *evidence.of_case(case)]


_HOLD = stopping.decision(AccountHold.Cause.UNUSUAL)

unusual = kinds.CaseKind(
    name=watching.KIND,
    title="Unusual movements of money",
    purpose="A rule found something out of the ordinary for this customer. It stopped nothing. Find out whether it has "
    "a good reason, and hold the account where it has none.",
    checklist=(
        kinds.CheckItem("story", "Looked at the transfers before and after, and whose banks they are"),
        kinds.CheckItem("stated", "Compared with what the customer stated"),
    ),
    decisions=(
        kinds.Decision(
            "explained",
            "It has a good reason",
            "Say which.",
            reasons={
                "known": "Known of this customer",
                "shown": "The customer showed why",
                "small": "Too little to mind",
            },
            needs_text=True,
            verdict="approved",
        ),
        asking.decision("ask"),
        _HOLD,
    ),
    evidence=_unusual_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    ask_url=asking.page,
    lock=subjects.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    due_after=timedelta(days=1),
)


contradiction = kinds.CaseKind(
    name=contradictions.KIND,
    title="The provider contradicts what is known",
    purpose="A webhook about money was put aside: a word nobody knows, another amount, or success after failure. "
    "Nothing of it was applied. Compare both sides, and have the provider correct theirs or reconcile ours.",
    checklist=(
        kinds.CheckItem("both", "Compared the webhook with the provider's record on the transfer's page"),
        kinds.CheckItem("balance", "Compared the provider's balance with our books"),
    ),
    decisions=(
        kinds.Decision(
            "settled",
            "Settled",
            "Say which side was right, and what was done.",
            reasons={
                "ours": "Our record is right; the provider was told",
                "theirs": "The provider is right; reconciled",
                "word": "A new word, which is in the table now",
            },
            needs_text=True,
        ),
        kinds.Decision(
            "provider",
            "Ask the provider",
            "Write what you asked, and their ticket. The case comes back after a week, or with news.",
            needs_text=True,
            waits_on="provider",
        ),
        _HOLD,
    ),
    evidence=_contradiction_evidence,
    subject_url=subjects.page,
    anchor=subjects.anchor,
    lock=subjects.lock,
    traits=subjects.traits_of,
    ruled_out=second_person.ruled_out,
    priority=Case.Priority.HIGH,
    due_after=timedelta(days=1),
)
