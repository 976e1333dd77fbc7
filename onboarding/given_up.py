"""Calls that the outbox gave up: a case for each subject, what its page says meanwhile, and what ends it."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from compliance import services as compliance
from compliance.models import Case
from onboarding.jobs import lock_account
from onboarding.models import AccountUpdate, Document, Owner, ProviderAccount, SettlementChange
from onboarding.operations import (
    COMPARE,
    KYB_TRIGGER,
    SAVE_ACCOUNT,
    SETTLEMENT,
    SHARED_IDENTITY,
    UPDATE,
    UPLOAD,
)
from portal import clock, outbox
from portal.models import OutboundCall

KIND = "onboarding.call_given_up"
#: What each call was to do, as people say it.
WORDS = {
    SAVE_ACCOUNT: "Passing the application on",
    COMPARE: "Reading the provider's copy before a change",
    UPDATE: "Passing a change on",
    UPLOAD: "Passing a paper on",
    KYB_TRIGGER: "Asking for the checks of a company or trust to begin",
    SETTLEMENT: "Changing how an account settles",
    SHARED_IDENTITY: "Importing a shared identity check",
}


@dataclass(frozen=True)
class Watched:
    """The outbox handler of an operation, with a case for what was given up."""

    handler: outbox.Handler

    def send(self, call: OutboundCall) -> outbox.Outcome:
        """As the handler sends it."""
        return self.handler.send(call)

    def record(self, call: OutboundCall, outcome: outbox.Succeeded | outbox.Refused) -> None:
        """As the handler records it; what was given up before is settled by it."""
        self.handler.record(call, outcome)
        settled(call)

    def gave_up(self, call: OutboundCall) -> None:
        """A person looks, and the customer's page says so."""
        self.handler.gave_up(call)
        mark(account_of(call))
        tell(call, f"{WORDS[call.operation]} was given up", dedupe=f"{call.pk}:{call.idempotency_key}")


def account_id_of(call: OutboundCall) -> UUID:
    """The account that the call is about."""
    if call.subject_type == AccountUpdate._meta.label_lower:
        return AccountUpdate.objects.values_list("account_id", flat=True).get(pk=call.subject_id)
    if call.subject_type == SettlementChange._meta.label_lower:
        return SettlementChange.objects.values_list("account_id", flat=True).get(pk=call.subject_id)
    if call.subject_type == Document._meta.label_lower:
        rows = ProviderAccount.objects.filter(application__documents=call.subject_id)
        return rows.values_list("pk", flat=True).get()
    return call.subject_id


def account_of(call: OutboundCall) -> ProviderAccount:
    """The account that the call is about, locked with its application."""
    return lock_account(account_id_of(call))


def tell(call: OutboundCall, title: str, *, dedupe: str) -> None:
    """Open a case about the call's subject, or add to it, in the caller's transaction."""
    compliance.case_open(
        kind=KIND,
        subject=_subject(call),
        title=title,
        facts={
            "operation": call.operation,
            "attempts": call.attempts,
            "last said": call.problem or "nothing",
        },
        source="outbox",
        dedupe=dedupe,
    )


def of_subject(subject_id: UUID) -> QuerySet[OutboundCall]:
    """The calls about a subject that wait for a person."""
    return OutboundCall.objects.filter(
        subject_id=subject_id, operation__in=WORDS, status=OutboundCall.Status.NEEDS_PERSON
    ).order_by("created_at")


def mark(account: ProviderAccount) -> None:
    """Keep on a locked account whether one of its calls was given up, for its pages."""
    theirs = (
        Q(subject_id=account.pk)
        | Q(subject_id__in=AccountUpdate.objects.filter(account=account).values("pk"))
        | Q(subject_id__in=SettlementChange.objects.filter(account=account).values("pk"))
        | Q(subject_id__in=Document.objects.filter(application=account.application_id).values("pk"))
    )
    is_stuck = OutboundCall.objects.filter(
        theirs, operation__in=WORDS, status=OutboundCall.Status.NEEDS_PERSON
    ).exists()
    account.stuck_at = (account.stuck_at or clock.now()) if is_stuck else None
    account.save(update_fields=["stuck_at"])


def settled(call: OutboundCall) -> None:
    """The call came to an end: so does its case, decided or not, unless another call of the subject waits."""
    if not ProviderAccount.objects.filter(pk=account_id_of(call), stuck_at__isnull=False).exists():
        return
    mark(account_of(call))
    if of_subject(call.subject_id).exists():
        return
    end_case(call, "The call came to an end.")


def end_case(call: OutboundCall, reason: str) -> None:
    """Close the subject's case, whether it was decided or not."""
    subject = _subject(call)
    if compliance.case_settle(kind=KIND, subject=subject, reason=reason, source="outbox") is None:
        decided = Case.objects.filter(kind=KIND, subject_id=call.subject_id, status=Case.Status.DECIDED)
        for case_id in decided.values_list("pk", flat=True):
            compliance.case_close(case_id=case_id, reason=reason, source="outbox")


def _subject(call: OutboundCall) -> compliance.Subject:
    account = ProviderAccount.objects.get(pk=account_id_of(call))
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    label = f"{owner.full_name}, {account.client_account_id}"[:200]
    return compliance.Subject(call.subject_type, call.subject_id, label)
