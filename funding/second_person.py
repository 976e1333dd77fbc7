"""Who may not be the second person about a transfer, and why."""

from collections.abc import Collection
from uuid import UUID

from compliance.kinds import RuledOut
from funding.models import Transfer
from onboarding import second_person
from onboarding.models import ProviderAccount
from portal import clock

ASKED = "asked for this transfer"
ADDED = "added the bank account that this wire goes to lately"

_of_customer = second_person.about((Transfer, "account__application"), (ProviderAccount, "application"))


def ruled_out(subject_ids: Collection[UUID]) -> RuledOut:
    """Of each transfer or account, who is ruled out: whoever had a hand in the customer's data lately
    (onboarding/second_person.py), asked for the transfer, or added where the wire goes."""
    found = {subject: dict(people) for subject, people in _of_customer(subject_ids).items()}
    since = clock.now() - second_person.LATELY
    rows = Transfer.objects.filter(pk__in=subject_ids).values_list(
        "pk", "requested_by", "recipient__added_by", "recipient__created_at"
    )
    for transfer_id, asked, added, at in rows:
        people = found.setdefault(transfer_id, {})
        if added is not None and at >= since:
            people[added] = ADDED
        if asked is not None:
            people[asked] = ASKED
    return found


def why_not(actor_id: UUID, transfer_id: UUID) -> str:
    """Why this person cannot be the second one about the transfer, words that go on after "You"; "" when they can."""
    return ruled_out([transfer_id]).get(transfer_id, {}).get(actor_id, "")
