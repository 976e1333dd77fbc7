"""An account that the provider speaks of and nobody here knows."""

from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding.cases import traits
from onboarding.models import Application, UnknownAccount
from onboarding.reconciliation import unknown
from portal.ui.time import moment_words


def _evidence(case: Case) -> Sequence[kinds.Section]:
    row = UnknownAccount.objects.filter(pk=case.subject_id).first()
    if row is None:
        return ()
    waits = Application.objects.filter(client_account_id=row.ref).first()
    rows = [
        kinds.Row("The provider's reference", row.ref),
        kinds.Row("Found by", str(row.get_found_by_display())),
        kinds.Row("First seen", moment_words(row.first_seen_at)),
        kinds.Row("Last seen", moment_words(row.last_seen_at)),
        kinds.Row("Its status in the list", row.words or "Not told"),
        kinds.Row("Webhooks about it", "Search", f"{reverse('inbox:list')}?{urlencode({'q': row.ref})}"),
    ]
    if waits is not None:
        page = reverse("staff:application", args=[waits.pk])
        rows.append(kinds.Row("An application that brings this reference", waits.reference, page))
    if row.known_at:
        rows.append(kinds.Row("Known since", moment_words(row.known_at)))
    return (kinds.Section("What is known of it", tuple(rows)),)


def _traits(subject_id: UUID) -> kinds.Traits:
    """Of the application that waits for the reference, where one does: of the account itself nothing is known."""
    ref = UnknownAccount.objects.filter(pk=subject_id).values_list("ref", flat=True).first()
    waits = Application.objects.filter(client_account_id=ref).values_list("pk", flat=True).first()
    return traits.of_application(waits) if ref and waits else kinds.Traits()


kind = kinds.CaseKind(
    name=unknown.KIND,
    title="Account nobody here knows",
    purpose=(
        "The provider has an account under our name that is not in the portal. Find out whose it is. The case "
        "closes by itself when an account here bears the reference; replay its webhooks then."
    ),
    checklist=(
        kinds.CheckItem("money", "Provider's team asked whether money lies in it"),
        kinds.CheckItem("searched", "The reference looked for in imports and in the provider's own pages"),
    ),
    decisions=(
        kinds.Decision(
            "bring_in",
            "A customer of ours: it is being brought in",
            "By an import that names this reference. Say which.",
            needs_text=True,
        ),
        kinds.Decision(
            "told",
            "Not ours: the provider's operations were told",
            "Say whom you wrote to, and their ticket.",
            needs_text=True,
        ),
        kinds.Decision(
            "leave",
            "Leave it as it is",
            "Say why.",
            reasons={"test": "An account of a test", "closed": "Closed long ago", "known": "Known elsewhere"},
            needs_text=True,
        ),
    ),
    evidence=_evidence,
    traits=_traits,
    due_after=timedelta(days=2),
)
