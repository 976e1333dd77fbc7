"""From rows that were understood to customers: everything of a chunk in a few statements.

Where an answer is kept stands in its question (Field.store), as for answers given one by one (onboarding.drafts).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.postgres.search import SearchVector
from django.db import models
from django.db.models import Value

from onboarding.imports.check import Reading
from onboarding.imports.rows import keep_imported
from onboarding.models import (
    Address,
    Application,
    ApplicationStep,
    Customer,
    Employment,
    ImportBatch,
    ImportRow,
    InvestmentProfile,
    Owner,
    TrustedContact,
)
from onboarding.words import OwnerRole
from portal import audit
from portal.models import User
from portal.search import search_words

LINES = ("line1", "line2")
PLACE = ("city", "state", "postal_code", "country")


@dataclass
class Made:
    """Rows waiting to be written, in the order the database needs them."""

    users: list[User] = field(default_factory=list)
    emails: list[EmailAddress] = field(default_factory=list)
    customers: list[Customer] = field(default_factory=list)
    applications: list[Application] = field(default_factory=list)
    owners: list[Owner] = field(default_factory=list)
    contacts: list[TrustedContact] = field(default_factory=list)
    addresses: list[Address] = field(default_factory=list)
    employments: list[Employment] = field(default_factory=list)
    profiles: list[InvestmentProfile] = field(default_factory=list)
    steps: list[ApplicationStep] = field(default_factory=list)

    def write(self) -> None:
        """All of it, in the caller's transaction."""
        lists: tuple[Sequence[models.Model], ...] = (
            self.users,
            self.emails,
            self.customers,
            self.applications,
            self.owners,
            self.contacts,
            self.addresses,
            self.employments,
            self.profiles,
            self.steps,
        )
        for rows in lists:
            if rows:
                type(rows[0])._default_manager.bulk_create(rows)


def make(batch: ImportBatch, found: Sequence[tuple[ImportRow, Reading]], *, actor: User) -> None:
    """Make a customer with a draft of each row, in the caller's transaction, and mark the rows imported."""
    made = Made()
    for row, reading in found:
        row.application = _one(made, batch, reading, actor)
    made.write()
    audit.record_each(
        "application.import",
        ((row.application, {"import": batch.name, "row": row.number}) for row, _ in found if row.application),
        actor=actor,
        source="task",
    )
    keep_imported([row for row, _ in found])


def _one(made: Made, batch: ImportBatch, reading: Reading, actor: User) -> Application:
    tables = _by_table(reading)
    owner_values = tables.pop("owner")
    email = str(owner_values["email"]).lower()
    # Nobody knows a password yet: the customer sets one by the link in the letter.
    user = User(
        email=email,
        name=f"{owner_values['given_name']} {owner_values['family_name']}",
        password=make_password(None),
    )
    customer = Customer(user=user)
    application = Application(
        customer=customer,
        batch=batch,
        client_account_id=reading.client_account_id,
        settlement_method=settings.BAKKT_SETTLEMENT_METHOD,
    )
    owner = Owner(
        application=application,
        is_applicant=True,
        user=user,
        role=OwnerRole.PRIMARY_OWNER,
        country=reading.country,
        **owner_values,
    )
    owner.index_person()
    words = f"{application.reference} {owner.full_name} {owner.middle_names} {owner.email}"
    application.search = SearchVector(Value(" ".join(search_words(words))), config="simple")
    made.users.append(user)
    # There is no way in but by a letter to this address, so whoever comes in has shown that it is theirs.
    made.emails.append(EmailAddress(user=user, email=email, verified=True, primary=True))
    made.customers.append(customer)
    made.applications.append(application)
    made.owners.append(owner)
    _rest(made, application, owner, tables)
    for step, _ in reading.answers:
        whose = owner if step.of_owner else None
        made.steps.append(
            ApplicationStep(application=application, owner=whose, name=step.name, saved_by=actor)
        )
    return application


def _rest(made: Made, application: Application, owner: Owner, tables: dict[str, dict[str, Any]]) -> None:
    holders: dict[str, dict[str, Any]] = {}
    asked = tables.pop("contact", {})
    if asked.pop("", False):
        contact = TrustedContact(application=application, **asked)
        made.contacts.append(contact)
        holders[Address.Kind.CONTACT] = {"trusted_contact": contact}
    if "employment" in tables:
        made.employments.append(Employment(owner=owner, **tables.pop("employment")))
    if "profile" in tables:
        made.profiles.append(InvestmentProfile(application=application, **tables.pop("profile")))
    for table, values in tables.items():
        kind = table.removeprefix("address:")
        if "line1" in values:
            lines = [values[name] for name in LINES if values[name]]
            made.addresses.append(
                Address(
                    kind=kind,
                    street_lines=lines,
                    **holders.get(kind, {"owner": owner}),
                    **{name: values[name] for name in PLACE},
                )
            )


def _by_table(reading: Reading) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for step, answers in reading.answers:
        for question in step.fields:
            if question.name in answers:
                table, name = question.store
                found[table][name] = answers[question.name]
    return found
