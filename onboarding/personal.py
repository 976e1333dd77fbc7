"""Personal data of applications that staff may reveal (portal/revealing.py): the fields, and whose they are."""

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from django.db.models import Q
from django.urls import reverse

from compliance import kinds
from compliance.models import Case
from onboarding import files, shut_away
from onboarding.dossier import anchors, known
from onboarding.models import (
    Application,
    ChangeRequest,
    Document,
    DocumentRequest,
    Entity,
    Owner,
    ProviderAccount,
)
from portal.models import User
from portal.revealing import Field, Holder, register
from portal.sealed import Sealed

OWNER = "onboarding.owner"
ENTITY = "onboarding.entity"
#: Full numbers and dates of a restricted change, as a file for the provider's operations.
CHANGE_EXPORT = "onboarding.changerequest.export"
#: What a customer answered to a question, word for word.
ANSWER = "onboarding.documentrequest.answer"
#: A paper as it was uploaded, and an account's papers as the provider has them: no name is written across them.
ORIGINAL = files.FIELD
PROVIDER_COPY = "onboarding.provideraccount.papers"


def register_fields() -> None:
    """Make the fields known; called once, when the app starts."""
    register(Field(f"{OWNER}.tax_id", "Tax number", _of_owner))
    register(Field(f"{OWNER}.date_of_birth", "Date of birth", _of_owner))
    register(Field(f"{ENTITY}.tax_id", "Company's tax number", _of_entity))
    register(Field(ORIGINAL, "File without your name on it", _of_document, permission="document.original"))
    register(
        Field(PROVIDER_COPY, "Provider's copies of the papers", _of_account, permission="document.original")
    )
    register(
        Field(
            shut_away.FIELD, "Data that is shut away", shut_away.holder_of_customer, permission="pii.retained"
        )
    )
    register(Field(ANSWER, "Answer in words", _of_request))
    register(Field(CHANGE_EXPORT, "Restricted change, in full", _of_change))


def holder_of(application: Application, people: Iterable[Owner] = ()) -> Holder:
    """The application as what a value belongs to; `people` are those whose value it is."""
    names = [name for owner in people for name in (owner.full_name, owner.email)]
    return Holder(
        subject=application,
        label=application.reference,
        url=reverse("staff:application", args=[application.pk]),
        names=tuple(names),
        has_task=partial(has_task, application),
    )


def _of_owner(row_id: UUID) -> Holder | None:
    owner = Owner.objects.select_related("application").filter(pk=row_id).first()
    return holder_of(owner.application, [owner]) if owner else None


def _of_entity(row_id: UUID) -> Holder | None:
    entity = Entity.objects.select_related("application").filter(pk=row_id).first()
    return holder_of(entity.application) if entity else None


def _of_document(row_id: UUID) -> Holder | None:
    row = Document.objects.select_related("application", "owner").filter(pk=row_id).first()
    return holder_of(row.application, [row.owner] if row.owner else []) if row else None


def _of_account(row_id: UUID) -> Holder | None:
    row = ProviderAccount.objects.select_related("application").filter(pk=row_id).first()
    return holder_of(row.application, Owner.objects.filter(application=row.application_id)) if row else None


def _of_request(row_id: UUID) -> Holder | None:
    row = DocumentRequest.objects.select_related("application", "owner").filter(pk=row_id).first()
    return holder_of(row.application, [row.owner] if row.owner else []) if row else None


def _of_change(row_id: UUID) -> Holder | None:
    row = ChangeRequest.objects.select_related("account__application", "owner").filter(pk=row_id).first()
    return holder_of(row.account.application, [row.owner] if row.owner else []) if row else None


def subjects_of(application: Application) -> list[UUID]:
    """The keys of everything of an application that cases are about."""
    return [key for _, key in anchors.subjects_of(application.pk)]


def has_task(application: Application, actor: User) -> bool:
    """Whether this member of the staff has to do with the application: a case of theirs, or one they decided, a paper
    they decided or asked for, or an application that they began."""
    if application.started_by_id == actor.pk:
        return True
    cases = Case.objects.filter(subject_id__in=subjects_of(application))
    if cases.filter(Q(assignee=actor) | Q(decisions__actor=actor)).exists():
        return True
    return (
        Document.objects.filter(Q(decided_by=actor) | Q(uploaded_by=actor), application=application).exists()
        or application.document_requests.filter(requested_by=actor).exists()
    )


def sealed_of_case(case: Case) -> list[tuple[str, str, Sealed]]:
    """The sealed values of the people a case is about: (whose, what, value)."""
    found: list[tuple[str, str, Sealed]] = []
    entity: Entity | None = getattr(known.application_of(case), "entity", None)
    if entity is not None and entity.tax_id:
        found.append((entity.legal_name, "Tax number", entity.tax_id))
    for owner in known.owners_of(case):
        whose = owner.full_name or str(owner.get_role_display())
        if owner.date_of_birth:
            found.append((whose, "Date of birth", owner.date_of_birth))
        if owner.tax_id:
            found.append((whose, "Tax number", owner.tax_id))
    return found


def _anchored(case: Case) -> Application | None:
    """The application that a case of another app is about in the end: a transfer's, a bank's."""
    anchor = kinds.get(case.kind).anchor(case)
    if anchor is None or anchor.type != anchors.APPLICATION:
        return None
    return known.application(case, anchor.id)


def why_shut(case: Case, viewer: User) -> tuple[str, str]:
    """Why the viewer may not see what this case says, and the page where it is opened; ("", "") when they may."""
    application = known.application_of(case) or _anchored(case)
    if application is None:
        return "", ""
    customer = application.customer
    reason = shut_away.why_shut(viewer, customer)
    return reason, reverse("privacy_staff:customer", args=[customer.pk]) if reason else ""
