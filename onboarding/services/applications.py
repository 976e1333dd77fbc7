"""Starting, handing in and giving up an application."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction

from onboarding import completeness, notices, payloads
from onboarding.cases import duplicates
from onboarding.models import Application, Customer, Owner, ProviderAccount
from onboarding.operations import PARTY_STATUS, SAVE_ACCOUNT
from onboarding.requirements import has_entity, roles_of, rules
from onboarding.services.shared import locked, require_version
from onboarding.services.shared_identity import token_checked
from onboarding.words import AccountType, EntityType
from portal import audit, clock, outbox
from portal.context import current
from portal.errors import Conflict, Invalid
from portal.models import User
from providers import expected

Status = Application.Status

#: A word about a new account usually comes within seconds; after this long we read it ourselves.
VERDICT_WITHIN = timedelta(minutes=10)


def customer_of(user: User) -> Customer:
    """The customer behind a user, made at the first asking."""
    customer, _ = Customer.objects.get_or_create(user=user)
    language = current().language
    if language and customer.language != language:
        customer.language = language
        customer.save(update_fields=["language"])
    return customer


def application_start(
    *,
    actor: User,
    account_type: str = AccountType.INDIVIDUAL,
    entity_type: str = "",
    country: str = "US",
    source: str,
) -> Application:
    """The actor's open application of this kind; a new draft when there is none.

    `country` is where the applicant lives, or where the company is registered (ISO alpha-2). Two starts at once
    end at one draft: the database allows one open individual application per customer; of other types an
    untouched draft is taken up again. Raises Invalid.
    """
    entity_type = entity_type_of(account_type, entity_type)
    country = country_of(country)
    customer = customer_of(actor)
    with transaction.atomic():
        # Starts of one customer wait for each other here.
        Customer.objects.select_for_update().get(pk=customer.pk)
        existing = open_one(customer, account_type, entity_type)
        if existing:
            return existing
        return draft_made(
            customer,
            actor=actor,
            account_type=account_type,
            entity_type=entity_type,
            country=country,
            source=source,
        )


def draft_made(
    customer: Customer,
    *,
    actor: User,
    account_type: str,
    entity_type: str,
    country: str,
    source: str,
    started_by: User | None = None,
) -> Application:
    """A new draft of the customer, in the caller's transaction, which has checked what it is made of."""
    application = Application.objects.create(
        customer=customer,
        account_type=account_type,
        entity_type=entity_type,
        settlement_method=settings.BAKKT_SETTLEMENT_METHOD,
        started_by=started_by,
    )
    Owner.objects.create(
        application=application,
        is_applicant=True,
        user=customer.user,
        country=country,
        role=roles_of(account_type, entity_type)[0].role,
    )
    audit.record(
        "application.start",
        subject=application,
        actor=actor,
        source=source,
        after={"account_type": account_type, "entity_type": entity_type, "country": country},
    )
    return application


def open_one(customer: Customer, account_type: str, entity_type: str) -> Application | None:
    """The application a new start ends at: the open one of a person, an untouched draft of other types."""
    closed = [Status.APPROVED, Status.REJECTED, Status.WITHDRAWN]
    rows = Application.objects.filter(customer=customer, account_type=account_type).exclude(status__in=closed)
    if account_type != AccountType.INDIVIDUAL:
        rows = rows.filter(entity_type=entity_type, version=1)
    return rows.first()


def entity_type_of(account_type: str, entity_type: str) -> str:
    """The entity type that belongs to the account type. Raises Invalid."""
    if account_type not in AccountType.values:
        raise Invalid(
            "There is no such type of account.",
            fields={"account_type": [f"Send one of {', '.join(AccountType.values)}."]},
        )
    if account_type == AccountType.ENTITY_PERSONAL_TRUST:
        return EntityType.TRUST
    if account_type != AccountType.ENTITY:
        return ""
    if entity_type not in EntityType.values:
        raise Invalid(
            "Say what kind of company or entity it is.",
            fields={"entity_type": [f"Choose one of {', '.join(EntityType.values)}."]},
        )
    return entity_type


def country_of(value: str) -> str:
    """A country's code. Raises Invalid."""
    try:
        return rules.country(value)
    except ValidationError as error:
        raise Invalid("There is no such country.", fields={"country": list(error.messages)}) from error


def application_submit(
    *,
    actor: User,
    application_id: UUID,
    source: str,
    application_version: int | None = None,
    share_token: str = "",
) -> Application:
    """Hand the application in: status, account, the call to the provider and the answer we expect, in one transaction.

    `share_token` shares an identity check made elsewhere with the provider (onboarding/services/shared_identity.py).

    An application of somebody who seems to have an account already is held for a person to look at first.
    Submitting twice (two tabs, a double click, a repeated request) is one submission: the second caller gets the
    application as it is. Raises Invalid with everything missing, Conflict when it is past submitting.
    """
    with transaction.atomic():
        application = locked(actor, application_id)
        if application.status in {Status.HELD, Status.SUBMITTED, Status.RECEIVED}:
            return application
        if not application.is_editable:
            raise Conflict("This application was handed in before and cannot be changed any more.")
        require_version(application, application_version)
        if share_token:
            share_token = token_checked(application, share_token)
        hand_in(application, actor=actor, source=source, share_token=share_token)
    return application


def hand_in(application: Application, *, actor: User, source: str, share_token: str = "") -> None:
    """Hand in an application that may still be changed, in the caller's transaction, which holds its row.

    Raises Invalid with everything missing. A share token does not wait with what is held: it would be too old.
    """
    lacking = completeness.missing(completeness.step_states(application))
    if lacking:
        raise Invalid("The application is not complete yet.", fields=lacking)
    if application.status == Status.CORRECTION_NEEDED:
        application.corrections = []
    application.submitted_at = application.updated_at = clock.now()
    application.version += 1
    application.save(update_fields=["corrections", "submitted_at", "updated_at", "version"])
    twins = duplicates.find(application)
    if twins:
        application.move_to(Status.HELD, actor=actor, source=source)
        duplicates.open_case(application, twins, actor=actor, source=source)
    else:
        pass_on(application, actor=actor, source=source, share_token=share_token)
    notices.application_received(application)


def pass_on(application: Application, *, actor: User, source: str, share_token: str = "") -> None:
    """Send a complete application to the provider, in the caller's transaction, which holds its row."""
    application.move_to(Status.SUBMITTED, actor=actor, source=source)
    # What was typed over saved answers and came to the same.
    application.entries.all().delete()
    account, _ = ProviderAccount.objects.get_or_create(
        application=application,
        defaults={"client_account_id": application.client_account_id or application.reference},
    )
    outbox.enqueue(
        operation=SAVE_ACCOUNT,
        subject=account,
        body=replace(payloads.account_request(account), share_token=share_token or None).to_wire(),
        actor=actor,
    )
    if not has_entity(application.account_type):
        # A company or trust is screened only when its papers are there; its verdict is expected from then on.
        expected.expect(account, PARTY_STATUS, provider=account.provider, due_in=VERDICT_WITHIN)


def application_withdraw(*, actor: User, application_id: UUID, source: str) -> Application:
    """Give up an application that the provider has not heard of. Raises IllegalMove once it was passed on."""
    with transaction.atomic():
        application = locked(actor, application_id)
        held = application.status == Status.HELD
        application.move_to(Status.WITHDRAWN, actor=actor, source=source)
        application.entries.all().delete()
        if held:
            duplicates.settle(application, "The customer withdrew the application.", source=source)
    return application
