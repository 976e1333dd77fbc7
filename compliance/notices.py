"""Letters to colleagues about proposed decisions, each written in the transaction of what it tells of.

They name the case's reference and its page, and nothing of what it is about.
"""

from django.urls import reverse

from compliance.models import Case, Proposal
from portal import mail
from portal.models import User
from portal.permissions import TABLE

MANAGING_ROLES = [role for role, words in TABLE.items() if "case.manage" in words]


def came_back(proposal: Proposal, why: str) -> None:
    """To the maker: the decision was not approved, and why in a few words of ours."""
    _send(proposal.maker, proposal.case, f"{proposal.case.reference} needs you again", "case_came_back", why)


def nobody_can_approve(proposal: Proposal) -> None:
    """To every manager: a decision waits for a second person, and nobody can be it."""
    case = proposal.case
    for manager in User.objects.filter(is_active=True, role__in=MANAGING_ROLES).order_by("pk"):
        _send(manager, case, f"Nobody can approve {case.reference}", "approval_nobody", "")


def _send(to: User, case: Case, subject: str, template: str, why: str) -> None:
    if to.is_active:
        context = {
            "name": to.name,
            "reference": case.reference,
            "path": reverse("cases:detail", args=[case.pk]),
            "why": why,
        }
        mail.send(to=to.email, subject=subject, template=template, context=context)
