"""Changing an account that is open: the complete data set is sent again with only the changes."""

from typing import Any
from uuid import UUID

from django.db import transaction

from onboarding import drafts, given_up, payloads, update_jobs
from onboarding.models import AccountUpdate, Application, Owner, ProviderAccount, SettlementChange
from onboarding.requirements import Problem
from onboarding.services.shared import locked_part, require_part
from onboarding.updates import (
    OPEN_ACCOUNT,
    agreements_wait,
    apply_changes,
    changeable_step,
    changed_fields,
    changed_labels,
    go_on,
    under_way,
)
from portal import audit, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User
from providers.bakkt.compare import differences

Status = AccountUpdate.Status


def why_not_update(application: Application, part: Owner | None = None) -> list[str]:
    """Every reason why details cannot be changed now; empty when they can.

    `part` is the owner who asks for their own part; None is the applicant, or staff.
    """
    account = getattr(application, "account", None)
    if account is None or account.status not in OPEN_ACCOUNT:
        return ["Details can be changed once the account is open."]
    pending = under_way(account)
    if pending is not None and pending.status != Status.WAITING:
        return ["A change is on its way to the provider. Wait until it is done."]
    if pending is not None and pending.of_owner_id != _own_part(part):
        return ["A change of another owner waits for agreements. Yours can be made when that one is done."]
    settling = SettlementChange.objects.filter(
        account=account, status=SettlementChange.Status.SENDING
    ).first()
    if settling is not None:
        if given_up.of_subject(settling.pk).exists():
            return [
                "Our staff are changing how the account settles, and the provider did not answer. A person of ours "
                "looks at it. Details can be changed as soon as that is settled."
            ]
        return ["Our staff are changing how the account settles. Wait until that is done."]
    return []


def _own_part(part: Owner | None) -> UUID | None:
    return part.pk if part is not None and part.fills_in_themselves else None


def update_request(
    *,
    actor: User,
    application_id: UUID,
    step: str,
    answers: dict[str, Any],
    source: str,
    owner_id: UUID | None = None,
) -> AccountUpdate:
    """Ask for a change of one step's answers. Our rows stay as they are until the provider has taken it.

    Each owner with a part of their own asks for that part; the applicant for everything else. It waits while an
    agreement waits for an owner, then goes by itself. A second change joins one of the same person that still waits.
    What is for us alone is kept at once. Raises Invalid with the fields that do not hold or when nothing changes,
    Conflict with the reasons why not.
    """
    with transaction.atomic():
        application = locked_part(actor, application_id)
        draft = drafts.load(application)
        item = changeable_step(draft, step, owner_id)
        require_part(application, item.owner, actor)
        part = draft.part_of(actor)
        _refuse(application, part)
        try:
            cleaned = item.step.clean(answers)
        except Problem as problem:
            raise Invalid("Some answers need attention.", fields=problem.fields) from problem
        labels = changed_labels(item, cleaned)
        if not labels:
            raise Invalid(
                "Nothing was changed.", fields={item.step.fields[0].name: ["Change it, or go back."]}
            )
        change = {
            "owner": str(item.owner.pk) if item.owner else None,
            "step": item.step.name,
            "answers": _plain(cleaned),
        }
        is_ours = all(field.ours for field in changed_fields(item, cleaned))
        if is_ours and under_way(application.account) is None:
            update = AccountUpdate.objects.create(
                account=application.account, changes=[change], labels=labels, requested_by=actor
            )
        else:
            update = _joined(application.account, change, labels, actor, _own_part(part))
        audit.record(
            "account.update_request",
            subject=application,
            actor=actor,
            source=source,
            after={"update": str(update.pk), "changes": labels},
        )
        if update.status != Status.WAITING:
            # The provider does not know the question: nothing to compare or to send.
            apply_changes(update)
            update.move_to(Status.APPLIED, actor=actor, reason="For us alone.", source=source)
        elif not agreements_wait(application):
            go_on(update, source=source)
    return update


def _refuse(application: Application, part: Owner | None = None) -> None:
    reasons = why_not_update(application, part)
    if reasons:
        raise Conflict(" ".join(reasons))


