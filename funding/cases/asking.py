"""The decisions that ask the customer, of all kinds of cases about money."""

from collections.abc import Mapping
from datetime import timedelta

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from funding import asked
from funding.subjects import account_id_of, application_id_of
from onboarding.cases.provider_decisions import PAPER_WITHIN, PAPERS, ask_paper
from onboarding.models import ProviderAccount

_BANK = "bank"
_TO_LINK = {_BANK: "Another bank account, or the same one linked anew"}
_HINT = (
    "The customer gets a letter and a line in their list; both name no amount and no bank. Of a paper they read, word "
    "for word, what you write here. The case comes back when they did it, or the day after their two weeks."
)


def page(case: Case) -> str:
    """Where the customer of this case is asked for any other paper."""
    found = application_id_of(case.subject_id)
    return reverse("staff_documents:ask", args=[found]) if found else ""


def _ask(ruling: kinds.Ruling) -> str:
    rows = ProviderAccount.objects.select_related("application__customer__user")
    account = rows.get(pk=account_id_of(ruling.case.subject_id))
    if ruling.reason_code == _BANK:
        asked.new_bank(account)
        return "The customer was asked to link another bank account. When it is linked, the case comes back."
    said = ask_paper(ruling, account.application, case_id=ruling.case.pk)
    asked.paper(account, in_words=not PAPERS[ruling.reason_code][1])
    return said


def decision(code: str, *, with_bank: bool = False) -> kinds.Decision:
    """Ask the customer for a paper, or `with_bank` to link another bank account."""
    reasons: Mapping[str, str] = {name: words for name, (words, _) in PAPERS.items()}
    return kinds.Decision(
        code,
        "Ask the customer, and wait",
        _HINT,
        effect=_ask,
        reasons={**reasons, **(_TO_LINK if with_bank else {})},
        needs_text=True,
        waits_on="customer",
        waits_for=PAPER_WITHIN + timedelta(days=1),
    )
