"""What speaks for a risk, as far as the portal knows it today: each in plain words, with its source and weight."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

from django.urls import reverse

from compliance.dossier import Signal, Weight
from onboarding import papers, party
from onboarding.dossier import sharing
from onboarding.dossier.known import Known
from onboarding.dossier.sharing import Shared
from onboarding.models import AccountCheck, AccountUpdate, ChangeRequest, Document, IdentityCheck
from onboarding.models.identity import MOST_LINKS
from onboarding.requirements.documents import IDENTITY
from onboarding.words import EmploymentSituation, UsdRange
from onboarding.words_documents import RejectReason, Verdict
from portal import clock
from portal.ui.addresses import address

HIGH, MEDIUM, LOW = Weight.HIGH, Weight.MEDIUM, Weight.LOW
#: A change of details is worth a look for so long.
LATELY = timedelta(days=30)
#: What the provider's reasons weigh. Those that are not here say nothing against anybody.
REASONS: dict[str, Weight] = {
    "RISK_KYC": HIGH,
    "RISK_OFAC": HIGH,
    "COMPLIANCE_LOCKED": HIGH,
    "TAX_ID_MAX_RETRIES": HIGH,
    "MAX_ACH_RETURNS": HIGH,
    "PENDING_REVIEW": MEDIUM,
    "DOCUMENT_VERIFICATION": MEDIUM,
    "LIQUIDATE_ACCOUNT": MEDIUM,
    "LIQUIDATED": MEDIUM,
    "OTHER": MEDIUM,
}
_NO_EARNER = {EmploymentSituation.STUDENT, EmploymentSituation.NOT_WORKING}
_RANGES = [choice.value for choice in UsdRange]


def of(known: Known, shared: Shared) -> list[Signal]:
    """Every signal, in no order."""
    return [
        *_shared(known, shared),
        *_provider(known),
        *_identity(known),
        *_documents(known),
        *_place(known),
        *_changes(known),
        *_profile(known),
    ]


def page_of(known: Known) -> str:
    """The staff page of the application."""
    return address("staff:application", known.application.pk)


def _shared(known: Known, shared: Shared) -> Iterator[Signal]:
    cleared = known.application.cleared_at
    ours = "Our own applications"

    def of_way(way: sharing.Way, words: str, weight: Weight) -> Iterator[Signal]:
        others: list[UUID] = [
            key
            for key in shared.of_way(way.code)
            if sharing.SAME_LOGIN.code not in shared.by_application[key]
        ]
        if others:
            number = f"{len(others)} other application{'' if len(others) == 1 else 's'}"
            yield Signal(f"{words} as {number} of other customers", ours, weight, "#linked")

    # A person has looked at these two and said that it is no duplicate.
    looked_at = LOW if cleared else HIGH
    ours_weigh = {
        sharing.TAX_NUMBER: ("Same tax number", looked_at),
        sharing.PERSON: ("Same name and birth date", looked_at),
        sharing.DEVICE: (sharing.DEVICE.words, MEDIUM),
        sharing.EMAIL: ("Same e-mail", MEDIUM),
        sharing.PHONE: ("Same phone", MEDIUM),
        sharing.SIGN_IN: (sharing.SIGN_IN.words, LOW),
        sharing.ADDRESS: ("Same address", LOW),
    }
    for way in sharing.ways():
        if way != sharing.SAME_LOGIN:
            yield from of_way(way, *ours_weigh.get(way, (way.words, way.weight)))
    if cleared:
        yield Signal(
            "One of us looked for duplicates and passed it on", "Decided case", LOW, page_of(known), cleared
        )


def _provider(known: Known) -> Iterator[Signal]:
    account, page = known.account, page_of(known)
    if account is None:
        return
    weight = REASONS.get(account.party_reason)
    if weight is not None:
        words = f"{party.REASONS[account.party_reason]} ({account.party_reason})"
        yield Signal(words, "Provider's reason code", weight, page, account.heard_at)
    elif account.party_reason and account.party_reason not in party.REASONS:
        words = f"The provider gave a reason that nobody here knows ({account.party_reason})"
        yield Signal(words, "Provider's reason code", MEDIUM, page, account.heard_at)
    if account.held_at:
        yield Signal("We hold the account's money ourselves", "Our own holds", HIGH, page, account.held_at)
    if account.doubt_status:
        words = f"The provider said “{account.doubt_status}”, which contradicts what we know"
        yield Signal(words, "Provider, by webhook", MEDIUM, page)
    if account.stuck_at:
        yield Signal("A call to the provider was given up", "Outbound calls", MEDIUM, page, account.stuck_at)
    check = known.check
    if check is not None and check.outcome in {AccountCheck.Outcome.DIFFERS, AccountCheck.Outcome.MISSING}:
        words = (
            "The provider's copy differs from ours"
            if check.outcome == AccountCheck.Outcome.DIFFERS
            else "The provider says that it has no such account"
        )
        compare = address("staff:compare", known.application.pk)
        yield Signal(words, "Nightly comparison", MEDIUM, compare, check.checked_at)


def _identity(known: Known) -> Iterator[Signal]:
    check, page, source = known.identity_check, page_of(known), "Identity check"
    if check is None:
        return
    if check.status == IdentityCheck.Status.EXHAUSTED:
        yield Signal(
            f"All {MOST_LINKS} links of the identity check ran out", source, HIGH, page, check.status_at
        )
    elif check.expirations:
        words = f"{check.expirations} of {MOST_LINKS} links of the identity check ran out"
        yield Signal(words, source, MEDIUM if check.expirations > 1 else LOW, page)
    if check.refused_at:
        yield Signal("The provider refused a new link", source, MEDIUM, page, check.refused_at)
    if check.round > 1:
        yield Signal(f"The identity check was asked for {check.round} times", source, LOW, page)


def _documents(known: Known) -> Iterator[Signal]:
    pages = address("staff_documents:papers", known.application.pk)
    earlier = 0
    for row in known.documents:
        name = row.get_type_display()
        page = reverse("staff:document", args=[known.application.pk, row.pk])
        if row.scan == Document.Scan.FOUND:
            yield Signal(
                f"{name}: the malware scan found something", "Malware scan", HIGH, page, row.scanned_at
            )
        if row.verdict == Verdict.REJECTED and row.reject_reason == RejectReason.NAME_DIFFERS:
            # Whatever came after it, somebody handed in a paper of another name.
            yield Signal(f"{name}: the name on it differs", "Our verdict", HIGH, page, row.decided_at)
        elif row.status == Document.Status.REPLACED:
            earlier += row.verdict == Verdict.REJECTED
        elif row.verdict == Verdict.REJECTED:
            words = f"{name}: {row.get_reject_reason_display().lower()}"
            yield Signal(words, "Our verdict", MEDIUM, page, row.decided_at)
        elif row.status == Document.Status.REFUSED and row.scan != Document.Scan.FOUND:
            yield Signal(f"{name} was not accepted", "Provider", MEDIUM, page, row.status_at)
        if row.status != Document.Status.REPLACED and papers.is_expired(row):
            yield Signal(f"{name} has expired", "What was said of the paper", MEDIUM, page)
        yield from _issued_elsewhere(row, name, page)
    if earlier:
        words = f"{earlier} earlier file{' was' if earlier == 1 else 's were'} not accepted"
        yield Signal(words, "Our verdicts", LOW, pages)


def _issued_elsewhere(row: Document, name: str, page: str) -> Iterator[Signal]:
    owner = row.owner
    if owner is None or row.type not in IDENTITY or row.status == Document.Status.REPLACED:
        return
    if row.country.code != owner.country.code:
        words = f"{name} of {row.country.name}, lives in {owner.country.name}"
        yield Signal(words, "What was said of the paper", LOW, page)


def _place(known: Known) -> Iterator[Signal]:
    found, page = known.availability, page_of(known)
    if found.can_trade is False:
        words = f"No coin can be bought or sold in {found.place}"
        yield Signal(words, "Provider's list of places", HIGH, page, found.checked_at)
    elif found.orders.prohibited or found.orders.sell_only:
        words = f"Some coins may not be traded in {found.place}"
        yield Signal(words, "Provider's list of places", LOW, page, found.checked_at)


def _changes(known: Known) -> Iterator[Signal]:
    since = clock.now() - LATELY
    lately = [row for row in known.updates if row.created_at >= since]
    ended = {AccountUpdate.Status.REFUSED, AccountUpdate.Status.WITHDRAWN}
    for row in lately:
        words = f"Changed lately: {', '.join(row.labels).lower()} ({row.get_status_display().lower()})"
        weight = LOW if row.status in ended else MEDIUM
        yield Signal(words, "Changes of details", weight, page_of(known), row.created_at)
    if len(lately) > 1:
        words = f"{len(lately)} changes of details within {LATELY.days} days"
        yield Signal(words, "Changes of details", MEDIUM, page_of(known), lately[0].created_at)
    for request in known.requests:
        if request.created_at >= since:
            words = f"Asked to change lately: {request.get_field_display().lower()}"
            words = f"{words} ({request.get_status_display().lower()})"
            weight = LOW if request.status in _SETTLED else MEDIUM
            page = address("staff_requests:restricted", known.application.pk)
            yield Signal(words, "Restricted changes", weight, page, request.created_at)


_SETTLED = {ChangeRequest.Status.REFUSED, ChangeRequest.Status.WITHDRAWN}


def _profile(known: Known) -> Iterator[Signal]:
    profile, page, source = known.profile, page_of(known), "What the customer says of themselves"
    employment = known.employment_of(known.applicant)
    if profile is None:
        return
    if (
        employment is not None
        and employment.situation in _NO_EARNER
        and _at_least(profile.annual_income_range, UsdRange.FROM_200K_TO_300K)
    ):
        words = f"{employment.get_situation_display()}, and an income of {profile.get_annual_income_range_display()}"
        yield Signal(words, source, MEDIUM, page)
    if profile.liquid_net_worth_range and profile.total_net_worth_range:
        liquid, total = (
            _RANGES.index(name) for name in (profile.liquid_net_worth_range, profile.total_net_worth_range)
        )
        if liquid > total:
            yield Signal("Says to have more at hand than in all", source, MEDIUM, page)
    for owner in known.owners:
        if owner.no_tax_id_reason:
            whose = owner.full_name or owner.get_role_display()
            yield Signal(
                f"{whose} has no tax number: {owner.get_no_tax_id_reason_display()}", source, LOW, page
            )


def _at_least(value: str, least: str) -> bool:
    return value in _RANGES and _RANGES.index(value) >= _RANGES.index(least)
