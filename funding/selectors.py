"""Reads of funding for customers. Each takes who asks and gives no row that is not theirs."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from uuid import UUID

from django.db.models import QuerySet

from funding import business_days
from funding import permissions as mine
from funding.models import Transfer, TransferDraft, WireRecipient
from onboarding.models import ProviderAccount
from portal.errors import NotFound
from portal.models import User


@dataclass(frozen=True)
class Wanted:
    """The filters of the activity; empty ones filter nothing. Days are the banks'."""

    kind: str = ""
    direction: str = ""
    status: str = ""
    since: date | None = None
    until: date | None = None


def accounts_of(user: User) -> QuerySet[ProviderAccount]:
    """The customer's accounts, oldest first."""
    return (
        ProviderAccount.objects.filter(
            application__customer__user=user,
            application__customer__restricted_at=None,
            application__erased_at=None,
        )
        .select_related("application__customer__user")
        .order_by("pk")
    )


def transfer_for(actor: User, transfer_id: UUID) -> Transfer:
    """One transfer of an account the actor may see. Raises NotFound, also for a stranger's."""
    found = _rows().filter(pk=transfer_id).first()
    if found is None:
        raise NotFound("There is no such transfer.")
    try:
        mine.account_for(actor, found.account_id)
    except NotFound:
        raise NotFound("There is no such transfer.") from None
    return found


def draft_for(actor: User, draft_id: UUID) -> TransferDraft:
    """An order that the customer looks at. Raises NotFound, also for a stranger's."""
    found = TransferDraft.objects.filter(pk=draft_id, user=actor).select_related("recipient").first()
    if found is None:
        raise NotFound("There is no such order.")
    mine.account_for(actor, found.account_id)
    return found


def activity(account: ProviderAccount, wanted: Wanted = Wanted()) -> QuerySet[Transfer]:
    """The account's movements that the filters leave."""
    rows = _rows().filter(account=account)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.direction:
        rows = rows.filter(direction=wanted.direction)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.since:
        rows = rows.filter(created_at__gte=_begin(wanted.since))
    if wanted.until:
        rows = rows.filter(created_at__lt=_begin(wanted.until + timedelta(days=1)))
    return rows


def under_way(account: ProviderAccount) -> QuerySet[Transfer]:
    """Money that was asked for and has neither arrived nor failed, newest first."""
    return _rows().filter(account=account, status__in=Transfer.UNDER_WAY).order_by("-pk")


def recipients_of(account: ProviderAccount) -> QuerySet[WireRecipient]:
    """Where the account's wires may go, oldest first."""
    return WireRecipient.objects.filter(account=account, removed_at=None).order_by("pk")


def _rows() -> QuerySet[Transfer]:
    return Transfer.objects.select_related("account", "bank", "recipient")


def _begin(on: date) -> datetime:
    return datetime.combine(on, time(), tzinfo=business_days.NEW_YORK)
