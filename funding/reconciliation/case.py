"""A difference that nobody dealt with in a day."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from funding.models import ReconciliationItem
from funding.reconciliation import items
from onboarding import second_person
from onboarding.cases import traits
from onboarding.dossier import anchors
from portal.money import Money
from portal.ui.time import moment_words


def _evidence(case: Case) -> Sequence[kinds.Section]:
    item = ReconciliationItem.objects.filter(pk=case.subject_id).first()
    if item is None:
        return ()
    page = reverse("money_reconciliation:item", args=[item.pk])
    rows = (
        kinds.Row("Difference", item.get_kind_display(), page),
        kinds.Row("How far", item.get_status_display()),
        kinds.Row("Account", item.party_ref),
        kinds.Row("Reference", item.key),
        kinds.Row("Found", moment_words(item.opened_at)),
    )
    return (kinds.Section("The difference", rows),)


def _anchor(case: Case) -> kinds.Anchor | None:
    rows = ReconciliationItem.objects.filter(pk=case.subject_id)
    found = rows.values_list("account__application_id", flat=True).first()
    return kinds.Anchor(anchors.APPLICATION, found) if found else None


def _traits(item_id: UUID) -> kinds.Traits:
    """Country and language of the customer, where it is anybody's, and how much the two sides differ by."""
    item = ReconciliationItem.objects.filter(pk=item_id).first()
    if item is None:
        return kinds.Traits()
    found = traits.of_account(item.account_id) if item.account_id else kinds.Traits()
    gap = abs(item.gap.minor)
    return kinds.Traits(found.country, found.language, Money(gap, item.currency) if gap else None)


kind = kinds.CaseKind(
    name=items.KIND,
    title="Money that does not agree",
    purpose="Our books and the provider's record of money differ, and nobody dealt with it for a day. Resolve it on "
    "its page; the case closes by itself then, and also when a later comparison finds both sides agree.",
    checklist=(
        kinds.CheckItem("asked", "Both records looked at, the provider's team asked where they contradict"),
    ),
    decisions=(
        kinds.Decision(
            "watched",
            "It is with the provider",
            "Say whom you wrote to, and their ticket. The difference stays in the list until it is right.",
            needs_text=True,
        ),
        kinds.Decision("known", "Leave it as it is", "Say why.", needs_text=True),
    ),
    evidence=_evidence,
    anchor=_anchor,
    traits=_traits,
    ruled_out=second_person.about((ReconciliationItem, "account__application")),
    subject_url=lambda pk: reverse("money_reconciliation:item", args=[pk]),
    due_after=timedelta(days=1),
)
