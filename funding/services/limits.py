"""How much may be moved, as managers say it: for everyone, and for one account."""

from dataclasses import asdict
from uuid import UUID

from django.db import transaction

from funding import limits
from funding import permissions as mine
from funding.limits import Limits
from funding.models import TransferLimit
from onboarding.models import ProviderAccount
from portal import audit, clock, permissions
from portal.errors import Invalid, NotFound
from portal.models import User

#: The provider takes nothing below it (contract 5.6).
LEAST_AT_PROVIDER = 1_000


def limit_save(
    *, actor: User, account_id: UUID | None, asker: str, rail: str, direction: str, wanted: Limits
) -> TransferLimit:
    """Keep one rule, for everyone or for one account; the same again changes nothing.

    Raises Forbidden, NotFound, Invalid with every field that does not hold.
    """
    permissions.require(actor, mine.LIMITS)
    if (asker, rail, direction) not in limits.FIRST:
        raise NotFound("There is no such limit.")
    _check(wanted)
    with transaction.atomic():
        account = _account(account_id)
        rows = TransferLimit.objects.select_for_update(of=("self",))
        key = {"account": account, "asker": asker, "rail": rail, "direction": direction}
        known = rows.filter(**key).first()
        before = limits.of_row(known) if known else limits.limits_for_all(asker, rail, direction)
        row = known or TransferLimit(**key)
        if known is not None and before == wanted:
            return row
        for name, value in asdict(wanted).items():
            setattr(row, f"{name}_minor", value)
        row.changed_by, row.changed_at = actor, clock.now()
        row.save()
        _record("transfer_limit.save", row, actor, before=asdict(before), after=asdict(wanted))
    return row


def limit_remove(*, actor: User, limit_id: UUID) -> None:
    """What stands for everyone counts for the account again. Raises Forbidden, NotFound."""
    permissions.require(actor, mine.LIMITS)
    with transaction.atomic():
        rows = TransferLimit.objects.select_for_update(of=("self",))
        row = rows.filter(pk=limit_id, account__isnull=False).first()
        if row is None:
            raise NotFound("There is no such limit.")
        _record("transfer_limit.remove", row, actor, before=asdict(limits.of_row(row)), after=None)
        row.delete()


def _check(wanted: Limits) -> None:
    problems: dict[str, list[str]] = {}
    if wanted.least < LEAST_AT_PROVIDER:
        problems["least"] = ["The provider takes nothing below $10.00."]
    if wanted.single is not None and wanted.single < wanted.least:
        problems["single"] = ["This is below the least."]
    bounds = [("single", wanted.single), ("day", wanted.day), ("month", wanted.month)]
    smaller: int | None = None
    for name, bound in bounds:
        if bound is not None and smaller is not None and bound < smaller:
            problems.setdefault(name, ["This is below the limit of a shorter time."])
        smaller = bound if bound is not None else smaller
    if problems:
        raise Invalid("Some limits need attention.", fields=problems)


def _account(account_id: UUID | None) -> ProviderAccount | None:
    if account_id is None:
        return None
    found = ProviderAccount.objects.filter(pk=account_id).first()
    if found is None:
        raise NotFound("There is no such account.")
    return found


def _record(
    action: str,
    row: TransferLimit,
    actor: User,
    *,
    before: dict[str, int | None],
    after: dict[str, int | None] | None,
) -> None:
    rule = {"asker": row.asker, "rail": row.rail, "direction": row.direction}
    subject = row.account if row.account_id else row
    audit.record(
        action, subject=subject, actor=actor, before=rule | before, after=rule | after if after else None,
        source="page",
    )  # fmt: skip
