"""Who may not be the second person of a decision about a customer: who lately decided who they are, or wrote for them.

Read from the audit trail, so whoever did it under any rule and page is found.
"""

from collections.abc import Callable, Collection
from datetime import timedelta
from uuid import UUID

from django.db.models import Model, Q

from compliance.kinds import RuledOut
from compliance.models import CaseDecision
from onboarding.models import Application
from onboarding.selectors import VIEWED_AS
from portal import clock
from portal.models import AuditEntry, Role

#: How long somebody who had a hand in it is ruled out.
LATELY = timedelta(days=30)
DECIDED = "decided about this customer's identity lately"
CHANGED = "changed this customer's data lately"
#: Whoever looks at the customer's own pages sits on their side of the desk for so long.
VIEWING = timedelta(minutes=10)
VIEWED = "looked at the portal as this customer within the last 10 minutes"
#: The kind of case whose decisions say who somebody is (cases/duplicates.py).
IDENTITY_KIND = "onboarding.duplicate"
#: What the audit trail of an application holds against its actor. An import is not somebody's writing: it is a file's.
HELD_AGAINST = {
    "document.accept": DECIDED,
    "document.reject": DECIDED,
    "identity_check.override": DECIDED,
    "document.upload": CHANGED,
    "application.start": CHANGED,
    "application.step": CHANGED,
    "application.owner_add": CHANGED,
    "application.owner_change": CHANGED,
    "application.owner_remove": CHANGED,
    "account.restricted_request": CHANGED,
    "account.settlement": CHANGED,
    "account.update_request": CHANGED,
    "account.update_by_staff": CHANGED,
}


#: Of several the weightiest is said.
WEIGHT = (DECIDED, CHANGED, VIEWED)


def about(*subjects: tuple[type[Model], str]) -> Callable[[Collection[UUID]], RuledOut]:
    """A kind's `ruled_out`, whose subjects are rows of these models; each with the way to its application.

    What was done on any of the customer's applications counts.
    """

    def ruled_out(subject_ids: Collection[UUID]) -> RuledOut:
        customers: dict[UUID, UUID] = {}
        for model, way in subjects:
            rows = model._default_manager.filter(pk__in=subject_ids)
            customers.update(rows.values_list("pk", f"{way}__customer" if way else "customer"))
        people = _people(set(customers.values()))
        return {subject: people.get(customer, {}) for subject, customer in customers.items()}

    return ruled_out


def _people(customer_ids: Collection[UUID]) -> dict[UUID, dict[UUID, str]]:
    """Of each customer, who had a hand in it and how."""
    owned = Application.objects.filter(customer__in=customer_ids).values_list("pk", "customer")
    customers: dict[UUID, UUID] = dict(owned)
    since = clock.now() - LATELY
    found: dict[UUID, dict[UUID, str]] = {}

    def add(application_id: UUID | None, person: UUID | None, words: str) -> None:
        if application_id is not None and person is not None:
            held = found.setdefault(customers[application_id], {})
            held[person] = min(words, held.get(person, words), key=WEIGHT.index)

    entries = AuditEntry.objects.filter(
        Q(action__in=HELD_AGAINST) | Q(action=VIEWED_AS, at__gte=clock.now() - VIEWING),
        subject_type=Application._meta.label_lower,
        subject_id__in=list(customers),
        at__gte=since,
    ).exclude(actor__role=Role.CUSTOMER)
    for application_id, person, action in entries.values_list("subject_id", "actor", "action").distinct():
        add(application_id, person, HELD_AGAINST.get(action, VIEWED))
    decisions = CaseDecision.objects.filter(
        case__kind=IDENTITY_KIND, case__subject_id__in=list(customers), at__gte=since
    )
    for row in decisions.values_list("case__subject_id", "actor", "proposal__checker"):
        add(row[0], row[1], DECIDED)
        add(row[0], row[2], DECIDED)
    return found
