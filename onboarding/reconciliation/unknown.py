"""Accounts that the provider speaks of and nobody here knows: from webhooks in quarantine, and from its list."""

from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Max, OuterRef

from compliance import services as compliance
from onboarding.models import ProviderAccount, UnknownAccount
from portal import clock
from providers.models import InboundEvent

KIND = "onboarding.unknown_account"
FoundBy = UnknownAccount.FoundBy


def look() -> int:
    """Open a case for each reference that webhooks in quarantine name and nobody knows; how many are open.

    Safe in parallel and after a crash: a case and a day's fact are there once.
    """
    ours = ProviderAccount.objects.filter(client_account_id=OuterRef("party_ref"))
    named = (
        InboundEvent.objects.filter(~Exists(ours), status=InboundEvent.Status.QUARANTINED, subject_id=None)
        .exclude(party_ref="")
        .order_by()
        .values("provider", "party_ref")
        .annotate(last=Max("received_at"))
    )
    for row in named.iterator(chunk_size=500):
        with transaction.atomic():
            known = UnknownAccount.objects.filter(provider=row["provider"], ref=row["party_ref"]).first()
            if known is None or known.last_seen_at < row["last"]:
                found(row["provider"], row["party_ref"], FoundBy.WEBHOOK, at=row["last"])
    settle_known()
    return UnknownAccount.objects.filter(known_at=None).count()


def found(provider: str, ref: str, by: str, *, words: str = "", at: datetime | None = None) -> UnknownAccount:
    """Write the reference down and tell a person, in the caller's transaction. The same again on one day is no news."""
    at = at or clock.now()
    row, is_new = UnknownAccount.objects.get_or_create(
        provider=provider, ref=ref, defaults={"found_by": by, "words": words, "last_seen_at": at}
    )
    if not is_new:
        row.last_seen_at, row.words, row.known_at = max(row.last_seen_at, at), words or row.words, None
        row.save(update_fields=["last_seen_at", "words", "known_at"])
    compliance.case_open(
        kind=KIND,
        subject=subject_of(row),
        title="A webhook is about an account nobody here knows"
        if by == FoundBy.WEBHOOK
        else "The provider's list has an account nobody here knows",
        facts={"reference": ref, "status": words or "not told"},
        source="webhook" if by == FoundBy.WEBHOOK else "reconciliation",
        dedupe=f"{by}:{words}:{at:%Y-%m-%d}" if by == FoundBy.WEBHOOK else f"{by}:{words}",
    )
    return row


def settle_known() -> None:
    """What an account here bears by now is known: its case closes by itself."""
    ours = ProviderAccount.objects.filter(client_account_id=OuterRef("ref"))
    for row in UnknownAccount.objects.filter(Exists(ours), known_at=None).iterator(chunk_size=500):
        with transaction.atomic():
            UnknownAccount.objects.filter(pk=row.pk).update(known_at=clock.now())
            compliance.case_settle(
                kind=KIND,
                subject=subject_of(row),
                reason="An account here bears this reference now.",
                source="reconciliation",
            )


def subject_of(row: UnknownAccount) -> compliance.Subject:
    """The unknown account as its case is about it."""
    return compliance.Subject.of(row, row.ref[:200])
