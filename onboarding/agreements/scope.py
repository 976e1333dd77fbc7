"""Whom an agreement binds, who accepts for whom, and what a person still has to accept."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypedDict
from uuid import UUID

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, When

from onboarding.models.accounts import ProviderAccount
from onboarding.models.agreements import Agreement, AgreementAcceptance
from onboarding.models.applications import Application
from onboarding.models.owners import Owner
from onboarding.requirements.roles import roles_of
from onboarding.words import AccountType, EntityType
from portal.models import User

if TYPE_CHECKING:
    from django_stubs_ext import WithAnnotations

Stage = Application.Status
Account = ProviderAccount.Status

#: Applications and accounts that nobody signs for any more.
OVER = (Stage.REJECTED, Stage.WITHDRAWN)
NOT_LIVE = (Account.CLOSED, Account.INACTIVE)


def _accepted_for_by_applicant() -> Q:
    """Owners whose agreements the applicant accepts: their own, and those of minors and beneficiaries."""
    found = Q(is_applicant=True)
    for account_type in AccountType.values:
        kinds = EntityType.values if account_type == AccountType.ENTITY else [""]
        for kind in kinds:
            roles = [rule.role for rule in roles_of(account_type, kind) if not rule.for_themselves]
            if roles:
                of_kind = Q(application__entity_type=kind) if kind else Q()
                found |= Q(application__account_type=account_type, role__in=roles) & of_kind
    return found


#: The login that accepts for an owner; null while a co-owner has none.
SIGNER = Case(When(_accepted_for_by_applicant(), then=F("application__customer__user")), default=F("user"))


def in_force() -> QuerySet[Agreement]:
    """The versions in force, in a stable order."""
    return Agreement.objects.filter(status=Agreement.Status.PUBLISHED).order_by("name")


def binds(agreement: Agreement, owner: Owner) -> bool:
    """Whether the agreement is for this owner: an empty list of the agreement means all."""
    return (
        (not agreement.account_types or owner.application.account_type in agreement.account_types)
        and (not agreement.roles or owner.role in agreement.roles)
        and (not agreement.countries or str(owner.country) in agreement.countries)
    )


def bound(agreement: Agreement) -> QuerySet[Owner]:
    """The owners the agreement is for, in open applications and live accounts: `binds` in the database's words."""
    # An open application has no account yet: asked for by key, it is not lost.
    ended = ProviderAccount.objects.filter(application=OuterRef("application"), status__in=NOT_LIVE)
    rows = Owner.objects.exclude(application__status__in=OVER).exclude(Exists(ended))
    if agreement.account_types:
        rows = rows.filter(application__account_type__in=agreement.account_types)
    if agreement.roles:
        rows = rows.filter(role__in=agreement.roles)
    if agreement.countries:
        rows = rows.filter(country__in=agreement.countries)
    return rows


def yet_to_accept(agreement: Agreement) -> QuerySet[Owner]:
    """The owners who have not accepted this version."""
    return bound(agreement).exclude(Exists(_accepted(agreement=agreement)))


def accepted_earlier(agreement: Agreement) -> Exists:
    """Whether an owner accepted another version of it."""
    return Exists(_accepted(agreement__name=agreement.name))


def meets_it_in_draft(agreement: Agreement) -> Q:
    """Whether an owner meets it in the application they are filling in, and is not asked elsewhere."""
    return Q(application__status=Stage.DRAFT) & ~Q(accepted_earlier(agreement))


class Asked(TypedDict):
    """What `must_accept` says of each owner."""

    signer: UUID | None
    again: bool
    asked: bool


def must_accept(agreement: Agreement) -> "QuerySet[WithAnnotations[Owner, Asked]]":
    """The owners who have not accepted this version, each with `signer` (a user's id), `again` and `asked`.

    `again`: they accepted an earlier version. `asked`: on the home page and by mail.
    """
    in_draft = meets_it_in_draft(agreement)
    return yet_to_accept(agreement).annotate(
        signer=SIGNER,
        again=accepted_earlier(agreement),
        asked=Case(When(in_draft, then=False), default=True),
    )


def _accepted(**of: Any) -> QuerySet[AgreementAcceptance]:
    return AgreementAcceptance.objects.filter(owner=OuterRef("pk"), **of)


def signed_for_by(user: User) -> QuerySet[Owner]:
    """The owners the user accepts for: themselves in each account, and those who do not for themselves."""
    own = Owner.objects.filter(user=user).values("pk")
    # One of two joins cannot use an index where both of a union do.
    theirs = own.union(Owner.objects.filter(application__customer__user=user).values("pk"))
    return Owner.objects.filter(pk__in=theirs).annotate(signer=SIGNER).filter(signer=user.pk)


@dataclass(frozen=True)
class Pending:
    """An agreement in force that a person has to accept, and for which owners."""

    agreement: Agreement
    owners: Sequence[Owner]
    #: Whether an earlier version was accepted.
    again: bool
    #: Whom the person accepts for beside themselves.
    others: list[str]

    @property
    def references(self) -> list[str]:
        """The applications it is about, as people know them."""
        return list(dict.fromkeys(owner.application.reference for owner in self.owners))


def pending_for(user: User) -> list[Pending]:
    """What the user has to accept outside an application they are still filling in."""
    theirs = list(signed_for_by(user).values_list("pk", flat=True))
    if not theirs:
        return []
    found = []
    for agreement in in_force():
        rows = must_accept(agreement).filter(pk__in=theirs, asked=True).select_related("application")
        owners = list(rows.order_by("pk"))
        if owners:
            others = [
                owner.full_name or owner.get_role_display()
                for owner in owners
                if not owner.is_applicant and owner.user_id != user.pk
            ]
            found.append(Pending(agreement, owners, any(owner.again for owner in owners), others))
    return found
