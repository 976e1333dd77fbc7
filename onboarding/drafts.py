"""Between answers and the rows that keep them. Where an answer is kept stands in its question (Field.store)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import models
from django_countries.fields import Country

from onboarding import entries
from onboarding.models import (
    Address,
    Application,
    ApplicationStep,
    Employment,
    Entity,
    InvestmentProfile,
    Owner,
    StepEntries,
    TrustedContact,
)
from onboarding.requirements import (
    AGREEMENTS,
    Person,
    Step,
    has_entity,
    owners_step,
    several_people,
    steps_of_account,
    steps_of_entity,
    steps_of_person,
)
from portal.models import User

Values = dict[str, Any]
LINES = ("line1", "line2")


def applicant_of(application: Application) -> Owner:
    """The owner who fills the application in."""
    return Owner.objects.get(application=application, is_applicant=True)


def person_of(owner: Owner, application: Application, *, by_staff: bool = False) -> Person:
    """What decides an owner's questions. `by_staff`: staff read them, and answer for the customer."""
    return Person(
        account_type=application.account_type,
        entity_type=application.entity_type,
        role=owner.role,
        country=str(owner.country),
        is_applicant=owner.is_applicant,
        # The applicant answers for whoever has not taken a part of their own.
        reads_it=not by_staff and (owner.is_applicant or owner.fills_in_themselves),
    )


