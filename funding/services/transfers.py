"""Asking for transfers, approving and cancelling those that wait, and where wires go."""

from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from funding import after, authorising, business_days, expecting, held, notices, operations, second_person
from funding import permissions as mine
from funding.errors import SecondFactorNeeded, TransferRefused
from funding.locking import lock_transfer
from funding.models import Authorisation, NoticeKind, Transfer, WireRecipient
from funding.terms import Order, Terms, terms
from onboarding.availability import Stop
from onboarding.jobs import lock_account
from onboarding.models import Owner, ProviderAccount
from portal import audit, clock, ids, outbox, permissions
from portal.context import current
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import User
from portal.money import Money

Status, Origin, Rail = Transfer.Status, Transfer.Origin, Transfer.Rail
#: The source of what the decision of its own case causes, which ends that case by itself.
FROM_CASE = "case"


@dataclass(frozen=True)
class Accepted:
    """What the person saw and agreed to: the digest of the text, and whether they showed a second factor just now."""

    text_sha256: str = ""
    second_factor: bool = False


def transfer_request(
    *,
    actor: User,
    account_id: UUID,
    direction: str,
    rail: str,
    amount: Money,
    source: str,
    accepted: Accepted,
    recipient_id: UUID | None = None,
) -> Transfer:
    """Ask for one transfer: held for a second person where that is needed, on its way to the provider otherwise.

    `source` is page or api. Raises NotFound, Forbidden, TransferRefused with every reason why not, Invalid where the
    authorisation shown was not accepted, SecondFactorNeeded. Nothing is written then.
    """
    mine.account_for(actor, account_id, needs=mine.CREATE)
    with transaction.atomic():
        # One at a time for an account: limits and balances are sums over its rows.
        account = lock_account(account_id)
        recipient = _recipient(account, recipient_id) if rail == Rail.WIRE else None
        found = terms(actor, account, Order(direction, rail, amount, recipient))
        if found.stops:
            raise TransferRefused(found.stops)
        text = authorisation_text(account, found) if rail == Rail.ACH else ""
        if text and accepted.text_sha256 != authorising.digest(text):
            raise Invalid(
                "Read the authorisation and accept it.",
                fields={"accepted": ["Accept the authorisation as it is shown now."]},
            )
        if found.second_factor and not accepted.second_factor:
            raise SecondFactorNeeded()
        transfer = Transfer.objects.create(
            account=account,
            bank=found.bank,
            recipient=recipient,
            status=Status.HELD if found.held_for else Status.REQUESTED,
            direction=direction,
            rail=rail,
            origin=_origin(actor, source),
            amount_minor=amount.minor,
            currency=amount.currency,
            reference=str(ids.new_id()),
            requested_by=actor,
            held_for=found.held_for,
            expected_on=found.expected_on,
            release_on=found.release_on,
        )
        transfer.enter()
        if text:
            _keep_authorisation(transfer, text, actor, source)
        _recorded("transfer.request", transfer, actor, source)
        after.asked(transfer)
        if not found.held_for:
            send(transfer, actor=actor)
    return transfer


def authorisation_text(account: ProviderAccount, found: Terms) -> str:
    """What is to be accepted before the order goes, as it reads today; "" while there is no bank or amount."""
    if found.bank is None or found.order.amount is None:
        return ""
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    return authorising.text_for(
        name=owner.full_name,
        direction=found.order.direction,
        amount=found.order.amount,
        bank=found.bank,
        on=business_days.goes_on(found.order.rail, clock.now()),
    )


def send(transfer: Transfer, *, actor: User | None) -> None:
    """Write the call that asks the provider, in the caller's transaction; its answer, and when it is late, are
    expected."""
    outbox.enqueue(operation=operations.TRANSFER, subject=transfer, body={}, actor=actor)
    expecting.pending(transfer)


def transfer_approve(*, actor: User, transfer_id: UUID, source: str) -> Transfer:
    """Let a held transfer go, as the second person, on the terms of now.

    Raises NotFound, Forbidden also for whoever asked for it or had a hand in it (funding/second_person.py),
    TransferRefused when something stops it by now, and IllegalMove when it does not wait any more.
    """
    permissions.require(actor, mine.APPROVE)
    with transaction.atomic():
        transfer = lock_transfer(transfer_id)
        why_not = second_person.why_not(actor.pk, transfer.pk)
        if why_not:
            raise Forbidden(f"You cannot be the second person: you {why_not}. Ask a colleague.")
        stops = _still_stopped(transfer)
        if stops:
            raise TransferRefused(stops)
        transfer.move_to(Status.REQUESTED, actor=actor, source=source)
        transfer.approved_by = actor
        transfer.expected_on = business_days.expected_on(transfer.direction, transfer.rail, clock.now())
        if transfer.is_deposit:
            extra = transfer.bank.extra_hold_days if transfer.bank else 0
            transfer.release_on = business_days.release_on(transfer.rail, clock.now(), extra_days=extra)
        transfer.save(update_fields=["approved_by", "expected_on", "release_on"])
        _recorded("transfer.approve", transfer, actor, source)
        send(transfer, actor=actor)
        if source != FROM_CASE:
            held.settled(transfer, "Approved on the transfer's page.", source=source)
    return transfer


