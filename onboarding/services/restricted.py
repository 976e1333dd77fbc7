"""Asking for what only the provider's operations change, and what staff do about it."""

from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from compliance import services as compliance
from compliance.models import Case
from onboarding import drafts, evidence, notices, restricted
from onboarding.models import Application, ChangeRequest, Owner, ProviderAccount
from onboarding.requirements import Problem
from onboarding.services.shared import locked
from portal import audit, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User

Status = ChangeRequest.Status
Name = ChangeRequest.Field
KIND = "onboarding.restricted_change"
#: Asking in a customer's stead.
ASK = "change.request"
LONGEST_ANSWER = 500
_TWICE = "This was asked for already and is not answered yet."


def restricted_request(
    *,
    actor: User,
    application_id: UUID,
    field: str,
    answers: dict[str, Any],
    source: str,
    owner_id: UUID | None = None,
) -> ChangeRequest:
    """Ask for a change of a restricted field: the customer of the account, or staff who work on applications.

    `answers` are the field's questions and `why`. Raises Invalid with the fields that do not hold, Conflict while the
    account is not open or the same is asked already, NotFound for a stranger's account.
    """
    with transaction.atomic():
        application = _locked_for(actor, application_id)
        account = ProviderAccount.objects.select_for_update().filter(application=application).first()
        reasons = why_not_ask(application)
        if account is None or reasons:
            raise Conflict(" ".join(reasons))
        item = restricted.askable_one(drafts.load(application), field, owner_id)
        try:
            cleaned = item.step.clean(answers)
        except Problem as problem:
            raise Invalid("Some answers need attention.", fields=problem.fields) from problem
        wanted, before = restricted.plain(cleaned), restricted.plain(item.kept)
        if wanted == before:
            raise Invalid(
                "Nothing would change.", fields={item.step.fields[0].name: ["This is what we have already."]}
            )
        request = ChangeRequest(
            account=account,
            owner=item.owner,
            field=item.field,
            before=before,
            wanted=wanted,
            why=cleaned[restricted.WHY.name],
            requested_by=actor,
        )
        try:
            with transaction.atomic():
                request.save(force_insert=True)
        except IntegrityError as error:
            raise Conflict(_TWICE) from error
        evidence.ask(request, actor=actor, source=source)
        _recorded("account.restricted_request", request, application, actor, source)
        _open_case(request, application, actor, source)
    return request


def why_not_ask(application: Application) -> list[str]:
    """Why nothing can be asked for now. A change that is on its way stands in no one's way here."""
    account = getattr(application, "account", None)
    if account is None or account.status in {ProviderAccount.Status.PENDING, *_ENDED}:
        return ["This can be asked for once the account is open, and while it is."]
    return []


_ENDED = (ProviderAccount.Status.INACTIVE, ProviderAccount.Status.CLOSED)


def restricted_withdraw(*, actor: User, request_id: UUID, source: str) -> ChangeRequest:
    """Take back what was not passed on yet. Raises NotFound, or IllegalMove once it is with the provider."""
    with transaction.atomic():
        request = locked_request(request_id, customer=actor)
        request.move_to(Status.WITHDRAWN, actor=actor, source=source)
        evidence.no_longer(request, actor=actor, source=source)
        compliance.case_settle(
            kind=KIND, subject=subject_of(request), reason="The customer withdrew it.", source=source
        )
    return request


def restricted_confirm(*, actor: User, request_id: UUID, reference: str, source: str) -> ChangeRequest:
    """Record that the provider has changed it: our row follows, and the case closes.

    `reference` is what their operations call it. Raises Forbidden, NotFound, Invalid, IllegalMove before it was
    passed on or after it ended.
    """
    permissions.require(actor, "case.decide")
    if not reference.strip() or len(reference) > 100:
        raise Invalid(
            "Name the provider's answer.",
            fields={"reference": ["Enter the provider's reference, at most 100 characters."]},
        )
    with transaction.atomic():
        request = locked_request(request_id)
        request.move_to(Status.CONFIRMED, actor=actor, source=source)
        request.confirmed_by, request.provider_reference = actor, reference.strip()
        request.save(update_fields=["confirmed_by", "provider_reference"])
        evidence.no_longer(request, actor=actor, source=source)
        kept = restricted.keep(request)
        _recorded(
            "account.restricted_confirm", request, request.account.application, actor, source, kept=kept
        )
        left = "" if kept else restricted.LEFT_TO_DO[Name(request.field)]
        _close_case(request, f"The provider confirmed it. {left}".strip(), actor, source)
        notices.restricted_done(request)
    return request


