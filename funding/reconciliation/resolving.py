"""What a person does about a difference, once each: apply their record, send again, leave it to them, write off."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import transaction

from funding import after, arrivals, hearing
from funding import permissions as mine
from funding.locking import lock_transfer
from funding.models import ReconciliationItem, Transfer
from funding.reconciliation import items
from funding.services.stuck import transfer_send_again
from onboarding.jobs import lock_account
from portal import audit, clock, permissions
from portal.errors import Conflict, Forbidden, NotFound
from portal.models import User
from portal.money import Money
from providers.bakkt.fiat_events import INSTRUMENTS, Direction, FiatEvent, FiatStatus

Kind, Status, Resolution = (
    ReconciliationItem.Kind,
    ReconciliationItem.Status,
    ReconciliationItem.Resolution,
)


def why_not_apply(item: ReconciliationItem) -> str:
    """Why their record cannot be taken over; "" when it can."""
    if item.kind == Kind.MISSING_HERE:
        if item.account_id is None:
            return "No account here bears their reference."
        if not item.their_status:
            return f"Nobody knows what their word {item.word!r} means."
        if not item.own:
            return "It names nothing by which it could be known again."
        return arrivals.why_not(_said(item))
    if item.kind == Kind.MISSING_THERE:
        return "They have none."
    if item.kind != Kind.STATE or item.transfer is None:
        return "Amounts and balances follow from transfers; write the difference off, or have them mend it."
    if not item.their_status:
        return f"Nobody knows what their word {item.word!r} means."
    if item.transfer.status == Transfer.Status.HELD or not item.transfer.may_move_to(item.their_status):
        return "Our transfer cannot go from where it is to what they say."
    return ""


def why_not_again(item: ReconciliationItem) -> str:
    """Why the transfer cannot be sent once more; "" when it can."""
    if item.kind != Kind.MISSING_THERE or item.transfer is None:
        return "Only what they do not have can be sent again."
    if item.transfer.stuck_at is None:
        return "They took it, so it is not sent twice. Ask their team where it is."
    return ""


def why_not_write_off(item: ReconciliationItem) -> str:
    """Why no adjustment can make the books equal; "" when one can."""
    if item.account_id is None:
        return "No account here bears their reference."
    if item.gap.minor == 0:
        return "There is no money between the two records."
    return ""


def item_apply(*, actor: User, item_id: UUID, source: str) -> ReconciliationItem:
    """Make our record what theirs is: the transfer moves, or what they began is entered.

    Raises Forbidden, NotFound, Conflict with why not.
    """
    with _locked(actor, item_id) as item:
        _require(why_not_apply(item))
        if item.kind == Kind.MISSING_HERE:
            assert item.account is not None
            item.transfer = arrivals.enter(item.account, _said(item), source=source)
            item.save(update_fields=["transfer"])
        else:
            assert item.transfer is not None
            heard = hearing.Heard(item.their_status, item.word, item.reason_code)
            hearing.apply(item.transfer, heard, source=source)
        _resolved(item, actor, Resolution.APPLIED, source)
    return item


def item_send_again(*, actor: User, item_id: UUID, source: str) -> ReconciliationItem:
    """Send the transfer once more under a new key. Raises as `item_apply`."""
    permissions.require(actor, mine.APPROVE)
    found = _found(item_id)
    _require(why_not_again(found))
    assert found.transfer_id is not None
    with transaction.atomic():
        # It locks the call before account and transfer; the item comes last.
        transfer_send_again(
            actor=actor, transfer_id=found.transfer_id, reason="Their record does not have it."
        )
        with _locked(actor, item_id) as item:
            _resolved(item, actor, Resolution.SENT_AGAIN, source)
    return item


def item_theirs(*, actor: User, item_id: UUID, note: str, source: str) -> ReconciliationItem:
    """It is the provider's to mend; it closes when it is right. Raises as `item_apply`."""
    with _locked(actor, item_id, alone=True) as item:
        if item.status != Status.OPEN:
            raise Conflict("It is being dealt with already.")
        item.note = note[:500]
        item.save(update_fields=["note"])
        item.move_to(Status.THEIRS, actor=actor, source=source)
    return item


def write_off_propose(*, actor: User, item_id: UUID, note: str, source: str) -> ReconciliationItem:
    """Ask a second person to write the difference off. Raises as `item_apply`."""
    with _locked(actor, item_id, alone=True) as item:
        _require(why_not_write_off(item))
        if item.status == Status.PROPOSED:
            raise Conflict("A write-off of it waits for a second person already.")
        item.note, item.proposed_by = note[:500], actor
        item.save(update_fields=["note", "proposed_by"])
        item.move_to(Status.PROPOSED, actor=actor, source=source)
    return item


