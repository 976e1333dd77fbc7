"""Transfers of which nobody knows what became, their call given up or the provider without a record: a case for each.

Money is set aside meanwhile, and nothing is sent again by itself: the provider may have forgotten the key.
"""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from compliance import services as compliance
from compliance.models import Case
from funding.locking import lock_transfer
from funding.models import Transfer
from funding.operations import TRANSFER
from funding.subjects import subject_of
from portal import outbox
from portal.models import OutboundCall

KIND = "funding.call_given_up"


def tell(transfer: Transfer, title: str, *, dedupe: str) -> None:
    """Open a case about the transfer, or add to it, in the caller's transaction."""
    call = _calls(transfer.pk).defer("body").order_by("-created_at").first()
    compliance.case_open(
        kind=KIND,
        subject=subject_of(transfer),
        title=title,
        facts={
            "amount": transfer.amount.as_decimal_string(),
            "attempts": call.attempts if call else 0,
            "last said": (call.problem if call else "") or "nothing",
        },
        source="outbox",
        dedupe=dedupe,
    )


def waiting(transfer_id: UUID) -> OutboundCall | None:
    """The transfer's call that waits for a person."""
    return _waiting(transfer_id).defer("body").first()


def heard(transfer_id: UUID) -> None:
    """The provider spoke of a transfer whose call waits for a person: it is not to be sent any more."""
    with transaction.atomic():
        call = _waiting(transfer_id).select_for_update(of=("self",)).first()
        if call is not None and lock_transfer(transfer_id).status != Transfer.Status.REQUESTED:
            done = outbox.Succeeded({"heard": True})
            outbox.conclude(call_id=call.pk, outcome=done, reason="The provider spoke of it.", record=False)


def lock(transfer_id: UUID) -> None:
    """The call, then account and transfer, as the worker that records an answer takes them."""
    list(_waiting(transfer_id).select_for_update(of=("self",)).defer("body"))
    lock_transfer(transfer_id)


def end_case(transfer: Transfer, reason: str) -> None:
    """Close the locked transfer's case, whether it was decided or not."""
    if Case.objects.filter(kind=KIND, subject_id=transfer.pk).exclude(status=Case.Status.CLOSED).exists():
        end_cases(KIND, subject_of(transfer), reason)


def end_cases(kind: str, subject: compliance.Subject, reason: str) -> None:
    """Close what is open of the kind about the locked subject, whether it was decided or not."""
    rows = Case.objects.filter(kind=kind, subject_id=subject.id).exclude(status=Case.Status.CLOSED)
    if compliance.case_settle(kind=kind, subject=subject, reason=reason, source="outbox") is None:
        for case_id in rows.values_list("pk", flat=True):
            compliance.case_close(case_id=case_id, reason=reason, source="outbox")


def _calls(transfer_id: UUID) -> QuerySet[OutboundCall]:
    return OutboundCall.objects.filter(
        subject_type=Transfer._meta.label_lower, subject_id=transfer_id, operation=TRANSFER
    )


def _waiting(transfer_id: UUID) -> QuerySet[OutboundCall]:
    return _calls(transfer_id).filter(status=OutboundCall.Status.NEEDS_PERSON)
