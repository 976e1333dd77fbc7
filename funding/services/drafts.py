"""The way from the form over the review page to the transfer: whatever is sent twice makes one."""

from uuid import UUID

from django.db import transaction

from funding import permissions as mine
from funding import selectors
from funding.errors import TransferRefused
from funding.models import Transfer, TransferDraft
from funding.services.transfers import Accepted, transfer_request
from funding.terms import Order, terms
from portal.models import User


def draft_start(*, actor: User, account_id: UUID, order: Order) -> TransferDraft:
    """Keep an order with an amount for its review page; the same one open already is given again.

    Raises NotFound, TransferRefused with every reason why it could not be asked for now.
    """
    account = mine.account_for(actor, account_id, needs=mine.CREATE)
    assert order.amount is not None
    found = terms(actor, account, order)
    if found.stops:
        raise TransferRefused(found.stops)
    draft, _ = TransferDraft.objects.get_or_create(
        account=account,
        user=actor,
        direction=order.direction,
        rail=order.rail,
        amount_minor=order.amount.minor,
        currency=order.amount.currency,
        recipient=order.recipient,
        transfer=None,
    )
    return draft


def draft_accept(*, actor: User, draft_id: UUID, accepted: Accepted) -> Transfer:
    """The transfer of the draft: asked for now, or the one that it became before, from whichever page or device.

    Raises as transfer_request; the draft stays open then.
    """
    with transaction.atomic():
        selectors.draft_for(actor, draft_id)
        # Two that send it at once wait here for each other.
        draft = TransferDraft.objects.select_for_update().get(pk=draft_id)
        if draft.transfer_id is not None:
            return Transfer.objects.get(pk=draft.transfer_id)
        transfer = transfer_request(
            actor=actor,
            account_id=draft.account_id,
            direction=draft.direction,
            rail=draft.rail,
            amount=draft.amount,
            source="page",
            accepted=accepted,
            recipient_id=draft.recipient_id,
        )
        draft.transfer = transfer
        draft.save(update_fields=["transfer"])
    return transfer
