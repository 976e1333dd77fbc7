"""What of an open account the provider's operations alone change, as questions with our rules."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

from onboarding import drafts
from onboarding.drafts import Draft
from onboarding.models import ChangeRequest, Owner
from onboarding.requirements import (
    Field,
    Kind,
    Step,
    StepName,
    has_entity,
    roles_of,
    steps_of_entity,
    steps_of_person,
)
from onboarding.requirements.updates import RESTRICTED_COLUMNS
from onboarding.words import AccountType, EntityType
from portal.errors import NotFound
from portal.sealed import Sealed

Name = ChangeRequest.Field
WHY = Field(
    "why",
    "Why it is wrong",
    max_length=500,
    hint="For example: mistyped when the account was opened. The provider reads this.",
    missing="Say why it is wrong.",
)
_OF_PERSON = (Name.BIRTH_DATE, Name.TAX_NUMBER, Name.CITIZENSHIP)
_OF_ACCOUNT = (Name.ACCOUNT_TYPE, Name.ENROLLMENTS, Name.ACCOUNT_ID)
#: What our rows keep, and so take over when it is confirmed. The rest is kept in the request alone.
KEPT = frozenset({Name.BIRTH_DATE, Name.TAX_NUMBER, Name.COMPANY_TAX_NUMBER})
#: What a person still does where our rows do not follow by themselves.
LEFT_TO_DO = {
    Name.CITIZENSHIP: "Our record keeps no citizenship: nothing else is to be done.",
    Name.ACCOUNT_TYPE: (
        "Our record keeps the old type, for its people do not fit the new one. Compare the account with the provider's "
        "copy, and let the customer apply for an account of the new type here."
    ),
    Name.ENROLLMENTS: "Our record keeps no enrollments: nothing else is to be done.",
    Name.ACCOUNT_ID: (
        "Our record keeps its own keys. Compare the account with the provider's copy before its next change."
    ),
}
_CITIZENSHIP = Field("citizenship", "Country of citizenship", Kind.COUNTRY, missing="Choose the country.")
_ACCOUNT_TYPE = Field(
    "account_type",
    "Type of account",
    Kind.CHOICE,
    choices=tuple((value, str(label)) for value, label in AccountType.choices),
    missing="Choose the type of account.",
)
_ENROLLMENTS = Field("enrollments", "What the account should be enrolled in", max_length=200)
_ACCOUNT_ID = Field("account_id", "Which id, and what it should be", max_length=200)


@dataclass(frozen=True)
class Askable:
    """A restricted field of one person or of the account: its questions, and what is kept."""

    field: Name
    owner: Owner | None
    step: Step
    kept: dict[str, Any]

    @property
    def owner_id(self) -> UUID | None:
        """The id that stands in its address; None for the account's and the applicant's own."""
        return None if self.owner is None or self.owner.is_applicant else self.owner.pk

    @property
    def label(self) -> str:
        """What it is, and whose where it is another person's."""
        words = str(self.field.label)
        return f"{self.owner.full_name}: {words.lower()}" if self.owner and self.owner_id else words


def askable(draft: Draft) -> list[Askable]:
    """Everything of the account that may be asked for, in the order of a page."""
    found = [_of_person(draft, owner, name) for owner in draft.owners for name in _OF_PERSON]
    if draft.entity is not None:
        found.append(_of_company(draft))
    account = {Name.ACCOUNT_TYPE: _ACCOUNT_TYPE, Name.ENROLLMENTS: _ENROLLMENTS, Name.ACCOUNT_ID: _ACCOUNT_ID}
    kept = {
        Name.ACCOUNT_TYPE: {"account_type": draft.application.account_type},
        Name.ACCOUNT_ID: {"account_id": draft.application.reference},
    }
    found += [Askable(name, None, _step(name, (account[name],)), kept.get(name, {})) for name in _OF_ACCOUNT]
    return found


def askable_one(draft: Draft, field: str, owner_id: UUID | None) -> Askable:
    """One of them; `owner_id` None is the applicant or the account. Raises NotFound."""
    for item in askable(draft):
        whose = item.owner.pk if item.owner else None
        if item.field == field and owner_id in {item.owner_id, whose}:
            return item
    raise NotFound("There is nothing of that name that could be asked for.")


