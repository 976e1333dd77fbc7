"""Our record of an account beside the provider's: ours, what was sent last, and what they hold now."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django_countries import countries

from onboarding import drafts, payloads
from onboarding.cases.updates import path_words, shown
from onboarding.models import Application, Owner, ProviderAccount
from onboarding.update_jobs import ThreeWay, last_sent
from providers.bakkt.types import AccountRequest, Address
from providers.bakkt.types import Owner as WireOwner
from providers.clients import bakkt_crypto


@dataclass(frozen=True)
class Line:
    """A path where the copies differ, masked where it is sensitive."""

    path: str
    words: str
    ours: str
    sent: str
    theirs: str
    blanks: bool
    restricted: bool


@dataclass(frozen=True)
class Reading:
    """What a reading of the provider's copy showed."""

    lines: list[Line]
    #: Whose details theirs could be taken over: (owner, step name).
    takeable: list[tuple[Owner, str]]


def theirs_of(account: ProviderAccount) -> AccountRequest | None:
    """The provider's copy, read now. Raises ProviderError."""
    return bakkt_crypto().read_account(account.client_account_id).request


def compare(application: Application, theirs: AccountRequest) -> Reading:
    """The copies field by field, and what could be taken over."""
    with transaction.atomic():
        account = ProviderAccount.objects.select_related("application").get(application=application)
        ours = payloads.account_request(account)
        sides = ThreeWay(wanted=ours, ours=ours, sent=last_sent(account), theirs=theirs)
    rows = {row["path"]: row for row in sides.rows()}
    found = []
    for difference in sides.unasked():
        row = rows[difference.path]
        sent = shown(difference.path, row["sent"]) if sides.sent else "Unknown"
        found.append(
            Line(
                difference.path,
                path_words(difference.path),
                shown(difference.path, difference.ours),
                sent,
                shown(difference.path, difference.theirs),
                difference.blanks,
                difference.restricted,
            )
        )
    return Reading(found, _takeable(application, theirs, found))


def _takeable(application: Application, theirs: AccountRequest, lines: list[Line]) -> list[tuple[Owner, str]]:
    found = []
    by_id = {owner.client_owner_id: owner for owner in theirs.owners}
    for owner in Owner.objects.filter(application=application).order_by("-is_applicant", "pk"):
        copy = by_id.get(str(owner.pk))
        if copy is None:
            continue
        about = [line.path for line in lines if f"owners[{owner.pk}]" in line.path and not line.restricted]
        for step, parts in _PARTS.items():
            if any(part in path for path in about for part in parts):
                found.append((owner, step))
    return found


_PARTS = {
    "identity": (
        "identity.givenName",
        "identity.middleNames",
        "identity.familyName",
        "identity.maritalStatus",
    ),
    "contact": ("emailAddress", "phoneNumber"),
    "address": ("identity.personalAddress", "mailingAddress"),
}


def answers_from(theirs: AccountRequest, owner: Owner, step: str) -> dict[str, Any]:
    """The provider's copy of an owner's step in the form the step takes; they must have that owner."""
    copy = next(row for row in theirs.owners if row.client_owner_id == str(owner.pk))
    match step:
        case "identity":
            identity = copy.identity
            return {
                "given_name": identity.given_name,
                "middle_names": identity.middle_names or "",
                "family_name": identity.family_name,
                "marital_status": identity.marital_status or "",
            }
        case "contact":
            return {"email": copy.email_address, "phone": copy.phone_number or ""}
        case _:
            return _addresses(copy)


def _addresses(copy: WireOwner) -> dict[str, Any]:
    home, mailing = copy.identity.personal_address, copy.mailing_address
    same = home == mailing
    found = _address("home", home) | {"mailing_same": same}
    return found if same else found | _address("mailing", mailing)


def _address(prefix: str, address: Address) -> dict[str, Any]:
    lines = [*address.street_address, "", ""]
    return {
        f"{prefix}_line1": lines[0],
        f"{prefix}_line2": ", ".join(line for line in lines[1:] if line),
        f"{prefix}_city": address.city,
        f"{prefix}_state": address.state or "",
        f"{prefix}_postal_code": address.postal_code or "",
        f"{prefix}_country": countries.alpha2(address.country),
    }


def owner_of(application: Application, owner_id: UUID) -> Owner | None:
    """One of the application's people."""
    return next((owner for owner in drafts.load(application).owners if owner.pk == owner_id), None)
