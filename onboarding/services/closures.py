"""Asking for an account to be closed, taking it back, and what staff decide."""

from uuid import UUID

from django.db import transaction

from compliance import services as compliance
from onboarding import closures, notices
from onboarding.models import Application, ClosureRequest, ProviderAccount
from onboarding.services.shared import locked
from portal import audit, permissions
from portal.errors import Conflict, IllegalMove, Invalid, NotFound
from portal.models import User

Status = ClosureRequest.Status
#: Accounts that can be closed: opened once, and not ended.
CLOSABLE = (
    ProviderAccount.Status.ACTIVE,
    ProviderAccount.Status.SUSPENDED,
    ProviderAccount.Status.LIQUIDATE_ONLY,
)
LONGEST_ANSWER = 500


def why_not_close(application: Application) -> list[str]:
    """Every reason why closing cannot be asked for now; empty when it can."""
    account = getattr(application, "account", None)
    if account is None or account.status not in CLOSABLE:
        return ["Only an open account can be closed."]
    if account.closing_asked_at:
        return ["Closing was asked for already."]
    return []


def closure_request(*, actor: User, application_id: UUID, understood: bool, source: str) -> ClosureRequest:
    """Ask for the account to be closed. Asking twice is asking once: the second caller gets the first's.

    Raises Invalid unless the consequences were confirmed, Conflict while there is nothing to close, NotFound.
    """
    if understood is not True:
        raise Invalid(
            "Confirm that you have read what closing means.",
            fields={"understood": ["Confirm that you have read what closing means."]},
        )
    with transaction.atomic():
        application = locked(actor, application_id)
        account = _locked_account(application)
        if account is not None and (known := closures.open_one(account)) is not None:
            return known
        if account is None or account.status not in CLOSABLE:
            raise Conflict("Only an open account can be closed.")
        return _asked(account, actor, source, "The customer asks to close the account")


def closure_by_staff(*, actor: User, application_id: UUID, why: str, source: str) -> ClosureRequest:
    """Ask for the account to be closed for a reason of ours; one that is asked for already is that one.

    The customer reads that closing was asked for, and cannot take it back. Raises Forbidden, NotFound, Conflict while
    there is nothing to close, Invalid without a reason.
    """
    permissions.require(actor, "application.decide")
    if not why.strip():
        raise Invalid("Say why.", fields={"text": ["Say why the account is to be closed."]})
    with transaction.atomic():
        application = (
            Application.objects.select_for_update(of=("self",))
            .select_related("customer__user")
            .filter(pk=application_id)
            .first()
        )
        if application is None:
            raise NotFound("There is no such application.")
        account = _locked_account(application)
        if account is not None and (known := closures.open_one(account)) is not None:
            return known
        if account is None or account.status not in CLOSABLE:
            raise Conflict("Only an open account can be closed.")
        return _asked(account, actor, source, "A decision of ours asks to close the account")


def _asked(account: ProviderAccount, actor: User, source: str, title: str) -> ClosureRequest:
    """The closing of a locked account, with its case."""
    application = account.application
    closure = ClosureRequest.objects.create(account=account, requested_by=actor)
    closures.asked(account, is_asked=True)
    _recorded("account.closure_request", closure, application, actor, source)
    compliance.case_open(
        kind=closures.KIND,
        subject=closures.subject_of(closure, account),
        title=title,
        facts={"reference": application.reference, "status": account.status},
        source=source,
        dedupe="asked",
        actor=actor,
    )
    return closure


def closure_withdraw(*, actor: User, application_id: UUID, source: str) -> ClosureRequest:
    """Keep the account after all. Raises NotFound, or IllegalMove once it was passed on."""
    with transaction.atomic():
        application = locked(actor, application_id)
        account = _locked_account(application)
        closure = closures.open_one(account) if account else None
        if account is None or closure is None:
            raise NotFound("Closing was not asked for.")
        if closure.requested_by.is_staff_member:
            raise IllegalMove(
                "Our compliance team asked for it. Write to us if you want to keep the account."
            )
        if closure.status == Status.PASSED_ON:
            raise IllegalMove("The provider was asked to close it. Write to us; we ask them to keep it open.")
        closure.move_to(Status.WITHDRAWN, actor=actor, source=source)
        closures.asked(account, is_asked=False)
        closures.end_case(closure, account, "The customer keeps the account.", source=source)
    return closure


def pass_on(closure_id: UUID, *, actor: User) -> None:
    """Staff told the provider's operations; in the decision's transaction."""
    closure = locked_closure(closure_id)
    closure.move_to(Status.PASSED_ON, actor=actor, source="case")
    _recorded("account.closure_pass_on", closure, closure.account.application, actor, "case")


def refuse(closure_id: UUID, reason: str, *, actor: User) -> None:
    """The account is not closed; the customer is told why. In the decision's transaction."""
    if len(reason) > LONGEST_ANSWER:
        raise Invalid("Too long.", fields={"text": [f"Use at most {LONGEST_ANSWER} characters."]})
    closure = locked_closure(closure_id)
    closure.refused_because = reason
    closure.save(update_fields=["refused_because"])
    closure.move_to(Status.REFUSED, actor=actor, source="case")
    closures.asked(closure.account, is_asked=False)
    _recorded("account.closure_refuse", closure, closure.account.application, actor, "case")
    notices.closure_refused(closure)


def keep(closure_id: UUID, *, actor: User) -> None:
    """The customer keeps the account, as they told us; in the decision's transaction. Also after it was passed on."""
    closure = locked_closure(closure_id)
    closure.move_to(Status.WITHDRAWN, actor=actor, source="case")
    closures.asked(closure.account, is_asked=False)
    _recorded("account.closure_keep", closure, closure.account.application, actor, "case")


def locked_closure(closure_id: UUID) -> ClosureRequest:
    """The closing with its application and account, locked parent before child."""
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user")
        .get(account__closures=closure_id)
    )
    account = ProviderAccount.objects.select_for_update().get(application=application)
    closure = ClosureRequest.objects.select_for_update(of=("self",)).get(pk=closure_id)
    account.application = application
    closure.account = account
    return closure


def _locked_account(application: Application) -> ProviderAccount | None:
    account = ProviderAccount.objects.select_for_update().filter(application=application).first()
    if account is not None:
        account.application = application
    return account


def _recorded(
    action: str, closure: ClosureRequest, application: Application, actor: User, source: str
) -> None:
    after = {"closure": str(closure.pk), "status": closure.status}
    audit.record(action, subject=application, actor=actor, source=source, after=after)
