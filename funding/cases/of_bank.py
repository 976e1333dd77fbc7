"""What kinds of cases about a bank share: the way from it to the account, and what is shown of it."""

from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from funding.login_jobs import name_of
from funding.models import LinkedBank
from onboarding import second_person
from onboarding.cases import traits
from onboarding.dossier import anchors
from portal.ui.time import moment_words


def bank_of(subject_id: UUID) -> LinkedBank | None:
    """The bank a case is about."""
    rows = LinkedBank.objects.select_related("account__application")
    return rows.defer("access_token").filter(pk=subject_id).first()


def section(bank: LinkedBank) -> kinds.Section:
    """The bank account in lines."""
    score = f"{bank.owner_score} of 100" if bank.owner_score is not None else "None"
    return kinds.Section(
        "The bank account",
        (
            kinds.Row("Customer's name", name_of(bank.account.application_id)),
            kinds.Row("Bank", bank.institution),
            kinds.Row(
                "Account",
                f"{bank.name} ··{bank.mask}, {bank.get_subtype_display().lower()}",
                page(bank.pk),
            ),
            kinds.Row("How well the bank's owner fits", f"{bank.get_owner_display()}, {score}"),
            kinds.Row("Chosen", moment_words(bank.created_at)),
            kinds.Row("How far", bank.get_status_display()),
        ),
    )


def page(subject_id: UUID) -> str:
    """The staff page of the account's bank."""
    bank = bank_of(subject_id)
    return reverse("funding_staff:bank", args=[bank.account_id]) if bank else ""


def anchor(case: Case) -> kinds.Anchor | None:
    """The application as that to which all that is known belongs."""
    bank = bank_of(case.subject_id)
    return kinds.Anchor(anchors.APPLICATION, bank.account.application_id) if bank else None


def traits_of(subject_id: UUID) -> kinds.Traits:
    """Country and language of the customer."""
    bank = bank_of(subject_id)
    return traits.of_account(bank.account_id) if bank else kinds.Traits()


ruled_out = second_person.about((LinkedBank, "account__application"))
