"""Banks of which nobody knows whether they are linked: their call given up, or taken and never spoken of. A case each.

The bank is marked, so that its pages say so, and stays as it is until a person or the provider's word ends it.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from compliance import services as compliance
from funding import operations
from funding.given_up import end_cases
from funding.locking import lock_bank
from funding.models import LinkedBank
from funding.subjects import subject_of
from portal import clock, outbox
from portal.doorbell import ring
from portal.models import OutboundCall

KIND = "funding.bank_call_given_up"
Status = LinkedBank.Status
#: The calls of which a bank's way waits, and where the bank is while it does.
ASKED_IN = {
    operations.OWNER_MATCH: Status.LINKING,
    operations.PROCESSOR_TOKEN: Status.LINKING,
    operations.LINK: Status.LINKING,
    operations.UNLINK: Status.UNLINKING,
}


def gave_up(call: OutboundCall) -> None:
    """A person finds out, unless the bank went on meanwhile. In the transaction that gives the call up."""
    bank = lock_bank(call.subject_id)
    if bank.status == ASKED_IN[call.operation]:
        stuck(bank)
    else:
        ring("funding.tasks.bank_call_heard", bank.pk, queue="provider")


def stuck(bank: LinkedBank) -> None:
    """Mark the locked bank and open its case; once."""
    if bank.stuck_at is None:
        bank.stuck_at = clock.now()
        bank.save(update_fields=["stuck_at"])
        what = "unlinked" if bank.status == Status.UNLINKING else "linked"
        tell(bank, f"Nobody knows whether a bank is {what}", dedupe=bank.stuck_at.isoformat())


def tell(bank: LinkedBank, title: str, *, dedupe: str) -> None:
    """Open a case about the bank, or add to it, in the caller's transaction."""
    call = _calls(bank.pk).defer("body").order_by("-created_at").first()
    compliance.case_open(
        kind=KIND,
        subject=subject_of(bank),
        title=title,
        facts={
            "institution": bank.institution,
            "mask": bank.mask,
            "attempts": call.attempts if call else 0,
            "last said": (call.problem if call else "") or "nothing",
        },
        source="outbox",
        dedupe=dedupe,
    )


def over(bank: LinkedBank, *, source: str) -> None:
    """The locked bank goes on: nothing waits for a person any more. A case's own decision ends the case by itself."""
    if bank.stuck_at is None:
        return
    bank.stuck_at = None
    bank.save(update_fields=["stuck_at"])
    if source != "case":
        end_cases(KIND, subject_of(bank), "It was settled without a decision.")
    # After the commit: whoever works on the call locks it before the account.
    ring("funding.tasks.bank_call_heard", bank.pk, queue="provider")


def heard(bank_id: UUID) -> None:
    """End the calls that wait for a person though their bank went on without them."""
    with transaction.atomic():
        calls = list(_waiting(bank_id).select_for_update(of=("self",)))
        bank = lock_bank(bank_id)
        for call in calls:
            if bank.status != ASKED_IN[call.operation]:
                done = outbox.Succeeded({"heard": True})
                outbox.conclude(call_id=call.pk, outcome=done, reason="It was settled.", record=False)


def waiting(bank_id: UUID) -> OutboundCall | None:
    """The bank's call that waits for a person."""
    return _waiting(bank_id).order_by("-created_at").first()


def lock(bank_id: UUID) -> None:
    """The calls, then account and bank, as the worker that records an answer takes them."""
    list(_waiting(bank_id).select_for_update(of=("self",)))
    lock_bank(bank_id)


def _calls(bank_id: UUID) -> QuerySet[OutboundCall]:
    return OutboundCall.objects.filter(
        subject_type=LinkedBank._meta.label_lower, subject_id=bank_id, operation__in=ASKED_IN
    )


def _waiting(bank_id: UUID) -> QuerySet[OutboundCall]:
    return _calls(bank_id).filter(status=OutboundCall.Status.NEEDS_PERSON).defer("body")