def _of_person(draft: Draft, owner: Owner, name: Name) -> Askable:
    if name == Name.CITIZENSHIP:
        return Askable(name, owner, _step(name, (_CITIZENSHIP,)), {})
    identity = next(
        step
        for step in steps_of_person(drafts.person_of(owner, draft.application))
        if step.name == StepName.IDENTITY
    )
    wanted = {"date_of_birth"} if name == Name.BIRTH_DATE else RESTRICTED_COLUMNS - {"date_of_birth"}
    fields = tuple(field for field in identity.fields if field.store[1] in wanted)
    across = identity.across if name == Name.TAX_NUMBER else None
    kept = {field.name: value for field in fields if (value := getattr(owner, field.store[1]))}
    return Askable(name, owner, replace(_step(name, fields), across=across), kept)


def _of_company(draft: Draft) -> Askable:
    assert draft.entity is not None
    entity = steps_of_entity(draft.application.account_type, str(draft.applicant.country))[0]
    fields = tuple(field for field in entity.fields if field.name == "entity_tax_id")
    kept = {"entity_tax_id": draft.entity.tax_id} if draft.entity.tax_id else {}
    step = replace(_step(Name.COMPANY_TAX_NUMBER, fields), across=entity.across)
    return Askable(Name.COMPANY_TAX_NUMBER, None, step, kept)


def _step(name: Name, fields: tuple[Field, ...]) -> Step:
    return Step(StepName.IDENTITY, str(name.label), str(name.label), "", (*fields, WHY))


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Answers as a sealed column keeps them; the asker's reason stands beside them."""
    found = {}
    for name, value in values.items():
        if name != WHY.name and value not in (None, ""):
            opened = value.reveal() if isinstance(value, Sealed) else value
            found[name] = opened.isoformat() if hasattr(opened, "isoformat") else opened
    return found


def rows(request: ChangeRequest, *, unmasked: bool = False) -> list[tuple[str, str, str]]:
    """The request as (question, before, wanted), masked unless the caller has recorded that it is revealed."""
    labels = {field.name: field.label for field in _questions(request)}
    before, wanted = request.before.reveal(), request.wanted.reveal()
    return [
        (labels.get(name, name), *(_said(name, side.get(name), unmasked) for side in (before, wanted)))
        for name in dict.fromkeys([*before, *wanted])
    ]


_SENSITIVE = frozenset({"date_of_birth", "tax_id", "entity_tax_id"})


def _said(name: str, value: Any, unmasked: bool) -> str:
    if value in (None, ""):
        return "Nothing kept" if name in _SENSITIVE else "Nothing"
    text = str(value)
    return "•••" + text[-2:] if name in _SENSITIVE and not unmasked else text


def _questions(request: ChangeRequest) -> tuple[Field, ...]:
    draft = drafts.load(request.account.application)
    return askable_one(draft, request.field, request.owner_id).step.fields


def keep(request: ChangeRequest) -> bool:
    """Take a confirmed change over into our rows, in the caller's transaction; False where no row keeps it."""
    if request.field == Name.ACCOUNT_TYPE:
        return _keep_type(request)
    if request.field not in KEPT:
        return False
    draft = drafts.load(request.account.application)
    item = askable_one(draft, request.field, request.owner_id)
    values = request.wanted.reveal()
    if "date_of_birth" in values:
        values["date_of_birth"] = date.fromisoformat(values["date_of_birth"])
    fields = tuple(field for field in item.step.fields if field.name != WHY.name)
    drafts.keep(draft, item.owner, replace(item.step, fields=fields), values)
    return True


def _keep_type(request: ChangeRequest) -> bool:
    """The new type, where everybody of the account has a place in it; the applicant takes its first role."""
    application = request.account.application
    draft = drafts.load(application)
    wanted = request.wanted.reveal()["account_type"]
    kind = EntityType.TRUST.value if wanted == AccountType.ENTITY_PERSONAL_TRUST else ""
    if wanted == AccountType.ENTITY:
        kind = application.entity_type
    if has_entity(wanted) != (draft.entity is not None) or (wanted == AccountType.ENTITY and not kind):
        return False
    rules = roles_of(wanted, kind)
    roles = [owner.role for owner in draft.others] + [rules[0].role]
    if any(role not in {rule.role for rule in rules} for role in roles) or any(
        not rule.least <= roles.count(rule.role) <= rule.most for rule in rules
    ):
        return False
    draft.applicant.role = rules[0].role
    draft.applicant.save(update_fields=["role"])
    application.account_type, application.entity_type = wanted, kind
    application.save(update_fields=["account_type", "entity_type"])
    return True