def restricted_refuse(*, actor: User, request_id: UUID, reason: str, source: str) -> ChangeRequest:
    """The provider would not: the customer is told `reason`. Raises as restricted_confirm does."""
    permissions.require(actor, "case.decide")
    with transaction.atomic():
        request = locked_request(request_id)
        if request.status != Status.PASSED_ON:
            raise Conflict("Decide the case while it was not passed on.")
        refuse(request, reason, actor=actor, source=source)
        _close_case(request, "The provider did not accept it.", actor, source)
    return request


def refuse(request: ChangeRequest, reason: str, *, actor: User, source: str) -> None:
    """Refuse a locked request and tell the customer, in the caller's transaction."""
    if not reason.strip() or len(reason) > LONGEST_ANSWER:
        raise Invalid(
            "Say why.", fields={"text": [f"Tell the customer why, in at most {LONGEST_ANSWER} characters."]}
        )
    request.refused_because = reason.strip()
    request.save(update_fields=["refused_because"])
    request.move_to(Status.REFUSED, actor=actor, source=source)
    evidence.no_longer(request, actor=actor, source=source)
    _recorded("account.restricted_refuse", request, request.account.application, actor, source)
    notices.restricted_refused(request)


def locked_request(request_id: UUID, *, customer: User | None = None) -> ChangeRequest:
    """The request with its application and account, locked parent before child. Raises NotFound."""
    rows = Application.objects.select_for_update(of=("self",)).select_related("customer__user")
    if customer is not None:
        rows = rows.filter(customer__user=customer)
    application = rows.filter(account__change_requests=request_id).first()
    if application is None:
        raise NotFound("There is no such request.")
    account = ProviderAccount.objects.select_for_update().get(application=application)
    request = ChangeRequest.objects.select_for_update(of=("self",)).get(pk=request_id)
    account.application = application
    request.account = account
    return request


def subject_of(request: ChangeRequest) -> compliance.Subject:
    """The request as its case is about it."""
    application = request.account.application
    owner = request.owner or Owner.objects.get(application=application, is_applicant=True)
    return compliance.Subject.of(request, f"{owner.full_name}, {application.reference}")


def _locked_for(actor: User, application_id: UUID) -> Application:
    if not actor.is_staff_member:
        return locked(actor, application_id)
    permissions.require(actor, ASK)
    rows = Application.objects.select_for_update(of=("self",)).select_related("customer__user")
    application = rows.filter(pk=application_id).first()
    if application is None:
        raise NotFound("There is no such application.")
    return application


def _open_case(request: ChangeRequest, application: Application, actor: User, source: str) -> None:
    compliance.case_open(
        kind=KIND,
        subject=subject_of(request),
        title=f"Change asked for: {request.get_field_display()}",
        facts={"field": request.field, "reference": application.reference},
        source=source,
        dedupe="asked",
        actor=actor,
    )


def _close_case(request: ChangeRequest, reason: str, actor: User, source: str) -> None:
    case = Case.objects.filter(kind=KIND, subject_id=request.pk).order_by("-pk").first()
    if case is not None:
        compliance.case_close(case_id=case.pk, reason=reason, source=source, actor=actor)


def _recorded(
    action: str, request: ChangeRequest, application: Application, actor: User, source: str, **more: Any
) -> None:
    after = {"request": str(request.pk), "field": request.field, "status": request.status, **more}
    audit.record(action, subject=application, actor=actor, source=source, after=after)
