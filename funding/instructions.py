"""Where a customer sends a wire. Asked of the provider each time they are shown: the bank's details can change, so
nothing here keeps them (contract 5.5)."""

import structlog
from django.core.exceptions import ImproperlyConfigured

from funding.errors import TransferRefused
from onboarding import availability
from onboarding.models import ProviderAccount
from portal.errors import ProviderAway
from portal.models import User
from providers.bakkt.fiat import WireInstructions
from providers.clients import bakkt_fiat
from providers.errors import ProviderError

log = structlog.get_logger(__name__)

RETRY_AFTER = 30
#: The name on the wire must be the account's; without the reference it is booked late, or sent back.
RULES = (
    "Send the wire from an account in your own name. A wire in another name is sent back.",
    "Write the reference code into the field for the beneficiary's instructions. Without it the money is booked late, "
    "or sent back.",
    "A wire that is in by 2 p.m. New York time on a business day is booked by 4 p.m. that day; a later one by 10 a.m. "
    "on the next business day.",
    "There is no smallest amount. From $500,000 on the provider asks where the money comes from, which takes longer.",
)


def wire_instructions(actor: User, account: ProviderAccount) -> WireInstructions:
    """The instructions as of now, for an account of the actor's. Raises TransferRefused while nothing may be paid in,
    and ProviderAway when the provider does not answer while the customer waits."""
    stops = availability.can(actor, availability.Use.DEPOSIT, account)
    if stops:
        raise TransferRefused(stops)
    try:
        return bakkt_fiat(waiting=True).wire_instructions(account.client_account_id)
    except (ProviderError, ImproperlyConfigured) as error:
        log.warning("wire_instructions_not_read", error=type(error).__name__)
        raise ProviderAway(
            "We cannot show the wire instructions just now: the provider does not answer. Do not use older ones, they "
            "may have changed. Try again in a minute.",
            retry_after=RETRY_AFTER,
        ) from None