@dataclass
class Draft:
    """An application with every row its answers are kept in, read in a fixed number of queries."""

    application: Application
    owners: list[Owner]
    entity: Entity | None
    profile: InvestmentProfile | None
    contact: TrustedContact | None
    #: When each step was saved: (owner's id or None, step) -> row.
    steps: dict[tuple[UUID | None, str], ApplicationStep]
    #: What was typed into steps and not saved, by the same keys.
    typed: dict[tuple[UUID | None, str], StepEntries]
    #: Staff read the questions, and answer for the customer.
    by_staff: bool = False
    _addresses: dict[tuple[UUID | None, str], Address] = field(default_factory=dict)

    @property
    def applicant(self) -> Owner:
        """The owner who fills the application in."""
        return next(owner for owner in self.owners if owner.is_applicant)

    @property
    def others(self) -> list[Owner]:
        """Everyone of the account but the applicant."""
        return [owner for owner in self.owners if not owner.is_applicant]

    def part_of(self, user: User) -> Owner:
        """The owner the user is. Whoever may open the draft and is none of its people is the applicant's hand."""
        return next((owner for owner in self.owners if owner.user_id == user.pk), self.applicant)

    def shows_answers_of(self, owner: Owner | None, viewer: User) -> bool:
        """Whether this customer sees these answers: the applicant all but of those who took their part, they theirs."""
        if self.part_of(viewer).is_applicant:
            return owner is None or not owner.fills_in_themselves
        return owner is not None and owner.user_id == viewer.pk

    def owner(self, owner_id: UUID | None) -> Owner | None:
        """The owner with that id; the applicant for None; None for a stranger."""
        if owner_id is None:
            return self.applicant
        return next((owner for owner in self.owners if owner.pk == owner_id), None)

    def journey(self) -> list[tuple[Step, Owner | None]]:
        """Every step in the order it is asked, with its owner where it is about one person."""
        application, applicant = self.application, self.applicant
        own = steps_of_person(person_of(applicant, application, by_staff=self.by_staff))
        found: list[tuple[Step, Owner | None]] = []
        if has_entity(application.account_type):
            country = str(applicant.country)
            found += [(step, None) for step in steps_of_entity(application.account_type, country)]
        found += [(step, applicant) for step in own if step is not AGREEMENTS]
        if several_people(application.account_type):
            found.append((owners_step(application.account_type), None))
            for owner in self.others:
                person = person_of(owner, application, by_staff=self.by_staff)
                found += [(step, owner) for step in steps_of_person(person)]
        whole = steps_of_account(str(applicant.country), for_another=self.by_staff)
        found += [(step, None) for step in whole]
        found.append((AGREEMENTS, applicant))
        return found

    def step(self, name: str, owner_id: UUID | None) -> tuple[Step, Owner | None] | None:
        """The step of that name: the account's or the applicant's for no owner, else that owner's."""
        for step, owner in self.journey():
            whose = None if owner is None or owner.is_applicant else owner.pk
            if step.name == name and whose == owner_id:
                return step, owner
        return None

    def saved(self, step: Step, owner: Owner | None) -> ApplicationStep | None:
        """The row of a step that was saved."""
        return self.steps.get((owner.pk if owner else None, step.name))

    def entries(self, step: Step, owner: Owner | None) -> StepEntries | None:
        """What was typed into a step and not saved."""
        return self.typed.get((owner.pk if owner else None, step.name))

    def shown(self, step: Step, owner: Owner | None, forgotten: Collection[str] = ()) -> Values:
        """What its page starts from: the kept answers, with what was typed since over them."""
        typed = self.typed_into(step, owner)
        return self.answers(step, owner) | {
            name: value for name, value in typed.items() if name not in forgotten
        }

    def typed_into(self, step: Step, owner: Owner | None) -> Values:
        """What was typed into a step and not saved, sensitive entries sealed."""
        row = self.entries(step, owner)
        return entries.sealed(step, row.entries.reveal()) if row else {}

    def answers(self, step: Step, owner: Owner | None) -> Values:
        """A step's kept answers in the form they came in, sensitive ones sealed; empty until it was saved."""
        if self.saved(step, owner) is None:
            return {}
        found: Values = {}
        for question in step.fields:
            table, name = question.store
            row = self._row(table, owner)
            if not name:
                found[question.name] = row is not None
            elif row is not None:
                found[question.name] = _line(row, name) if name in LINES else _plain(getattr(row, name))
        return found

    def _row(self, table: str, owner: Owner | None) -> models.Model | None:
        if table.startswith("address:"):
            kind = table.removeprefix("address:")
            return self._addresses.get((self._holder(kind, owner), kind))
        if table == "employment":
            return getattr(owner, "employment", None)
        rows = {"owner": owner, "profile": self.profile, "entity": self.entity, "contact": self.contact}
        return rows[table]

    def _holder(self, kind: str, owner: Owner | None) -> UUID | None:
        if kind in {Address.Kind.REGISTERED, Address.Kind.OPERATING}:
            return self.entity.pk if self.entity else None
        if kind == Address.Kind.CONTACT:
            return self.contact.pk if self.contact else None
        return owner.pk if owner else None


def load(application: Application, *, by_staff: bool = False) -> Draft:
    """The application's draft; the number of queries does not depend on the number of people.

    `by_staff`: the questions are worded for staff who answer for the customer.
    """
    owners = list(
        Owner.objects.filter(application=application)
        .select_related("employment", "user")
        .prefetch_related("addresses", "acceptances", "invitations")
        .order_by("-is_applicant", "pk")
    )
    entity = Entity.objects.filter(application=application).prefetch_related("addresses").first()
    contact = TrustedContact.objects.filter(application=application).prefetch_related("addresses").first()
    draft = Draft(
        application,
        owners,
        entity,
        InvestmentProfile.objects.filter(application=application).first(),
        contact,
        {(row.owner_id, row.name): row for row in ApplicationStep.objects.filter(application=application)},
        {(row.owner_id, row.name): row for row in StepEntries.objects.filter(application=application)},
        by_staff=by_staff,
    )
    for owner in owners:
        owner.application = application
    holders: list[Owner | Entity | TrustedContact] = [*owners]
    holders += [row for row in (entity, contact) if row is not None]
    for holder in holders:
        for address in holder.addresses.all():
            draft._addresses[(holder.pk, address.kind)] = address
    return draft


