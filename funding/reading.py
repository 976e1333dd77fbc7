"""Reading a transfer from the provider's own record, where its word stayed out."""

from dataclasses import dataclass
from uuid import UUID

import structlog
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from funding import after
from funding.hearing import Heard, hear
from funding.locking import lock_transfer
from funding.models import Transfer
from providers.bakkt.fiat_events import Movement
from providers.clients import bakkt_fiat
from providers.errors import Misconfigured, ProviderError

log = structlog.get_logger(__name__)


def read(transfer_id: UUID) -> bool:
    """Read the transfer from the provider's record and apply it as if it had been told; whether there was an answer."""
    transfer = Transfer.objects.select_related("account").get(pk=transfer_id)
    try:
        found = bakkt_fiat().transaction(transfer.account.client_account_id, transfer.reference)
    except Misconfigured:
        # Reads are off until the provider confirms their form (contract, question 15): silence says nothing then.
        return True
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("transfer_not_read", transfer=str(transfer_id), error=type(error).__name__)
        return False
    if found is None:
        _not_there(transfer_id)
    else:
        apply_reading(transfer_id, found)
    return True


def _not_there(transfer_id: UUID) -> None:
    """They took it, and have no record of it: nothing is sent again by itself, a person decides."""
    with transaction.atomic():
        transfer = lock_transfer(transfer_id)
        if transfer.status in {Transfer.Status.SENT, Transfer.Status.PENDING}:
            after.stuck(transfer)


def apply_reading(transfer_id: UUID, found: Movement) -> None:
    """Apply what the provider's record says of the transfer, where its words are known."""
    if found.status is None:
        log.warning("transfer_word_unknown", transfer=str(transfer_id))
        return
    hear(transfer_id, Heard(str(found.status), found.word, found.reason_code), source="poll")


@dataclass(frozen=True)
class Look:
    """The provider's record as a person reads it: the record, or why there is none to show. Nothing is applied."""

    found: Movement | None = None
    problem: str = ""


def look(transfer: Transfer) -> Look:
    """Read the provider's record while somebody waits."""
    try:
        found = bakkt_fiat(waiting=True).transaction(transfer.account.client_account_id, transfer.reference)
    except Misconfigured:
        return Look(
            problem="The provider's records cannot be read from here yet. Ask its team for our reference."
        )
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("transfer_not_read", transfer=str(transfer.pk), error=type(error).__name__)
        return Look(problem="The provider did not answer. Try again in a minute.")
    return Look(found) if found else Look(problem="The provider has no record under our reference.")