def _plain(answers: dict[str, Any]) -> dict[str, Any]:
    """Answers as JSON keeps them. None of the changeable ones is a date."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in answers.items()
    }


def _joined(
    account: ProviderAccount, change: dict[str, Any], labels: list[str], actor: User, of_owner: UUID | None
) -> AccountUpdate:
    waiting = under_way(account)
    if waiting is None:
        return AccountUpdate.objects.create(
            account=account,
            changes=[change],
            labels=labels,
            requested_by=actor,
            of_owner_id=of_owner,
            status=Status.WAITING,
        )
    rest = [
        row
        for row in waiting.changes.reveal()
        if (row["owner"], row["step"]) != (change["owner"], change["step"])
    ]
    waiting.changes = [*rest, change]
    waiting.labels = list(dict.fromkeys([*waiting.labels, *labels]))
    waiting.save(update_fields=["changes", "labels"])
    return waiting


def update_withdraw(*, actor: User, application_id: UUID, source: str) -> AccountUpdate:
    """Take back a change of one's own that still waits for agreements.

    Raises NotFound, or IllegalMove once it is on its way.
    """
    with transaction.atomic():
        application = locked_part(actor, application_id)
        account = getattr(application, "account", None)
        update = under_way(account) if account else None
        part = _own_part(drafts.load(application).part_of(actor))
        if update is None or update.of_owner_id != part:
            raise NotFound("There is no change that could be withdrawn.")
        update.move_to(Status.WITHDRAWN, actor=actor, source=source)
    return update


def complete_set_send(application: Application, *, actor: User, source: str) -> AccountUpdate | None:
    """Send an open account's data set as it is now, where it holds more than was sent last; None where it does not.

    For accounts that were opened with less. In the caller's transaction, which holds the application's row. The
    provider's copy is compared first, as before every change. Raises Conflict with the reasons why not.
    """
    _refuse(application)
    if agreements_wait(application):
        raise Conflict("An owner has an agreement to accept before anything may be sent.")
    account = application.account
    if under_way(account):
        raise Conflict("A change of the customer is under way.")
    before = update_jobs.last_sent(account)
    if before is not None and not differences(payloads.account_request(account), before):
        return None
    update = AccountUpdate.objects.create(
        account=account,
        changes=[],
        labels=["What was missing at the opening"],
        requested_by=actor,
        status=Status.WAITING,
    )
    audit.record(
        "account.complete_set",
        subject=application,
        actor=actor,
        source=source,
        after={"update": str(update.pk)},
    )
    go_on(update, source=source)
    return update


# --- What staff do after comparing with the provider's copy -------------------------------------------------


def update_resend(*, actor: User, application_id: UUID, reason: str, source: str) -> AccountUpdate:
    """Send our complete data set again, without any change: the provider's copy becomes ours.

    The actor has seen the comparison, so it is not made again. Raises Forbidden, NotFound, Conflict with the reasons
    why not, or Invalid without a reason.
    """
    with transaction.atomic():
        application = _for_staff(actor, application_id, reason)
        if agreements_wait(application):
            raise Conflict("An owner has an agreement to accept before anything may be sent.")
        update = AccountUpdate.objects.create(
            account=application.account, changes=[], labels=["Everything sent again"], requested_by=actor
        )
        _recorded(application, update, actor, reason, source)
        update_jobs.send(update, source=source, actor=actor)
    return update


def theirs_take(
    *,
    actor: User,
    application_id: UUID,
    owner_id: UUID,
    step: str,
    answers: dict[str, Any],
    reason: str,
    source: str,
) -> AccountUpdate:
    """Take over what the provider holds of one step of one person: `answers` as it was read from their copy.

    Nothing is sent: they have it already. Raises as update_resend does, and Invalid when their copy does not hold by
    our rules.
    """
    with transaction.atomic():
        application = _for_staff(actor, application_id, reason)
        draft = drafts.load(application)
        whose = next((owner for owner in draft.owners if owner.pk == owner_id), None)
        if whose is None:
            raise NotFound("There is no such person in this account.")
        item = changeable_step(draft, step, None if whose.is_applicant else whose.pk)
        try:
            cleaned = item.step.clean(answers)
        except Problem as problem:
            raise Invalid(
                "The provider's copy does not hold by our rules.", fields=problem.fields
            ) from problem
        update = AccountUpdate.objects.create(
            account=application.account,
            changes=[{"owner": str(whose.pk), "step": item.step.name, "answers": _plain(cleaned)}],
            labels=changed_labels(item, cleaned) or ["Nothing"],
            requested_by=actor,
        )
        _recorded(application, update, actor, reason, source)
        apply_changes(update)
        update.move_to(
            Status.APPLIED, actor=actor, reason="Taken over from the provider's copy.", source=source
        )
    return update


def _for_staff(actor: User, application_id: UUID, reason: str) -> Application:
    permissions.require(actor, "application.decide")
    if not reason.strip():
        raise Invalid("Say why.", fields={"reason": ["Write a reason; it is kept."]})
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user")
        .filter(pk=application_id)
        .first()
    )
    if application is None:
        raise NotFound("There is no such application.")
    _refuse(application)
    if under_way(application.account):
        raise Conflict("A change of the customer waits. Let it go or be withdrawn first.")
    return application


def _recorded(application: Application, update: AccountUpdate, actor: User, reason: str, source: str) -> None:
    audit.record(
        "account.update_by_staff",
        subject=application,
        actor=actor,
        reason=reason,
        source=source,
        after={"update": str(update.pk), "changes": update.labels},
    )
