"""Reads of agreements for the pages of staff and customers."""

from uuid import UUID

from django.db.models import Count

from onboarding.agreements.acceptance import VIEW
from onboarding.models.agreements import Agreement, AgreementAcceptance, AgreementDocument
from portal import permissions
from portal.errors import NotFound
from portal.models import User
from portal.pages import Page, keyset


def agreements_for_staff(
    actor: User, *, status: str = "", after: str = "", before: str = "", size: int = 25
) -> tuple[Page[Agreement], dict[UUID, int]]:
    """One page of versions, newest first, and how many owners accepted each. Raises Forbidden."""
    permissions.require(actor, VIEW)
    rows = Agreement.objects.defer("text")
    if status in Agreement.Status.values:
        rows = rows.filter(status=status)
    page = keyset(rows, after=after, before=before, size=size)
    accepted = AgreementAcceptance.objects.filter(agreement__in=[row.pk for row in page.rows])
    counts = dict(accepted.values_list("agreement").annotate(owners=Count("pk")))
    return page, counts


def agreement_for_staff(actor: User, agreement_id: UUID) -> Agreement:
    """Any version. Raises Forbidden or NotFound."""
    permissions.require(actor, VIEW)
    found = Agreement.objects.filter(pk=agreement_id).select_related("document").defer("document__content")
    agreement = found.first()
    if agreement is None:
        raise NotFound("There is no such agreement.")
    return agreement


def replaced_by(agreement: Agreement) -> Agreement | None:
    """The version that publishing this one retires."""
    return Agreement.objects.filter(name=agreement.name, status=Agreement.Status.PUBLISHED).first()


def acceptances_for_staff(
    actor: User, agreement: Agreement, *, after: str = "", before: str = "", size: int = 25
) -> Page[AgreementAcceptance]:
    """One page of who accepted a version, newest first. Raises Forbidden."""
    permissions.require(actor, VIEW)
    rows = AgreementAcceptance.objects.filter(agreement=agreement)
    return keyset(rows.select_related("owner__application"), after=after, before=before, size=size)


def document_of(user: User, agreement_id: UUID) -> AgreementDocument:
    """The PDF of a version: staff who may look at agreements see any, customers what was published.

    Raises NotFound for the rest.
    """
    found = AgreementDocument.objects.select_related("agreement").filter(pk=agreement_id)
    if not permissions.can_do(user, VIEW):
        found = found.exclude(agreement__status=Agreement.Status.DRAFT)
    document = found.first()
    if document is None:
        raise NotFound("There is no such document.")
    return document
