"""What customers are asked about their money, and what of theirs brings the case back that asked.

A paper is asked for as everywhere (onboarding/services/document_requests.py): by letter, with its day, reminded of, and
its coming brings the case back. Another bank account is no paper: that it was linked is the answer.
"""

from compliance import services as compliance
from compliance.models import Case
from funding import notices, returns
from funding.models import LinkedBank, NoticeKind, Transfer
from onboarding.models import ProviderAccount


def paper(account: ProviderAccount, *, in_words: bool = False) -> None:
    """The line in the customer's list beside the letter that asks for a paper, or for an answer in words."""
    title = "We have a question for you" if in_words else ""
    notices.tell(account.application.customer.user, NoticeKind.PAPER, title=title)


def new_bank(account: ProviderAccount) -> None:
    """Ask for another bank account."""
    notices.tell(account.application.customer.user, NoticeKind.NEW_BANK)


def bank_linked(bank: LinkedBank, *, source: str) -> None:
    """News for the cases of returned transfers that wait for this customer. In the transaction that linked it."""
    transfers = Transfer.objects.filter(account=bank.account_id).values("pk")
    waiting = Case.objects.filter(
        kind=returns.KIND, status=Case.Status.WAITING_CUSTOMER, subject_id__in=transfers
    )
    for case_id in waiting.order_by("pk").values_list("pk", flat=True):
        compliance.case_tell(
            case_id=case_id,
            title="The customer linked a bank",
            facts={"institution": bank.institution, "mask": bank.mask},
            source=source,
            dedupe=f"bank:{bank.pk}:{bank.linked_at}",
        )
