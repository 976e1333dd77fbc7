"""The letters about a customer's bank and the lines in their list, each written in the transaction of what it tells of.

Of numbers they hold the mask alone.
"""

from django.conf import settings
from django.urls import reverse

from funding.bank_words import refusal
from funding.models import LinkedBank, Notice, NoticeKind
from onboarding.models import Owner
from portal import mail


def linked(bank: LinkedBank) -> None:
    """Money can be moved between the bank and the account."""
    _send(bank, "Your bank is linked", "bank_linked")


def refused(bank: LinkedBank) -> None:
    """It was not linked; why, and what to do."""
    _send(bank, "Your bank was not linked", "bank_refused")


def sign_in(bank: LinkedBank) -> None:
    """The bank wants its customer to sign in again."""
    _send(bank, "Please sign in at your bank again", "bank_sign_in")


def unlinked(bank: LinkedBank) -> None:
    """It is linked no more, whoever unlinked it."""
    _send(bank, "Your bank is no longer linked", "bank_unlinked")


def still_linked(bank: LinkedBank) -> None:
    """The provider did not unlink it; why, and what to do."""
    _send(bank, "Your bank is still linked", "bank_still_linked")


def _send(bank: LinkedBank, subject: str, template: str) -> None:
    application = bank.account.application
    owner = Owner.objects.get(application=application, is_applicant=True)
    user = application.customer.user
    Notice.objects.create(user=user, kind=NoticeKind.BANK, title=subject)
    mail.send(
        to=user.email,
        subject=subject,
        template=template,
        context={
            "name": owner.given_name or user.name,
            "reference": application.reference,
            "bank": bank.institution,
            "mask": bank.mask,
            "why": refusal(bank),
            "page": settings.PORTAL_URL + reverse("money:bank"),
        },
    )