def write_off_refuse(*, actor: User, item_id: UUID, source: str) -> ReconciliationItem:
    """Do not write it off; whoever proposed it may take it back so too. Raises as `item_apply`."""
    with _locked(actor, item_id, alone=True) as item:
        if item.status != Status.PROPOSED:
            raise Conflict("No write-off of it waits.")
        item.proposed_by = None
        item.save(update_fields=["proposed_by"])
        item.move_to(Status.OPEN, actor=actor, source=source)
    return item


def write_off_approve(*, actor: User, item_id: UUID, source: str) -> ReconciliationItem:
    """Book the adjustment, as the second person. Raises as `item_apply`, Forbidden also for whoever proposed it."""
    with _locked(actor, item_id) as item:
        if item.status != Status.PROPOSED:
            raise Conflict("No write-off of it waits.")
        if item.proposed_by_id == actor.pk:
            raise Forbidden("Whoever proposed a write-off cannot approve it. Ask a colleague.")
        _require(why_not_write_off(item))
        assert item.account is not None
        gap = item.gap
        moment = clock.now()
        item.adjustment = Transfer.objects.create(
            account=item.account,
            status=Transfer.Status.COMPLETED,
            kind=Transfer.Kind.ADJUSTMENT,
            direction=Transfer.Direction.DEPOSIT if gap.minor > 0 else Transfer.Direction.WITHDRAWAL,
            rail=Transfer.Rail.BOOK,
            origin=Transfer.Origin.STAFF,
            amount_minor=abs(gap.minor),
            currency=gap.currency,
            reference=f"write-off:{item.pk}",
            requested_by=item.proposed_by,
            approved_by=actor,
            completed_at=moment,
        )
        item.adjustment.enter()
        item.save(update_fields=["adjustment"])
        after.arrived(item.adjustment, source=source)
        audit.record(
            "transfer.write_off",
            subject=item.adjustment,
            actor=actor,
            source=source,
            reason=item.note,
            after={"amount": gap.as_decimal_string(), "difference": str(item.pk)},
        )
        _resolved(item, actor, Resolution.WRITTEN_OFF, source)
    return item


@contextmanager
def _locked(actor: User, item_id: UUID, *, alone: bool = False) -> Iterator[ReconciliationItem]:
    """The item in a transaction, locked after its account and its transfer; `alone`: without these.

    Raises Forbidden, NotFound, Conflict when it does not wait any more.
    """
    permissions.require(actor, mine.APPROVE)
    found = _found(item_id)
    with transaction.atomic():
        transfer = account = None
        if not alone and found.transfer_id is not None:
            transfer = lock_transfer(found.transfer_id)
            account = transfer.account
        elif not alone and found.account_id is not None:
            account = lock_account(found.account_id)
        item = ReconciliationItem.objects.select_for_update(of=("self",)).get(pk=item_id)
        if not item.active:
            raise Conflict("This difference was dealt with already.")
        if transfer is not None:
            item.transfer = transfer
        if account is not None:
            item.account = account
        yield item


def _found(item_id: UUID) -> ReconciliationItem:
    found = ReconciliationItem.objects.select_related("transfer").filter(pk=item_id).first()
    if found is None:
        raise NotFound("There is no such difference.")
    return found


def _require(why_not: str) -> None:
    if why_not:
        raise Conflict(why_not)


def _resolved(item: ReconciliationItem, actor: User, resolution: str, source: str) -> None:
    item.resolution, item.resolved_by = resolution, actor
    item.save(update_fields=["resolution", "resolved_by"])
    words = Resolution(resolution).label
    item.move_to(Status.RESOLVED, actor=actor, reason=words, source=source)
    items.case_over(item, f"{words}.")


def _said(item: ReconciliationItem) -> FiatEvent:
    """Their record as an event would have told it."""
    direction = {"deposit": Direction.DEPOSIT, "withdrawal": Direction.WITHDRAW}.get(item.their_direction)
    return FiatEvent(
        party_ref=item.party_ref,
        reference="" if item.key == item.own else item.key,
        kind=INSTRUMENTS.get(item.instrument.upper()),
        direction=direction,
        type_word=item.type_word,
        instrument=item.instrument,
        word=item.word,
        status=FiatStatus(item.their_status) if item.their_status else None,
        amount=Money(item.their_minor, item.currency) if item.their_minor is not None else None,
        reason_code=item.reason_code,
        provider_id=item.own.removeprefix("bakkt:"),
        at=item.their_at,
        request_id="",
    )
