"""What cases of funding are about, and the way from it to the account and its application."""

from uuid import UUID

from django.urls import reverse

from compliance.kinds import Anchor, Traits
from compliance.models import Case
from compliance.services import Subject
from funding.locking import lock_transfer
from funding.models import BankLogin, LinkedBank, Transfer
from onboarding.cases import traits
from onboarding.dossier import anchors
from onboarding.jobs import lock_account
from onboarding.models import Owner, ProviderAccount


def subject_of(row: Transfer | LinkedBank | BankLogin | ProviderAccount) -> Subject:
    """A transfer, a bank, a login at one or an account as its case is about it, named by the customer."""
    account = row if isinstance(row, ProviderAccount) else row.account
    owner = Owner.objects.get(application=account.application_id, is_applicant=True)
    what = f"transfer {row.short}" if isinstance(row, Transfer) else account.client_account_id
    return Subject.of(row, f"{owner.full_name}, {what}"[:200])


def transfer_of(subject_id: UUID) -> Transfer | None:
    """The transfer of that key with what its case shows; None where the subject is an account."""
    rows = Transfer.objects.select_related("account__application", "bank", "recipient", "requested_by")
    return rows.filter(pk=subject_id).first()


def account_id_of(subject_id: UUID) -> UUID:
    """The account that a case is about, by a transfer of it or itself."""
    found = Transfer.objects.filter(pk=subject_id).values_list("account_id", flat=True).first()
    return found or subject_id


def application_id_of(subject_id: UUID) -> UUID | None:
    """The application of the account that a case is about."""
    rows = ProviderAccount.objects.filter(pk=account_id_of(subject_id))
    return rows.values_list("application_id", flat=True).first()


def page(subject_id: UUID) -> str:
    """The transfer's page, or that of the account's application."""
    if Transfer.objects.filter(pk=subject_id).exists():
        return reverse("funding_staff:transfer", args=[subject_id])
    application_id = application_id_of(subject_id)
    return reverse("staff:application", args=[application_id]) if application_id else ""


def anchor(case: Case) -> Anchor | None:
    """The application as that to which all that is known belongs."""
    found = application_id_of(case.subject_id)
    return Anchor(anchors.APPLICATION, found) if found else None


def traits_of(subject_id: UUID) -> Traits:
    """Country and language of the customer, and the transfer's amount."""
    transfer = Transfer.objects.filter(pk=subject_id).first()
    found = traits.of_account(transfer.account_id if transfer else subject_id)
    return Traits(found.country, found.language, transfer.amount if transfer else None)


def lock(subject_id: UUID) -> None:
    """The account, then the transfer: the order of everything that moves money."""
    if Transfer.objects.filter(pk=subject_id).exists():
        lock_transfer(subject_id)
    elif ProviderAccount.objects.filter(pk=subject_id).exists():
        lock_account(subject_id)