def _line(address: Any, name: str) -> str:
    lines = [*address.street_lines, "", ""]
    return str(lines[LINES.index(name)])


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Country) else value


# --- Keeping ------------------------------------------------------------------------------------------------


def keep(draft: Draft, owner: Owner | None, step: Step, answers: Mapping[str, Any]) -> None:
    """Write a step's cleaned answers to the draft's rows and the database, in the caller's transaction.

    `owner` is the draft's own. The caller holds the application's row, so what the draft read is what is there.
    What was not asked is blanked: an answer given before its question fell away must not stay behind.
    """
    by_table: dict[str, Values] = defaultdict(dict)
    for question in step.fields:
        table, name = question.store
        values = by_table[table]
        if not name:
            values["asked"] = bool(answers.get(question.name))
        elif question.name in answers:
            values[name] = answers[question.name]
        else:
            values.setdefault("blank", []).append(name)
    for table, values in by_table.items():
        blank = values.pop("blank", [])
        if table.startswith("address:"):
            _keep_address(draft, owner, table.removeprefix("address:"), values)
        else:
            _KEEPERS[table](draft, owner, values, blank)


def _assign(row: models.Model, values: Values, blank: Collection[str] = ()) -> None:
    for name, value in values.items():
        setattr(row, name, value)
    for name in blank:
        field = row._meta.get_field(name)
        assert isinstance(field, models.Field)
        setattr(row, name, field.get_default())
    # A row that is named by another's key would be looked for first.
    row.save(force_insert=row._state.adding)


def _keep_owner(draft: Draft, owner: Owner | None, values: Values, blank: list[str]) -> None:
    assert owner is not None
    _assign(owner, values, blank)


def _keep_employment(draft: Draft, owner: Owner | None, values: Values, blank: list[str]) -> None:
    assert owner is not None
    _assign(getattr(owner, "employment", None) or Employment(owner=owner), values, blank)


def _keep_entity(draft: Draft, owner: Owner | None, values: Values, blank: list[str]) -> None:
    draft.entity = draft.entity or Entity(application=draft.application)
    _assign(draft.entity, values, blank)


def _keep_profile(draft: Draft, owner: Owner | None, values: Values, blank: list[str]) -> None:
    draft.profile = draft.profile or InvestmentProfile(application=draft.application)
    _assign(draft.profile, values, blank)


def _keep_contact(draft: Draft, owner: Owner | None, values: Values, blank: list[str]) -> None:
    if values.pop("asked"):
        draft.contact = draft.contact or TrustedContact(application=draft.application)
        _assign(draft.contact, values, blank)
    elif draft.contact is not None:
        draft.contact.delete()
        draft.contact = None


_KEEPERS: dict[str, Callable[[Draft, Owner | None, Values, list[str]], None]] = {
    "owner": _keep_owner,
    "employment": _keep_employment,
    "entity": _keep_entity,
    "profile": _keep_profile,
    "contact": _keep_contact,
}


def _keep_address(draft: Draft, owner: Owner | None, kind: str, values: Values) -> None:
    holder: dict[str, Any]
    if kind in {Address.Kind.REGISTERED, Address.Kind.OPERATING}:
        if draft.entity is None:
            draft.entity = Entity.objects.create(application=draft.application)
        holder = {"entity": draft.entity}
    elif kind == Address.Kind.CONTACT:
        if draft.contact is None:
            return
        holder = {"trusted_contact": draft.contact}
    else:
        holder = {"owner": owner}
    key = (draft._holder(kind, owner), kind)
    row = draft._addresses.pop(key, None)
    if "line1" not in values:
        if row is not None:
            row.delete()
        return
    draft._addresses[key] = row = row or Address(kind=kind, **holder)
    lines = [values["line1"], values["line2"]]
    _assign(
        row,
        {
            "street_lines": [line for line in lines if line],
            **{name: values[name] for name in ("city", "state", "postal_code", "country")},
        },
    )