def transfer_cancel(*, actor: User, transfer_id: UUID, reason: str, source: str) -> Transfer:
    """Take back a transfer that still waits for approval. What was sent cannot be taken back: the provider has no such
    call. The customer may cancel their own; staff need the permission to approve, or to have asked for it.

    Raises NotFound, Forbidden, Conflict when it was sent already.
    """
    with transaction.atomic():
        transfer = lock_transfer(transfer_id)
        mine.account_for(actor, transfer.account_id)
        if actor.is_staff_member and transfer.requested_by_id != actor.pk:
            permissions.require(actor, mine.APPROVE)
        if transfer.status != Status.HELD:
            raise Conflict("This transfer was sent already and cannot be cancelled here.")
        transfer.move_to(Status.CANCELLED, actor=actor, reason=reason, source=source)
        after.moved(transfer, Status.HELD, source=source)
        _recorded("transfer.cancel", transfer, actor, source)
        if source != FROM_CASE:
            held.settled(transfer, "Cancelled on the transfer's page.", source=source)
    return transfer


def wire_recipient_add(
    *,
    actor: User,
    account_id: UUID,
    bank_name: str,
    bank_address: str,
    routing_number: str,
    account_number: str,
    swift_code: str = "",
) -> WireRecipient:
    """Keep where the account's wires may go. The forms check the numbers' form; the owner's name is the account's.

    Raises NotFound, Forbidden.
    """
    account = mine.account_for(actor, account_id, needs=mine.CREATE)
    with transaction.atomic():
        recipient = WireRecipient.objects.create(
            account=account,
            bank_name=bank_name,
            bank_address=bank_address,
            routing_number=routing_number,
            account_number=account_number,
            swift_code=swift_code,
            added_by=actor,
        )
        audit.record(
            "wire_recipient.add",
            subject=account.application,
            actor=actor,
            after={"recipient": str(recipient.pk)},
        )
        told = account.application.customer.user
        notices.tell(told, NoticeKind.WIRE_ACCOUNT, title="A bank account for wires was added")
    return recipient


def wire_recipient_remove(*, actor: User, recipient_id: UUID) -> WireRecipient:
    """Offer it no more; transfers keep it. Raises NotFound, Forbidden."""
    with transaction.atomic():
        rows = WireRecipient.objects.select_for_update()
        recipient = rows.filter(pk=recipient_id, removed_at=None).first()
        if recipient is None:
            raise NotFound("There is no such bank account.")
        account = mine.account_for(actor, recipient.account_id, needs=mine.CREATE)
        recipient.removed_at = clock.now()
        recipient.save(update_fields=["removed_at"])
        audit.record(
            "wire_recipient.remove",
            subject=account.application,
            actor=actor,
            after={"recipient": str(recipient.pk)},
        )
        told = account.application.customer.user
        notices.tell(told, NoticeKind.WIRE_ACCOUNT, title="A bank account for wires was removed")
    return recipient


def _recipient(account: ProviderAccount, recipient_id: UUID | None) -> WireRecipient | None:
    if recipient_id is None:
        return None
    found = WireRecipient.objects.filter(pk=recipient_id, account=account, removed_at=None).first()
    if found is None:
        raise NotFound("There is no such bank account.")
    return found


def _still_stopped(transfer: Transfer) -> list[Stop]:
    """What stops it now, its own amount not counted twice: it is among the sums already."""
    order = Order(transfer.direction, transfer.rail, None, transfer.recipient)
    return terms(transfer.requested_by, transfer.account, order).stops


def _origin(actor: User, source: str) -> str:
    if actor.is_staff_member:
        return Origin.STAFF
    return Origin.APP if source == "api" else Origin.CUSTOMER


def _keep_authorisation(transfer: Transfer, text: str, actor: User, source: str) -> None:
    context = current()
    Authorisation.objects.create(
        transfer=transfer,
        text=text,
        text_sha256=authorising.digest(text),
        accepted_by=actor,
        ip=context.ip or None,
        user_agent=context.user_agent[:300],
        source="staff" if actor.is_staff_member else source,
    )


def _recorded(action: str, transfer: Transfer, actor: User, source: str) -> None:
    audit.record(
        action,
        subject=transfer,
        actor=actor,
        source=source,
        after={
            "direction": transfer.direction,
            "rail": transfer.rail,
            "amount": transfer.amount.as_decimal_string(),
            "currency": transfer.currency,
            "status": transfer.status,
            "held_for": transfer.held_for,
        },
    )
