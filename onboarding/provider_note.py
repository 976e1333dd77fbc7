"""What we send the provider's compliance team when we ask about an account: who it is, and what was said of it."""

from datetime import UTC

from django.conf import settings

from compliance.models import Case
from onboarding.models import Document, Owner, ProviderAccount
from onboarding.restricted_export import FORMATS, as_pdf
from portal import audit, permissions
from portal.errors import Invalid
from portal.models import StatusChange, User

#: So many of the last changes are told.
MOST = 10


def lines(account: ProviderAccount, case: Case) -> list[tuple[str, str]]:
    """Label and value, in order. Names, and no numbers: the provider has those under the account's key."""
    application = account.application
    owners = Owner.objects.filter(application=application).order_by("-is_applicant", "pk")
    about = {"subject_type": account._meta.label_lower, "subject_id": account.pk}
    changes = StatusChange.objects.filter(**about).order_by("-at")[:MOST]
    files = Document.objects.filter(application=application, status=Document.Status.AT_PROVIDER)
    return [
        ("Partner", settings.PARTNER_NAME),
        ("clientAccountId", account.client_account_id),
        ("Account id at the provider", account.provider_id or "Not known"),
        ("Account type", application.account_type),
        *(("Person", f"{row.full_name}, {row.role}") for row in owners),
        (
            "partyStatus and reasonCode",
            f"{account.party_status} {account.party_reason}".strip() or "None yet",
        ),
        *((f"Said on {row.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC", row.reason or row.new) for row in changes),
        *((f"Paper {row.type}", f"clientDocumentId {row.pk}") for row in files.order_by("pk")),
        ("Our reference", case.reference),
    ]


def export(account: ProviderAccount, case: Case, *, actor: User, form: str) -> bytes:
    """The same as a file; that it was given out is recorded. Raises Forbidden, or Invalid for an unknown format."""
    permissions.require(actor, "case.decide")
    if form not in FORMATS:
        raise Invalid("Choose text or PDF.")
    audit.record(
        "account.provider_note",
        subject=account.application,
        actor=actor,
        source="page",
        after={"case": case.reference, "format": form},
    )
    title = f"Account {account.client_account_id}: question to compliance operations"
    found = lines(account, case)
    if form == "pdf":
        return as_pdf(title, found)
    return "\n".join([title, "", *(f"{label}: {value}" for label, value in found), ""]).encode()
