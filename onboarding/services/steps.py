"""Answers and agreements: what a person fills in."""

from typing import Any
from uuid import UUID

from django.db import transaction

from onboarding import completeness, drafts
from onboarding.agreements import scope
from onboarding.drafts import Draft
from onboarding.entries import Seen, taken
from onboarding.models import Agreement, AgreementAcceptance, Application, Owner, StepEntries
from onboarding.requirements import Problem, Step, StepName
from onboarding.services.shared import (
    locked_part,
    require_editable,
    require_entries_seen,
    require_part,
    require_step_seen,
    require_version,
    step_row,
    touched,
)
from portal import clock
from portal.context import current
from portal.errors import Invalid, NotFound
from portal.models import User


def step_save(
    *,
    actor: User,
    application_id: UUID,
    step: str,
    answers: dict[str, Any],
    source: str,
    owner_id: UUID | None = None,
    step_version: int | None = None,
    application_version: int | None = None,
    entries_seen: Seen | None = None,
) -> Application:
    """Check and keep a step's answers. What was typed and not saved ends with it.

    `owner_id` names whose step it is, None for the account's and the applicant's own. `step_version` is the
    version of the step the writer saw, and `entries_seen` what was typed since (pages); `application_version` that of
    the whole draft (the API's If-Match).
    Raises Invalid with the fields that do not hold, PreconditionFailed when the draft moved on meanwhile (nothing
    is overwritten), Conflict when it can no longer be edited, NotFound for an unknown step, and what require_part
    does for a step of somebody else's part.
    """
    with transaction.atomic():
        application = locked_part(actor, application_id)
        draft = drafts.load(application)
        found = draft.step(step, owner_id)
        if found is None or found[0].name == StepName.AGREEMENTS:
            raise NotFound("There is no such step.")
        asked, owner = found
        require_part(application, owner, actor)
        require_editable(application)
        step_kept(
            draft,
            owner,
            asked,
            answers,
            actor=actor,
            source=source,
            step_version=step_version,
            application_version=application_version,
            entries_seen=entries_seen,
        )
    return application


def step_kept(
    draft: Draft,
    owner: Owner | None,
    asked: Step,
    answers: dict[str, Any],
    *,
    actor: User,
    source: str,
    step_version: int | None,
    application_version: int | None = None,
    entries_seen: Seen | None = None,
) -> None:
    """Check and keep a step's answers in the caller's transaction, which has asked whether the actor may."""
    try:
        cleaned = asked.clean(answers)
    except Problem as problem:
        raise Invalid("Some answers need attention.", fields=problem.fields) from problem
    require_version(draft.application, application_version)
    typed = draft.entries(asked, owner)
    require_entries_seen(typed, entries_seen)
    row = step_row(draft, owner, asked.name, actor, step_version)
    drafts.keep(draft, owner, asked, cleaned)
    if typed is not None:
        typed.delete()
    touched(draft, row, actor, source)


def step_entries_keep(
    *,
    actor: User,
    application_id: UUID,
    step: str,
    entries: dict[str, Any],
    owner_id: UUID | None = None,
    step_version: int | None = None,
    seen: Seen | None = None,
    application_version: int | None = None,
) -> Application:
    """Keep what is typed into a step as it stands, half of it or wrong, until the step is saved.

    It counts nowhere: not for completeness, not for the provider. What is not in `entries` stays as it was typed
    before. Raises as step_save does; Invalid only for what no field of the step could hold.
    """
    with transaction.atomic():
        application = locked_part(actor, application_id)
        draft = drafts.load(application)
        found = draft.step(step, owner_id)
        if found is None or found[0].name == StepName.AGREEMENTS:
            raise NotFound("There is no such step.")
        require_part(application, found[1], actor)
        require_editable(application)
        require_version(application, application_version)
        entries_kept(draft, *found, entries, actor=actor, step_version=step_version, seen=seen)
    return application


def entries_kept(
    draft: Draft,
    asked: Step,
    owner: Owner | None,
    entries: dict[str, Any],
    *,
    actor: User,
    step_version: int | None,
    seen: Seen | None,
) -> None:
    """Keep what is typed in the caller's transaction, which has asked whether the actor may."""
    application = draft.application
    require_step_seen(draft.saved(asked, owner), step_version)
    row = draft.entries(asked, owner)
    require_entries_seen(row, seen)
    before = row.entries.reveal() if row else {}
    after = taken(asked, entries, before)
    if after == before:
        return
    if row is None:
        row = StepEntries(application=application, owner=owner, name=asked.name, version=0)
    row.entries, row.version, row.writer = after, row.version + 1, seen.writer if seen else ""
    row.kept_at, row.kept_by = clock.now(), actor
    row.save()
    # A version for every device that is about to write; the search words stand on saved answers.
    application.version += 1
    application.updated_at = row.kept_at
    application.save(update_fields=["version", "updated_at"])


def agreements_accept(
    *,
    actor: User,
    application_id: UUID,
    accepted: dict[UUID, str],
    source: str,
    application_version: int | None = None,
) -> Application:
    """Record that the actor accepted agreements in force, for themselves and whom they accept for.

    `accepted` maps each agreement's id to the SHA-256 of the text that was shown; another hash than the published
    one means another text was on the screen. Raises Invalid for missing, unknown or outdated ones; all or nothing.
    """
    with transaction.atomic():
        application = locked_part(actor, application_id)
        require_editable(application)
        require_version(application, application_version)
        draft = drafts.load(application)
        owner = draft.part_of(actor)
        in_force = {row.pk: row for row in completeness.agreements_for(draft, owner)}
        _check_accepted(in_force, accepted)
        context = current()
        AgreementAcceptance.objects.bulk_create(
            [
                AgreementAcceptance(
                    owner=person,
                    agreement=agreement,
                    text_sha256=agreement.text_sha256,
                    accepted_at=clock.now(),
                    accepted_by=actor,
                    ip=context.ip or None,
                    user_agent=context.user_agent,
                )
                for person in completeness.accepts_for(draft, owner)
                for agreement in in_force.values()
                if scope.binds(agreement, person)
            ],
            ignore_conflicts=True,
        )
        row = step_row(draft, owner, StepName.AGREEMENTS, actor, None)
        names = [f"{agreement.name} {agreement.version}" for agreement in in_force.values()]
        touched(draft, row, actor, source, accepted=names)
    return application


def _check_accepted(in_force: dict[UUID, Agreement], accepted: dict[UUID, str]) -> None:
    problems: dict[str, list[str]] = {
        str(key): ["This agreement is not in force. Reload the agreements."]
        for key in accepted
        if key not in in_force
    }
    for key, agreement in in_force.items():
        if key not in accepted:
            problems[str(key)] = [f"Read and accept “{agreement.title}”."]
        elif accepted[key] != agreement.text_sha256:
            problems[str(key)] = [f"“{agreement.title}” was changed. Read the present version and accept it."]
    if problems:
        raise Invalid("Some agreements need attention.", fields=problems)
