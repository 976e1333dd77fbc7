"""A bank of which nobody knows whether it is linked: what a person does about it once they have found out."""

from uuid import UUID

from django.conf import settings
from django.db import transaction

from funding import bank_flow, bank_given_up, bank_words, operations
from funding import permissions as mine
from funding.locking import lock_bank
from funding.models import LinkedBank
from portal import audit, outbox, permissions
from portal.errors import Conflict
from portal.models import OutboundCall, User

Status = LinkedBank.Status
_NOT_ASKED = "The provider was not asked to link it yet. Ask again, or give it up."


def bank_call_again(*, actor: User, bank_id: UUID, reason: str) -> LinkedBank:
    """Make the call that was given up once more, under a new reference: the person found that it had no effect.

    Where the provider's record of links can be read, it is read right before. Raises Forbidden, NotFound, Conflict when
    the bank does not wait for a person, or the provider said that it has it.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        bank, call = _stuck(bank_id)
        if call is None:
            raise Conflict(
                "The provider took it, so it is not asked for again. If it has no record of it, give it up: "
                "the customer links anew."
            )
        look_up = bool(settings.BAKKT_LINK_READS)
        outbox.retry_by_person(actor=actor, call_id=call.pk, reason=reason, look_up=look_up)
        bank_given_up.over(bank, source="case")
        audit.record("bank.call_again", subject=bank, actor=actor, reason=reason)
    return bank


def bank_call_done(*, actor: User, bank_id: UUID, reason: str) -> LinkedBank:
    """It counts as done, linked or unlinked as was asked for: the person saw it at the provider.

    Raises as bank_call_again, and Conflict where nothing was asked of the provider yet.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        bank, call = _stuck(bank_id)
        if call is not None and call.operation not in {operations.LINK, operations.UNLINK}:
            raise Conflict(_NOT_ASKED)
        if call is not None:
            found = outbox.Succeeded({"found_by_person": True})
            outbox.conclude(call_id=call.pk, outcome=found, reason=reason, actor=actor, record=False)
        ends = bank_flow.unlinked if bank.status == Status.UNLINKING else bank_flow.linked
        ends(bank, actor=actor, reason="Seen at the provider.", source="case")
        audit.record("bank.call_done", subject=bank, actor=actor, reason=reason)
    return bank


def bank_call_give_up(*, actor: User, bank_id: UUID, reason: str) -> LinkedBank:
    """End it for good, unlinked; what the provider may have is unlinked there first. Raises as bank_call_again."""
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        bank, call = _stuck(bank_id)
        if call is not None:
            no = outbox.Refused("Given up for good.")
            outbox.conclude(call_id=call.pk, outcome=no, reason=reason, actor=actor, record=False)
        if bank.status == Status.UNLINKING:
            bank_flow.unlinked(bank, actor=actor, reason="Ended by hand.", source="case")
        elif call is None or call.operation == operations.LINK:
            bank.problem_code = bank_words.GIVEN_UP
            bank.save(update_fields=["problem_code"])
            bank_flow.unlink(bank, actor=actor, reason="Given up: unlinked to be sure.", source="case")
        else:
            bank_flow.refused(bank, code=bank_words.GIVEN_UP, problem="Given up.", actor=actor, source="case")
        audit.record("bank.call_give_up", subject=bank, actor=actor, reason=reason)
    return bank


def _stuck(bank_id: UUID) -> tuple[LinkedBank, OutboundCall | None]:
    """The locked bank and its call that waits, which is locked first, as by the worker that records an answer."""
    bank_given_up.lock(bank_id)
    bank = lock_bank(bank_id)
    if bank.stuck_at is None:
        raise Conflict("This bank does not wait for a person any more.")
    return bank, bank_given_up.waiting(bank_id)
