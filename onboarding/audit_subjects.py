"""What belongs to an application: the things whose audit entries an examiner reads together."""

from collections.abc import Callable, Iterable
from typing import cast
from uuid import UUID

from django.db.models import Model, Q
from django.urls import reverse

from onboarding.models import (
    AccountHold,
    AccountUpdate,
    AgreementAcceptance,
    Application,
    ChangeRequest,
    ClosureRequest,
    Document,
    DocumentRequest,
    Entity,
    IdentityCheck,
    Owner,
    ProviderAccount,
)

Subject = tuple[str, UUID]
#: Each kind of thing, and the way from it to its application.
ROUTES: tuple[tuple[type[Model], str], ...] = (
    (Application, "pk"),
    (Owner, "application"),
    (Entity, "application"),
    (Document, "application"),
    (DocumentRequest, "application"),
    (ProviderAccount, "application"),
    (AccountUpdate, "account__application"),
    (AccountHold, "account__application"),
    (ChangeRequest, "account__application"),
    (ClosureRequest, "account__application"),
    (IdentityCheck, "account__application"),
    (AgreementAcceptance, "owner__application"),
)
#: More applications of one person than anybody has.
MOST = 20


def belongings(applications: Iterable[UUID]) -> list[Subject]:
    """The applications with everything of theirs that the trail tells of. One query for each kind."""
    keys = list(applications)
    return [
        (model._meta.label_lower, key)
        for model, route in ROUTES
        for key in model._default_manager.filter(**{f"{route}__in": keys}).values_list("pk", flat=True)
    ]


def application_of(subject_type: str, subject_id: UUID) -> UUID | None:
    """The application that a thing belongs to, or None for what belongs to none."""
    for model, route in ROUTES:
        if model._meta.label_lower == subject_type:
            rows = model._default_manager.filter(pk=subject_id)
            return cast(UUID | None, rows.values_list(route, flat=True).first())
    return None


def named(text: str) -> list[Subject]:
    """What a reference (PA-…), an account id or an application's id names."""
    if not text:
        return []
    found = Q(reference=text.upper()) | Q(account__client_account_id=text)
    applications = Application.objects.filter(found).values_list("pk", flat=True)[:MOST]
    return belongings(applications) if applications else []


def page_of(subject_type: str) -> Callable[[UUID], str]:
    """Where staff see a thing of that type: on its application's page."""

    def page(subject_id: UUID) -> str:
        application = application_of(subject_type, subject_id)
        return reverse("staff:application", args=[application]) if application else ""

    return page


def types() -> list[str]:
    """The kinds of things that belong to applications."""
    return [model._meta.label_lower for model, _ in ROUTES]
