"""The words a person agrees to before their bank is debited, or credited: for one transfer, as shown (Nacha, WEB)."""

import hashlib
from datetime import date

from django.conf import settings
from django.utils.formats import date_format

from funding.models import LinkedBank, Transfer
from portal.money import Money


def text_for(*, name: str, direction: str, amount: Money, bank: LinkedBank, on: date) -> str:
    """The authorisation of one ACH transfer. The same order on the same day has the same text."""
    day, brand = date_format(on, "j F Y"), settings.PARTNER_NAME
    account = f"my {bank.get_subtype_display().lower()} account at {bank.institution} ending in {bank.mask}"
    if direction == Transfer.Direction.DEPOSIT:
        what = (
            f"I, {name}, authorise {brand} and its provider Bakkt to debit {amount.format()} once, electronically, "
            f"from {account}, on or after {day}, and to credit that account if they debit it in error."
        )
        end = (
            "I can cancel this authorisation only until the debit is sent, by writing to "
            f"{settings.SUPPORT_EMAIL}. If the debit is returned, it may be tried again only with a new authorisation, "
            "and a fee may be charged."
        )
    else:
        what = (
            f"I, {name}, authorise {brand} and its provider Bakkt to credit {amount.format()} once, electronically, "
            f"to {account}, on or after {day}, and to debit that account if they credit it in error."
        )
        end = f"Questions: {settings.SUPPORT_EMAIL}."
    return f"{what} I am the owner of that account. {end}"


def digest(text: str) -> str:
    """What names the text when it is accepted."""
    return hashlib.sha256(text.encode()).hexdigest()
