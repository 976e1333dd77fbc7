"""What publishing a version would ask of people: who must sign, and when letters go."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef, Q
from django.db.models.lookups import IsNull

from onboarding.agreements.acceptance import VIEW
from onboarding.agreements.scope import (
    SIGNER,
    accepted_earlier,
    meets_it_in_draft,
    must_accept,
    yet_to_accept,
)
from onboarding.agreements.updates import updates_waiting_on
from onboarding.models.agreements import Agreement, AgreementReminder
from onboarding.models.applications import Application
from onboarding.models.owners import Owner
from portal import clock, permissions
from portal.models import User
from portal.pages import Page, keyset

_APPROVED = Q(application__status=Application.Status.APPROVED)


@dataclass(frozen=True)
class Impact:
    """Who has yet to accept a version, in numbers."""

    owners: int
    #: Of them, those who accepted an earlier version.
    again: int
    customers: int
    live_accounts: int
    open_applications: int
    #: Co-owners who accept for themselves and have no login yet: nobody can ask them.
    without_login: int
    #: Those who meet it in the application they are filling in, and are not written to.
    in_drafts: int
    #: Changes of details that wait for an agreement now and will wait for this one too.
    updates: int


def impact_of(agreement: Agreement) -> Impact:
    """The numbers."""
    again = Q(accepted_earlier(agreement))
    found = yet_to_accept(agreement).aggregate(
        owners=Count("pk"),
        again=Count("pk", filter=again),
        customers=Count("application__customer", distinct=True),
        live_accounts=Count("application", filter=_APPROVED, distinct=True),
        open_applications=Count("application", filter=~_APPROVED, distinct=True),
        without_login=Count("pk", filter=Q(IsNull(SIGNER, True))),
        in_drafts=Count("pk", filter=meets_it_in_draft(agreement)),
    )
    return Impact(**found, updates=updates_waiting_on(agreement).count())


def owners_to_sign(
    actor: User, agreement: Agreement, *, after: str = "", before: str = "", size: int = 25
) -> Page[Owner]:
    """One page of the owners who have yet to accept, newest first, paged by key. Raises Forbidden.

    `update_waits` says whether a change of their account waits, and will go on waiting.
    """
    permissions.require(actor, VIEW)
    updates = updates_waiting_on(agreement).filter(account__application=OuterRef("application"))
    rows = (
        must_accept(agreement).annotate(update_waits=Exists(updates)).select_related("application__account")
    )
    return keyset(rows, after=after, before=before, size=size)


@dataclass(frozen=True)
class Letter:
    """One day of the reminder plan: when letters go, and to how many people they went already."""

    day: int
    at: datetime
    written: int


def letters_of(agreement: Agreement) -> list[Letter]:
    """The reminder plan as dates; of a draft, as if it were published now."""
    start = agreement.published_at or clock.now()
    written = dict(
        AgreementReminder.objects.filter(agreement=agreement).values_list("day").annotate(people=Count("pk"))
    )
    return [
        Letter(day, start + timedelta(days=day), written.get(day, 0))
        for day in sorted(agreement.remind_after_days)
    ]
