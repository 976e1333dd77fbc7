"""What the services share: the row they lock, the version they compare, the trace they leave."""

from typing import Any
from uuid import UUID

from django.contrib.postgres.search import SearchVector
from django.db.models import Exists, OuterRef, Q, Value

from onboarding.drafts import Draft
from onboarding.entries import Seen
from onboarding.models import Application, ApplicationStep, Entity, Owner, StepEntries
from onboarding.requirements import StepName
from portal import audit, clock
from portal.errors import Conflict, Forbidden, NotFound, PreconditionFailed
from portal.models import User
from portal.search import search_words


def locked(actor: User, application_id: UUID) -> Application:
    """The actor's own application, locked. Another customer's is not there."""
    application = (
        Application.objects.select_for_update(of=("self",))
        .filter(pk=application_id, customer__user=actor)
        .select_related("customer__user")
        .first()
    )
    if application is None:
        raise NotFound("There is no such application.")
    return application


def locked_part(actor: User, application_id: UUID) -> Application:
    """The same for everyone who has a part in it: the applicant, and owners who took theirs."""
    theirs = Owner.objects.filter(application=OuterRef("pk"), user=actor)
    application = (
        Application.objects.select_for_update(of=("self",))
        .filter(Q(customer__user=actor) | Exists(theirs), pk=application_id)
        .select_related("customer__user")
        .first()
    )
    if application is None:
        raise NotFound("There is no such application.")
    return application


def require_editable(application: Application) -> None:
    if not application.is_editable:
        raise Conflict("This application was handed in and cannot be changed any more.")


def require_part(application: Application, owner: Owner | None, actor: User) -> None:
    """Whether the actor fills in this owner's part; None is the account's, which is the applicant's.

    Raises Forbidden for the applicant where an owner took their part, NotFound for anybody else's.
    """
    if owner is not None and owner.user_id == actor.pk:
        return
    if application.customer.user_id != actor.pk:
        raise NotFound("There is no such step in your part.")
    if owner is not None and owner.fills_in_themselves:
        raise Forbidden("This person fills in their own part.")


def locked_draft(actor: User, application_id: UUID) -> Application:
    application = locked(actor, application_id)
    require_editable(application)
    return application


def require_version(application: Application, version: int | None) -> None:
    if version is not None and application.version != version:
        raise PreconditionFailed(
            "The application was changed on another device. Load it again; nothing of yours was saved over it."
        )


def require_entries_seen(row: StepEntries | None, seen: Seen | None) -> None:
    if row is not None and seen is not None and not seen.covers(row):
        raise PreconditionFailed("Something was typed into this step on another device since you opened it.")


def require_step_seen(row: ApplicationStep | None, seen: int | None) -> None:
    """0 means the writer saw it empty."""
    if seen is not None and seen != (row.version if row else 0):
        raise PreconditionFailed("This step was changed on another device since you opened it.")


def step_row(
    draft: Draft, owner: Owner | None, name: StepName, actor: User, seen: int | None
) -> ApplicationStep:
    """The step's row, its version moved on. Raises PreconditionFailed."""
    row = draft.steps.get((owner.pk if owner else None, name))
    require_step_seen(row, seen)
    if row is None:
        return ApplicationStep.objects.create(
            application=draft.application, owner=owner, name=name, saved_by=actor
        )
    row.version += 1
    row.saved_at, row.saved_by = clock.now(), actor
    row.save(update_fields=["version", "saved_at", "saved_by"])
    return row


def touched(draft: Draft, row: ApplicationStep, actor: User, source: str, **facts: Any) -> None:
    moved_on(draft.application, draft)
    audit.record(
        "application.step",
        subject=draft.application,
        actor=actor,
        source=source,
        after={
            "step": row.name,
            "version": row.version,
            **({"owner": str(row.owner_id)} if row.owner is not None and not row.owner.is_applicant else {}),
            **facts,
        },
    )


def moved_on(application: Application, draft: Draft | None = None) -> None:
    """Count a change of the draft and keep its search words up to date; those of `draft`, where it was read."""
    application.version += 1
    application.updated_at = clock.now()
    parts = [application.reference]
    for owner in draft.owners if draft else Owner.objects.filter(application=application):
        parts += [owner.given_name, owner.middle_names, owner.family_name, owner.email]
    entity = draft.entity if draft else Entity.objects.filter(application=application).first()
    if entity is not None:
        parts.append(entity.legal_name)
    Application.objects.filter(pk=application.pk).update(
        version=application.version,
        updated_at=application.updated_at,
        search=SearchVector(Value(" ".join(search_words(" ".join(parts)))), config="simple"),
    )
