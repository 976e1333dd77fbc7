"""Accepting agreements outside an application, and reading what was accepted."""

from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from onboarding.agreements.scope import Pending, in_force, pending_for, signed_for_by
from onboarding.models.agreements import AgreementAcceptance
from onboarding.models.owners import Owner
from onboarding.updates import held_updates_go_on
from portal import audit, clock, permissions
from portal.context import current
from portal.errors import Invalid, NotFound
from portal.models import AuditEntry, User

#: The word of portal.permissions for looking at agreements and at who accepted them.
VIEW = "agreement.view"


def agreements_accept_pending(
    *, actor: User, accepted: dict[UUID, str], source: str
) -> list[AgreementAcceptance]:
    """Record that the actor accepted agreements that wait for them, for every owner they accept for.

    `accepted` maps each agreement's id to the SHA-256 of what was shown. What was accepted before is passed over,
    so a request may be repeated. Raises Invalid for one that is not in force or was shown in another text; all or
    nothing.
    """
    with transaction.atomic():
        # A second click waits here and then finds nothing left to accept.
        owners = signed_for_by(actor).order_by("pk")
        list(Owner.objects.select_for_update().filter(pk__in=owners.values("pk")).order_by("pk"))
        pending = {item.agreement.pk: item for item in pending_for(actor)}
        _check(accepted, pending, actor)
        made = [
            _accept(actor, owner, pending[key], source)
            for key in accepted
            if key in pending
            for owner in pending[key].owners
        ]
        for application in {row.owner.application for row in made}:
            held_updates_go_on(application, source=source)
        return made


def _check(accepted: dict[UUID, str], pending: dict[UUID, Pending], actor: User) -> None:
    if not accepted:
        raise Invalid("Nothing was accepted.", fields={"accepted": ["Tick what you accept."]})
    before = set(
        AgreementAcceptance.objects.filter(
            owner__in=signed_for_by(actor).values("pk"), agreement__in=in_force().filter(pk__in=accepted)
        ).values_list("agreement_id", flat=True)
    )
    problems: dict[str, list[str]] = {}
    for key, digest in accepted.items():
        if key in pending:
            agreement = pending[key].agreement
            if digest != agreement.text_sha256:
                problems[str(key)] = [
                    f"“{agreement.title}” was changed. Read the present version and accept it."
                ]
        elif key not in before:
            problems[str(key)] = ["This agreement does not wait for you. Load the agreements again."]
    if problems:
        raise Invalid("Some agreements need attention.", fields=problems)


def _accept(actor: User, owner: Owner, item: Pending, source: str) -> AgreementAcceptance:
    context = current()
    acceptance = AgreementAcceptance.objects.create(
        owner=owner,
        agreement=item.agreement,
        text_sha256=item.agreement.text_sha256,
        accepted_at=clock.now(),
        accepted_by=actor,
        ip=context.ip or None,
        user_agent=context.user_agent[:400],
    )
    audit.record(
        "agreement.accept",
        subject=acceptance,
        actor=actor,
        source=source,
        after={
            "agreement": item.agreement.name,
            "version": item.agreement.version,
            "text_sha256": item.agreement.text_sha256,
            "application": owner.application.reference,
            "owner": str(owner.pk),
        },
    )
    return acceptance


def _whole() -> QuerySet[AgreementAcceptance]:
    return AgreementAcceptance.objects.select_related(
        "agreement", "owner__application__customer__user", "accepted_by"
    )


def acceptances_of(user: User) -> QuerySet[AgreementAcceptance]:
    """What was accepted for the owners the user accepts for, newest first."""
    return _whole().filter(owner__in=signed_for_by(user).values("pk")).order_by("-accepted_at", "-pk")


def acceptance_for_customer(user: User, acceptance_id: UUID) -> AgreementAcceptance:
    """One of the user's own acceptances. Raises NotFound, also for another customer's."""
    found = acceptances_of(user).filter(pk=acceptance_id).first()
    if found is None:
        raise NotFound("There is no such acceptance.")
    return found


def acceptance_for_staff(actor: User, acceptance_id: UUID) -> AgreementAcceptance:
    """Any acceptance. Raises Forbidden or NotFound."""
    permissions.require(actor, VIEW)
    found = _whole().filter(pk=acceptance_id).first()
    if found is None:
        raise NotFound("There is no such acceptance.")
    return found


def audit_entry_of(acceptance: AgreementAcceptance) -> AuditEntry | None:
    """The entry of the audit trail that was written with the acceptance.

    Within an application it is the entry of the step, the first after that moment: both are of one transaction.
    """
    own = audit.entries_for(acceptance).filter(action="agreement.accept").first()
    if own is not None:
        return own
    return (
        audit.entries_for(acceptance.owner.application)
        .filter(action="application.step", after__step="agreements", at__gte=acceptance.accepted_at)
        .first()
    )
