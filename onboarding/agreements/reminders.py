"""The letters that ask people to accept a new version, on the days its plan names.

A letter and the note that it was written are one transaction, and a note is unique: a worker that dies writes the
letter again or not at all, never twice, and two workers at once write one.
"""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef

from onboarding.agreements.scope import in_force, must_accept, pending_for
from onboarding.models.agreements import Agreement, AgreementReminder
from portal import clock, mail
from portal.models import User

#: How many people one run writes to: some ten seconds of work.
BATCH = 300


def day_due(agreement: Agreement) -> int | None:
    """The latest day of the plan that has come. Earlier ones that nobody wrote are not made up for."""
    if agreement.published_at is None:
        return None
    since = clock.now() - agreement.published_at
    return max((day for day in agreement.remind_after_days if timedelta(days=day) <= since), default=None)


def reminders_write(batch: int = BATCH) -> int:
    """Write the letters that are due, to at most `batch` people; how many got one. Ask again while it is `batch`."""
    due = {agreement.pk: day for agreement in in_force() if (day := day_due(agreement)) is not None}
    written = 0
    for user in _people(due, batch):
        written += _write(user, due)
        if written >= batch:
            break
    return written


def _people(due: dict[UUID, int], batch: int) -> Iterator[User]:
    """Those who have something to accept and were not written to on its day; each at most once per agreement."""
    for agreement in in_force().filter(pk__in=due):
        told = AgreementReminder.objects.filter(
            agreement=agreement, day=due[agreement.pk], user=OuterRef("pk")
        )
        signers = must_accept(agreement).filter(asked=True).exclude(signer=None).values("signer")
        people = User.objects.filter(is_active=True, pk__in=signers).exclude(Exists(told)).order_by("pk")
        yield from people[:batch]


def _write(user: User, due: dict[UUID, int]) -> int:
    """One letter about everything that is due for this person; 0 when another worker was first, or nothing waits."""
    with transaction.atomic():
        titles = []
        for item in pending_for(user):
            if item.agreement.pk not in due:
                continue
            _, is_new = AgreementReminder.objects.get_or_create(
                agreement=item.agreement, user=user, day=due[item.agreement.pk]
            )
            if is_new:
                titles.append(item.agreement.title)
        if not titles:
            return 0
        mail.send(
            to=user.email,
            subject="Please read and accept",
            template="agreements_due",
            context={"name": user.name, "titles": titles},
        )
    return 1
