"""What funding knows of the banks of whom a case is about."""

from uuid import UUID

from django.urls import reverse

from compliance.dossier import Look, Part, Signal, Weight
from compliance.kinds import Row
from funding.models import LinkedBank
from funding.permissions import VIEW
from onboarding import shut_away
from onboarding.dossier import known
from onboarding.standing import account_of
from portal.composed import Composed, Question
from portal.permissions import can_do

Owner = LinkedBank.Owner
_SIGNALS = {
    Owner.MISMATCH: ("A bank account whose owner has another name", Weight.HIGH),
    Owner.CLOSE: ("A bank account whose owner has nearly the customer's name", Weight.LOW),
    Owner.UNKNOWN: ("A linked bank that tells no owner's name", Weight.MEDIUM),
}
#: What was never matched has no owner to speak of.
_MATCHED = [
    LinkedBank.Status.REVIEW,
    LinkedBank.Status.PENDING,
    LinkedBank.Status.ACTIVE,
    LinkedBank.Status.SIGN_IN,
    LinkedBank.Status.UNLINKING,
]


def of_application(application_id: UUID, look: Look) -> Part:
    """The banks of its account, as far as they say something."""
    application = known.application(look.case, application_id)
    account = account_of(application) if application else None
    if application is None or account is None:
        return Part()
    banks = _BANKS(account.pk)
    if not banks:
        return Part()
    about = tuple((bank._meta.label_lower, bank.pk) for bank in banks)
    if not can_do(look.viewer, VIEW) or shut_away.why_shut(look.viewer, application.customer):
        return Part(about=about)
    page = reverse("funding_staff:bank", args=[banks[0].account_id])
    signals = tuple(
        Signal(
            _SIGNALS[Owner(bank.owner)][0], str(bank), _SIGNALS[Owner(bank.owner)][1], page, bank.created_at
        )
        for bank in banks
        if bank.status in _MATCHED and bank.owner in _SIGNALS
    )
    pages = tuple(
        Row("Bank", f"{bank}, {bank.get_status_display().lower()}, {bank.get_owner_display().lower()}", page)
        for bank in banks[:3]
    )
    return Part(signals=signals, pages=pages, about=about)


def questions(application_id: UUID, look: Look) -> list[Question]:
    """What `of_application` asks."""
    application = known.application(look.case, application_id)
    account = account_of(application) if application else None
    return [_BANKS.of(account.pk)] if account else []


_BANKS = Composed(
    lambda account: (
        LinkedBank.objects.filter(account=account).defer("access_token").order_by("-created_at")[:20]
    )
)
