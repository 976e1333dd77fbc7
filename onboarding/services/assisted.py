"""Applications that staff start for a customer, fill in and hand over. The customer accepts and hands in."""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import transaction

from onboarding import drafts, notices
from onboarding.drafts import Draft
from onboarding.entries import Seen
from onboarding.models import Application, Customer, Owner
from onboarding.requirements import Step, StepName, rules
from onboarding.services.applications import country_of, draft_made, entity_type_of, open_one
from onboarding.services.shared import moved_on
from onboarding.services.steps import entries_kept, step_kept
from onboarding.words import AccountType
from portal import audit, clock, permissions
from portal.auth.signup import NameForm
from portal.errors import Conflict, Invalid, NotFound
from portal.models import Role, User

#: The word of portal.permissions for all of this.
START = "application.start"
#: Steps that staff do not fill in: who belongs to the account and what is accepted.
CUSTOMERS_OWN = frozenset({StepName.AGREEMENTS, StepName.OWNERS})


def application_start_for(
    *,
    actor: User,
    email: str,
    name: str,
    account_type: str,
    country: str,
    source: str,
    entity_type: str = "",
) -> Application:
    """A draft for the customer with that e-mail address; a login without a password when there is none yet.

    Raises Forbidden, Invalid with the fields that do not hold, and Conflict when the customer has an open
    application of this kind: theirs is not staff's to fill in.
    """
    permissions.require(actor, START)
    address, name = _address(email), _name(name)
    entity_type = entity_type_of(account_type, entity_type)
    country = country_of(country)
    with transaction.atomic():
        user = _login(address, name)
        customer, _ = Customer.objects.get_or_create(user=user)
        Customer.objects.select_for_update().get(pk=customer.pk)
        if account_type == AccountType.INDIVIDUAL and open_one(customer, account_type, entity_type):
            raise Conflict("This customer has an open application of this kind already.")
        return draft_made(
            customer,
            actor=actor,
            account_type=account_type,
            entity_type=entity_type,
            country=country,
            source=source,
            started_by=actor,
        )


def _address(email: str) -> str:
    address = email.strip().lower()
    try:
        return rules.email(address)
    except ValidationError as error:
        raise Invalid("Look at the e-mail address.", fields={"email": list(error.messages)}) from error


def _name(name: str) -> str:
    """The name stands in letters, so the rule of sign-up holds here too."""
    form = NameForm({"name": name})
    if not form.is_valid():
        raise Invalid("Look at the name.", fields={"name": [str(text) for text in form.errors["name"]]})
    return str(form.cleaned_data["name"])


def _login(address: str, name: str) -> User:
    """The customer's login, locked. One that nobody proved to own loses its password: it may be a stranger's."""
    user = User.objects.select_for_update().filter(email__iexact=address).first()
    if user is None:
        # Of two starts at once the second waits here for the first and finds its login.
        user, _ = User.objects.get_or_create(email=address, defaults={"name": name, "password": "!"})
        user = User.objects.select_for_update().get(pk=user.pk)
        EmailAddress.objects.get_or_create(user=user, email=address, defaults={"primary": True})
    if user.role != Role.CUSTOMER:
        raise Invalid("Look at the e-mail address.", fields={"email": ["This is a colleague's address."]})
    if not user.is_active:
        raise Conflict("This customer's login is switched off. An administrator can switch it on.")
    if not EmailAddress.objects.filter(user=user, email__iexact=address, verified=True).exists():
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def _locked(actor: User, application_id: UUID) -> Application:
    permissions.require(actor, START)
    application = (
        Application.objects.select_for_update(of=("self",))
        .select_related("customer__user")
        .filter(pk=application_id)
        .first()
    )
    if application is None:
        raise NotFound("There is no such application.")
    return application


def step_save_for(
    *,
    actor: User,
    application_id: UUID,
    step: str,
    answers: dict[str, Any],
    step_version: int | None,
    source: str,
    entries_seen: Seen | None = None,
) -> Application:
    """Keep a step for the customer, recorded as the member of staff who did. Raises as step_save does.

    Conflict too once it was handed over, or where the customer started it.
    """
    with transaction.atomic():
        draft, asked, owner = _to_fill_in(actor, application_id, step)
        step_kept(
            draft,
            owner,
            asked,
            answers,
            actor=actor,
            source=source,
            step_version=step_version,
            entries_seen=entries_seen,
        )
    return draft.application


def step_entries_keep_for(
    *,
    actor: User,
    application_id: UUID,
    step: str,
    entries: dict[str, Any],
    step_version: int | None,
    seen: Seen | None,
) -> Application:
    """Keep what staff type into a step until they save it. Raises as step_save_for and step_entries_keep do."""
    with transaction.atomic():
        draft, asked, owner = _to_fill_in(actor, application_id, step)
        entries_kept(draft, asked, owner, entries, actor=actor, step_version=step_version, seen=seen)
    return draft.application


def _to_fill_in(actor: User, application_id: UUID, step: str) -> tuple[Draft, Step, Owner | None]:
    """The draft, locked, with the step as staff fill it in."""
    application = _locked(actor, application_id)
    if not application.is_with_staff:
        raise Conflict("This application is the customer's. Staff do not change it.")
    draft = drafts.load(application, by_staff=True)
    found = draft.step(step, None)
    if found is None or found[0].name in CUSTOMERS_OWN:
        raise NotFound("There is no such step.")
    return draft, *found


def application_hand_over(*, actor: User, application_id: UUID, source: str) -> Application:
    """Send the customer the link to the draft. Once more is possible while they have chosen no password.

    Raises Conflict for an application of the customer's own, or one they have already.
    """
    with transaction.atomic():
        application = _locked(actor, application_id)
        user = User.objects.select_for_update().get(pk=application.customer.user_id)
        is_theirs = application.handed_over_at is not None and user.has_usable_password()
        if application.started_by_id is None or not application.is_editable or is_theirs:
            raise Conflict("This application is the customer's already.")
        application.handed_over_at = clock.now()
        application.save(update_fields=["handed_over_at"])
        moved_on(application)
        audit.record("application.hand_over", subject=application, actor=actor, source=source)
        notices.handed_over(application, user)
    return application
