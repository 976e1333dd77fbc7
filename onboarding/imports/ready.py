"""Which customers of a batch may be handed in now: drafts to open accounts with, and open accounts to complete."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef, Q, QuerySet

from onboarding.imports.cockpit import lacking, lacks, live, one
from onboarding.models import AccountUpdate, AgreementAcceptance, Application, ImportBatch, ImportRow
from onboarding.requirements import StepName
from onboarding.requirements.grace import may_lack_step
from onboarding.updates import OPEN_ACCOUNT


@dataclass(frozen=True)
class Ready:
    """How many would go: new to the provider, and as the complete data set of an account that is open there."""

    drafts: int
    accounts: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.drafts + self.accounts


def drafts(batch: ImportBatch, *, complete_only: bool) -> QuerySet[Application]:
    """Drafts that may go. Those that lack what they may not lack would be refused one by one, so they stay."""
    found = live(one(batch)).filter(status=Application.Status.DRAFT)
    if complete_only or not batch.in_grace:
        return found.exclude(pk__in=lacking(one(batch)).values("pk"))
    return found if may_lack_step(StepName.AGREEMENTS) else found.exclude(lacks()["agreements"])


def accounts(batch: ImportBatch) -> QuerySet[Application]:
    """Open accounts of complete customers who accepted something since their data went to the provider.

    What a customer changes in an open account goes by itself (onboarding.updates); what they accept does not.
    """
    told = AccountUpdate.objects.filter(
        account__application=OuterRef("owner__application"),
        status=AccountUpdate.Status.APPLIED,
        created_at__gte=OuterRef("accepted_at"),
    )
    news = AgreementAcceptance.objects.filter(
        ~Exists(told), owner__application=OuterRef("pk"), accepted_at__gt=OuterRef("submitted_at")
    )
    busy = AccountUpdate.objects.filter(
        account__application=OuterRef("pk"), status__in=AccountUpdate.UNDER_WAY
    )
    return (
        live(one(batch))
        .filter(Exists(news), ~Exists(busy), account__status__in=OPEN_ACCOUNT)
        .exclude(pk__in=lacking(one(batch)).values("pk"))
    )


def count(batch: ImportBatch, *, complete_only: bool) -> Ready:
    """How many would go."""
    return Ready(drafts(batch, complete_only=complete_only).count(), accounts(batch).count())


def rows(batch: ImportBatch, *, complete_only: bool) -> QuerySet[ImportRow]:
    """The rows of everybody who would go."""
    return ImportRow.objects.filter(
        Q(application__in=drafts(batch, complete_only=complete_only).values("pk"))
        | Q(application__in=accounts(batch).values("pk")),
        batch=batch,
    )
