"""Holding an account's money, and letting it go: staff who decide cases."""

from uuid import UUID

from django.db import transaction

from onboarding.jobs import lock_account
from onboarding.models import AccountHold, Application, ProviderAccount
from portal import audit, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

PERMISSION = "account.hold"
LONGEST_WHY = 1000
Status = AccountHold.Status


def why_not_hold(actor: User, application: Application) -> list[str]:
    """Every reason why the actor cannot put a hold on the application's account; empty when they can."""
    reasons = []
    if not permissions.can_do(actor, PERMISSION):
        reasons.append("Compliance analysts and managers hold accounts. Ask one of them.")
    account: ProviderAccount | None = getattr(application, "account", None)
    if account is None:
        reasons.append("There is no account yet: the application was not handed in.")
    elif account.status == ProviderAccount.Status.CLOSED:
        reasons.append("The account is closed: nothing goes in or out.")
    return reasons


def hold_put(
    *, actor: User, application_id: UUID, cause: str, why: str, source: str, case_reference: str = ""
) -> AccountHold:
    """Stop all money of the account from now on. Holding it for a cause that stands already gives the one that stands.

    `cause` is an AccountHold.Cause, `why` is for colleagues alone. Raises Forbidden, NotFound, Conflict with the
    reasons why not, Invalid for an unknown cause or missing words.
    """
    permissions.require(actor, PERMISSION)
    _check(why, cause)
    with transaction.atomic():
        account = _locked(application_id)
        reasons = why_not_hold(actor, account.application)
        if reasons:
            raise Conflict(" ".join(reasons))
        standing = AccountHold.objects.filter(account=account, cause=cause, status=Status.STANDING).first()
        if standing is not None:
            return standing
        hold = AccountHold.objects.create(
            account=account, cause=cause, why=why.strip(), put_by=actor, case_reference=case_reference
        )
        _keep(account)
        _recorded("account.hold", hold, account, actor, source)
    return hold


def hold_release(*, actor: User, hold_id: UUID, why: str, source: str) -> AccountHold:
    """End one hold; other causes go on standing.

    Raises Forbidden, NotFound, Invalid without a reason, IllegalMove when it was released already.
    """
    permissions.require(actor, PERMISSION)
    _check(why)
    found = AccountHold.objects.filter(pk=hold_id).values_list("account__application", flat=True).first()
    if found is None:
        raise NotFound("There is no such hold.")
    with transaction.atomic():
        account = _locked(found)
        hold = AccountHold.objects.select_for_update().get(pk=hold_id)
        hold.move_to(Status.RELEASED, actor=actor, source=source)
        hold.released_by, hold.released_why = actor, why.strip()
        hold.save(update_fields=["released_by", "released_why"])
        _keep(account)
        _recorded("account.hold_release", hold, account, actor, source)
    return hold


def holds_put_on_customer(
    *, actor: User, account: ProviderAccount, cause: str, why: str, case_reference: str
) -> int:
    """Hold every account of the account's customer that is not closed, in the caller's transaction; how many there are.

    The rows are locked in the order of their keys, so that two who do the same do not wait for each other.
    """
    rows = ProviderAccount.objects.filter(application__customer=account.application.customer_id)
    rows = rows.exclude(status=ProviderAccount.Status.CLOSED).order_by("application_id")
    applications = list(rows.values_list("application_id", flat=True))
    for application_id in applications:
        hold_put(
            actor=actor,
            application_id=application_id,
            cause=cause,
            why=why,
            source="case",
            case_reference=case_reference,
        )
    return len(applications)


def _locked(application_id: UUID) -> ProviderAccount:
    account_id = (
        ProviderAccount.objects.filter(application=application_id).values_list("pk", flat=True).first()
    )
    if account_id is None:
        raise NotFound("There is no account to hold.")
    return lock_account(account_id)


def _keep(account: ProviderAccount) -> None:
    """Write on the account, which lists and pages read, since when it is held."""
    standing = AccountHold.objects.filter(account=account, status=Status.STANDING)
    account.held_at = standing.order_by("put_at").values_list("put_at", flat=True).first()
    account.save(update_fields=["held_at"])


def _check(why: str, cause: str = AccountHold.Cause.OTHER) -> None:
    problems: dict[str, list[str]] = {}
    if cause not in AccountHold.Cause.values:
        problems["cause"] = ["Choose one of the listed causes."]
    if not 5 <= len(why.strip()) <= LONGEST_WHY:
        problems["why"] = [f"Say why, in 5 to {LONGEST_WHY} characters. Colleagues alone read it."]
    if problems:
        raise Invalid("Look at the marked answers.", fields=problems)


def _recorded(action: str, hold: AccountHold, account: ProviderAccount, actor: User, source: str) -> None:
    audit.record(
        action,
        subject=account.application,
        actor=actor,
        source=source,
        after={
            "hold": str(hold.pk),
            "cause": hold.cause,
            "case": hold.case_reference,
            "held_since": account.held_at.isoformat() if account.held_at else "",
        },
    )
