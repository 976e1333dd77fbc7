"""Changing how an open account settles: staff alone."""

from uuid import UUID

from django.db import transaction

from onboarding import given_up
from onboarding.models import Application, ProviderAccount, SettlementChange
from onboarding.operations import SETTLEMENT
from onboarding.updates import under_way
from onboarding.words import SettlementMethod
from portal import audit, outbox, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

PERMISSION = "application.decide"
LONGEST_REASON = 300
_OPEN = (
    ProviderAccount.Status.ACTIVE,
    ProviderAccount.Status.SUSPENDED,
    ProviderAccount.Status.LIQUIDATE_ONLY,
)


def why_not_settlement(actor: User, application: Application) -> list[str]:
    """Every reason why the actor cannot change it now; empty when they can."""
    reasons = []
    if not permissions.can_do(actor, PERMISSION):
        reasons.append("Compliance analysts and managers change how an account settles. Ask one of them.")
    account: ProviderAccount | None = getattr(application, "account", None)
    if account is None or account.status not in _OPEN:
        reasons.append("This can be changed once the account was opened, and until it is closed.")
    if account is None:
        return reasons
    settling = SettlementChange.objects.filter(
        account=account, status=SettlementChange.Status.SENDING
    ).first()
    if settling is not None:
        reasons.append(
            "A change of the settlement method was given up by the outbox. Decide its case, “Call to the provider "
            "given up”."
            if given_up.of_subject(settling.pk).exists()
            else "A change of the settlement method is on its way. Wait until the provider answered."
        )
    if under_way(account) is not None:
        reasons.append(
            "A change of details is under way and names the present method. Wait until it is done."
        )
    return reasons


def settlement_change(
    *, actor: User, application_id: UUID, method: str, reason: str, source: str
) -> SettlementChange:
    """Ask the provider to settle the account another way; our record follows when it says that it is complete.

    Raises Forbidden, NotFound, Conflict with the reasons why not, and Invalid for the present method, an unknown one
    or a missing reason.
    """
    permissions.require(actor, PERMISSION)
    with transaction.atomic():
        application = Application.objects.select_for_update().filter(pk=application_id).first()
        if application is None:
            raise NotFound("There is no such application.")
        account = ProviderAccount.objects.select_for_update().filter(application=application).first()
        reasons = why_not_settlement(actor, application)
        if account is None or reasons:
            raise Conflict(" ".join(reasons))
        _check(application, method, reason)
        change = SettlementChange.objects.create(
            account=account, before=application.settlement_method, method=method, requested_by=actor
        )
        audit.record(
            "account.settlement",
            subject=application,
            actor=actor,
            reason=reason.strip(),
            source=source,
            before={"method": change.before},
            after={"change": str(change.pk), "method": method},
        )
        body = {"account": account.client_account_id, "method": method}
        outbox.enqueue(operation=SETTLEMENT, subject=change, body=body, actor=actor)
    return change


def _check(application: Application, method: str, reason: str) -> None:
    problems: dict[str, list[str]] = {}
    if method not in SettlementMethod.values:
        problems["method"] = ["Choose one of the listed methods."]
    elif method == application.settlement_method:
        problems["method"] = ["The account settles this way already. Choose the other one."]
    if not 5 <= len(reason.strip()) <= LONGEST_REASON:
        problems["reason"] = [f"Say why, in 5 to {LONGEST_REASON} characters. It is kept."]
    if problems:
        raise Invalid("Look at the marked answers.", fields=problems)
