"""Everything about an application that the case page weighs, read in a fixed number of queries."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import prefetch_related_objects

from compliance.dossier import Look
from compliance.models import Case
from onboarding import availability
from onboarding.availability import Availability
from onboarding.dossier import anchors
from onboarding.models import (
    AccountCheck,
    AccountUpdate,
    Address,
    Application,
    ChangeRequest,
    Document,
    Employment,
    Entity,
    IdentityCheck,
    InvestmentProfile,
    Owner,
    ProviderAccount,
)
from onboarding.requirements.roles import has_entity
from onboarding.standing import account_of
from portal.composed import Composed, Question, prefetched

#: Of changes the newest so many are looked at.
MOST_CHANGES = 20


@dataclass(frozen=True)
class Known:
    """An application with what belongs to it. `documents` are newest first, replaced ones among them."""

    application: Application
    account: ProviderAccount | None
    owners: list[Owner]
    entity: Entity | None
    profile: InvestmentProfile | None
    documents: list[Document]
    updates: list[AccountUpdate]
    requests: list[ChangeRequest]
    check: AccountCheck | None
    availability: Availability

    @property
    def applicant(self) -> Owner:
        """Who fills the application in."""
        return next(owner for owner in self.owners if owner.is_applicant)

    @property
    def title(self) -> str:
        """The name the account goes by."""
        named = self.entity.legal_name if self.entity else ""
        return named or self.applicant.full_name or "Name not given yet"

    @property
    def identity_check(self) -> IdentityCheck | None:
        """The account's, if the provider ever asked for one."""
        return getattr(self.account, "identity_check", None)

    def address_of(self, owner: Owner | None) -> Address | None:
        """Where the owner lives, or the entity is registered."""
        holder = owner or self.entity
        rows: list[Address] = list(holder.addresses.all()) if holder else []
        kinds = {Address.Kind.RESIDENTIAL, Address.Kind.REGISTERED}
        return next((row for row in rows if row.kind in kinds), None)

    def employment_of(self, owner: Owner) -> Employment | None:
        """What the owner does for a living, if they were asked."""
        return getattr(owner, "employment", None)


_APPLICATION = Composed(
    lambda key: Application.objects.filter(pk=key).select_related(
        "account__identity_check", "customer__user", "entity", "investment_profile", "import_row"
    )
)
_OWNERS = Composed(
    lambda key: (
        Owner.objects.filter(application=key)
        .select_related("employment", "user")
        .order_by("-is_applicant", "pk")
    )
)
_ADDRESSES = Composed(lambda key: Address.objects.filter(owner__application=key).order_by("pk"))
_DOCUMENTS = Composed(
    lambda key: (
        Document.objects.filter(application=key).defer("file_key").order_by("-pk").prefetch_related("copies")
    )
)
_UPDATES = Composed(
    lambda account: (
        AccountUpdate.objects.filter(account=account)
        .defer("changes", "comparison")
        .order_by("-pk")[:MOST_CHANGES]
    )
)
_REQUESTS = Composed(
    lambda account: (
        ChangeRequest.objects.filter(account=account)
        .defer("before", "wanted", "why")
        .order_by("-pk")[:MOST_CHANGES]
    )
)
_CHECK = Composed(lambda account: AccountCheck.objects.filter(account=account).defer("lines", "takeable"))


@dataclass
class _Read:
    """What was read of one application for one reading of a case."""

    application: Application | None
    owners: list[Owner] | None = None
    known: Known | None = None


def _read(case: Case, application_id: UUID) -> _Read:
    kept: dict[UUID, _Read] = case.__dict__.setdefault("_read", {})
    if application_id not in kept:
        kept[application_id] = _Read(_APPLICATION.first(application_id))
    return kept[application_id]


def application(case: Case, application_id: UUID) -> Application | None:
    """The application, with customer and account, read once for one reading of the case; None where it is gone."""
    return _read(case, application_id).application


def application_of(case: Case) -> Application | None:
    """The same of the application that the case's subject belongs to; None where there is none."""
    is_it = case.subject_type == anchors.APPLICATION
    key = case.subject_id if is_it else anchors.application_of_case(case)
    found = application(case, key) if key else None
    if is_it:
        anchors.remember(case, found.pk if found else None)
    return found


def owners_of(case: Case) -> list[Owner]:
    """The people of that application, the applicant first, read once for one reading of the case."""
    found = application_of(case)
    return _owners(_read(case, found.pk)) if found else []


def of(case: Case, application_id: UUID) -> Known | None:
    """All that is known of the application, read once for one reading of the case; None where it is gone."""
    read = _read(case, application_id)
    if read.known is None and read.application is not None:
        read.known = _load(read.application, _owners(read))
    return read.known


def questions(application_id: UUID, look: Look) -> list[Question]:
    """What `of` and `owners_of` ask, and sharing and links after them; nothing of an application that is gone."""
    found = application(look.case, application_id)
    if found is None:
        return []
    account = account_of(found)
    of_account = (_UPDATES, _REQUESTS, _CHECK) if account else ()
    return [
        *(each.of(found.pk) for each in (_OWNERS, _ADDRESSES, _DOCUMENTS)),
        *(each.of(account.pk) for each in of_account if account),
        availability.NEWEST.of(),
        anchors.subjects_question(found.pk),
    ]


def _owners(read: _Read) -> list[Owner]:
    if read.owners is None:
        read.owners = _OWNERS(read.application.pk) if read.application else []
        if read.application and read.owners:
            prefetched(read.owners, "addresses", _ADDRESSES(read.application.pk), "owner_id")
    return read.owners


def _load(application: Application, owners: list[Owner]) -> Known:
    account = account_of(application)
    entity = getattr(application, "entity", None)
    if entity is not None:
        prefetch_related_objects([entity], "addresses")
    return Known(
        application,
        account,
        owners,
        entity,
        getattr(application, "investment_profile", None),
        _documents(application, owners),
        _UPDATES(account.pk) if account else [],
        _REQUESTS(account.pk) if account else [],
        _CHECK.first(account.pk) if account else None,
        availability.kept_at(_place(application, owners, entity)),
    )


def _place(application: Application, owners: list[Owner], entity: Entity | None) -> Address | Owner:
    """Where the applicant lives, or the entity is registered; the applicant where that is not known yet."""
    applicant = next(owner for owner in owners if owner.is_applicant)
    kind = Address.Kind.RESIDENTIAL
    holder: Owner | Entity | None = applicant
    if has_entity(application.account_type):
        kind, holder = Address.Kind.REGISTERED, entity
    rows: list[Address] = list(holder.addresses.all()) if holder else []
    return next((row for row in rows if row.kind == kind), applicant)


def _documents(application: Application, owners: list[Owner]) -> list[Document]:
    found = _DOCUMENTS(application.pk)
    people = {owner.pk: owner for owner in owners}
    for row in found:
        row.application = application
        row.owner = people[row.owner_id] if row.owner_id else None
    return found
