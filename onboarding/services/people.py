"""Who belongs to an account: adding, changing and removing people."""

from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import transaction

from onboarding import document_requests, drafts
from onboarding.discarded import discard
from onboarding.models import Application, ApplicationStep, Document, Owner
from onboarding.requirements import role_rule, roles_of, rules
from onboarding.services.shared import locked_draft, moved_on, require_version
from onboarding.words import AccountType
from portal import audit
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User


def owner_add(
    *,
    actor: User,
    application_id: UUID,
    role: str,
    country: str,
    source: str,
    given_name: str = "",
    family_name: str = "",
    is_control_person: bool = False,
    ownership_percent: int | None = None,
    application_version: int | None = None,
) -> Owner:
    """Add a person to the account. Raises Invalid with the fields that do not hold, Conflict when it is not a draft."""
    with transaction.atomic():
        application = locked_draft(actor, application_id)
        require_version(application, application_version)
        values = _checked(
            application,
            {
                "role": role,
                "country": country,
                "given_name": given_name,
                "family_name": family_name,
                "is_control_person": is_control_person,
                "ownership_percent": ownership_percent,
            },
        )
        rule = role_rule(application.account_type, application.entity_type, values["role"])
        assert rule is not None
        taken = Owner.objects.filter(application=application, role=rule.role).count()
        if taken >= rule.most:
            raise Invalid(
                "There is no room for one more person in this role.",
                fields={
                    "role": [f"There can be at most {rule.most}. Remove somebody, or choose another role."]
                },
            )
        _make_room(application, values)
        owner = Owner.objects.create(application=application, **values)
        moved_on(application)
        audit.record(
            "application.owner_add",
            subject=application,
            actor=actor,
            source=source,
            after={"owner": str(owner.pk), "role": owner.role, "country": str(owner.country)},
        )
    return owner


def owner_change(
    *,
    actor: User,
    application_id: UUID,
    owner_id: UUID | None,
    changes: dict[str, Any],
    source: str,
    application_version: int | None = None,
) -> Owner:
    """Change a person's role, country, control or share; `owner_id` None is the applicant.

    Answers that no longer fit the new country or role stay kept and show as steps that need attention. Raises
    Invalid, NotFound or Conflict.
    """
    with transaction.atomic():
        application = locked_draft(actor, application_id)
        require_version(application, application_version)
        owner = _owner(application, owner_id)
        unknown = set(changes) - {"role", "country", "is_control_person", "ownership_percent"}
        if unknown:
            raise Invalid(
                "Some of this cannot be changed here.",
                fields={name: ["There is no such field."] for name in sorted(unknown)},
            )
        if owner.is_applicant and changes.get("role", owner.role) != owner.role:
            raise Invalid(
                "The applicant's role follows from the type of account.",
                fields={"role": ["Leave it as it is, or start an application of another type."]},
            )
        before = {name: _plain(getattr(owner, name)) for name in changes}
        values = _checked(application, changes)
        _make_room(application, values)
        for name, value in values.items():
            setattr(owner, name, value)
        owner.save(update_fields=[*values])
        moved_on(application)
        audit.record(
            "application.owner_change",
            subject=application,
            actor=actor,
            source=source,
            before={"owner": str(owner.pk), **before},
            after={name: _plain(value) for name, value in values.items()},
        )
    return owner


def owner_remove(
    *,
    actor: User,
    application_id: UUID,
    owner_id: UUID,
    source: str,
    application_version: int | None = None,
) -> Application:
    """Take a person out of a draft, with what was answered about them. Raises NotFound or Conflict."""
    with transaction.atomic():
        application = locked_draft(actor, application_id)
        require_version(application, application_version)
        owner = _owner(application, owner_id)
        if owner.is_applicant:
            raise Conflict("The applicant cannot be removed. Withdraw the application instead.")
        if application.submitted_at is not None:
            raise Conflict(
                "The provider knows this person already. Ask us to change who belongs to the account."
            )
        role = owner.role
        owner.acceptances.all().delete()
        ApplicationStep.objects.filter(owner=owner).delete()
        discard(Document.objects.filter(owner=owner))
        owner.delete()
        document_requests.tally(application)
        moved_on(application)
        audit.record(
            "application.owner_remove",
            subject=application,
            actor=actor,
            source=source,
            before={"owner": str(owner_id), "role": role},
        )
    return application


def _owner(application: Application, owner_id: UUID | None) -> Owner:
    found = drafts.load(application).owner(owner_id)
    if found is None:
        raise NotFound("There is no such person in this application.")
    return found


def _plain(value: Any) -> Any:
    return value if value is None or isinstance(value, bool | int) else str(value)


def _make_room(application: Application, values: dict[str, Any]) -> None:
    """One person controls the company: naming another moves it."""
    if values.get("is_control_person"):
        Owner.objects.filter(application=application, is_control_person=True).update(is_control_person=False)


def _checked(application: Application, values: dict[str, Any]) -> dict[str, Any]:
    """The values to keep. Raises Invalid with everything that does not hold, all at once."""
    problems: dict[str, list[str]] = {}
    kept: dict[str, Any] = {}
    for name, value in values.items():
        try:
            kept[name] = _RULES[name](application, value)
        except ValidationError as error:
            problems[name] = list(error.messages)
    if problems:
        raise Invalid("Some answers need attention.", fields=problems)
    return kept


def _role(application: Application, value: Any) -> str:
    known = [rule.role for rule in roles_of(application.account_type, application.entity_type)]
    if value not in known:
        raise ValidationError(f"Choose one of {', '.join(known)}.")
    return str(value)


def _country(application: Application, value: Any) -> str:
    return rules.country(value)


def _name(application: Application, value: Any) -> str:
    if not isinstance(value, str):
        raise ValidationError("A name must be text.")
    text = rules.plain_text(value)
    if len(text) > 100:
        raise ValidationError(f"A name must be 100 characters or fewer; this one has {len(text):,}.")
    return rules.person_name(text) if text else ""


def _control(application: Application, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValidationError("Answer yes or no.")
    if value and application.account_type != AccountType.ENTITY:
        raise ValidationError("Only a company has somebody who controls it.")
    return value


def _percent(application: Application, value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 100:
        raise ValidationError("Enter a share between 0 and 100 percent, without decimals.")
    return value


_RULES = {
    "role": _role,
    "country": _country,
    "given_name": _name,
    "family_name": _name,
    "is_control_person": _control,
    "ownership_percent": _percent,
}
