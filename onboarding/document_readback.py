"""Our record of an account's papers beside the provider's, and the provider's copy of one."""

import tempfile
from dataclasses import dataclass
from typing import IO
from uuid import UUID

from django_countries import countries

from onboarding.models import Document, ProviderAccount
from onboarding.words_documents import DocumentSide, DocumentType
from portal.errors import NotFound
from providers.bakkt.documents import DocumentMetadata
from providers.clients import bakkt_crypto
from providers.errors import NotFound as ProviderNotFound

Status = Document.Status
#: What lies, or should lie, at the provider.
SENT = (Status.AT_PROVIDER, Status.REPLACED)


@dataclass(frozen=True)
class Line:
    """One paper: ours, theirs, and where the two differ, in words."""

    document_id: str
    title: str
    ours: str
    theirs: str
    differences: tuple[str, ...]
    is_theirs: bool


def compare(account: ProviderAccount) -> list[Line]:
    """Every paper either side knows, those that differ first. Reads the provider; raises ProviderError."""
    theirs = {
        row.client_document_id.lower(): row
        for row in bakkt_crypto().account_documents(account.client_account_id)
    }
    ours = {
        str(row.pk): row
        for row in Document.objects.filter(application=account.application_id)
        .defer("file_key")
        .order_by("pk")
    }
    lines = [_line(key, ours.get(key), theirs.get(key)) for key in dict.fromkeys([*ours, *theirs])]
    return sorted(lines, key=lambda line: not line.differences)


def _line(key: str, ours: Document | None, theirs: DocumentMetadata | None) -> Line:
    kind = ours.type if ours else (theirs.document_type if theirs else "")
    side = ours.side if ours else ((theirs.document_side or "") if theirs else "")
    names = dict(DocumentType.choices), dict(DocumentSide.choices)
    title = f"{names[0].get(kind, kind)}, {str(names[1].get(side, side or 'no side')).lower()}"
    said = "Has it" if theirs else "Does not have it"
    return Line(
        key,
        title,
        ours.get_status_display() if ours else "Not known here",
        said,
        tuple(_differences(ours, theirs)),
        theirs is not None,
    )


def _differences(ours: Document | None, theirs: DocumentMetadata | None) -> list[str]:
    if theirs is None:
        # What was replaced before it was sent never went.
        lost = ours is not None and (ours.status == Status.AT_PROVIDER or ours.provider_id != "")
        return ["We passed it on, and the provider does not have it"] if lost else []
    if ours is None:
        return ["The provider has a paper that is not ours"]
    found = []
    if ours.status not in SENT:
        found.append(f"Here it is “{ours.get_status_display()}”, and the provider has it")
    last = theirs.document_expiration.date() if theirs.document_expiration else None
    pairs = (
        ("Type", ours.type, theirs.document_type),
        ("Side", ours.side, theirs.document_side),
        ("Country", countries.alpha3(ours.country.code), theirs.issue_country),
        ("Whose", str(ours.owner_id) if ours.owner_id else None, theirs.client_owner_id),
        ("Valid until", ours.expires_on, last),
    )
    # What the provider leaves out of a list says nothing.
    found += [
        f"{name}: ours {mine or 'none'}, theirs {said}"
        for name, mine, said in pairs
        if said is not None and said != mine
    ]
    return found


def provider_copy(account: ProviderAccount, document_id: UUID) -> tuple[IO[bytes], str]:
    """The provider's file of one paper of this account, and its media type: on disk without a name, gone when closed.

    Raises NotFound when the account has no such paper there, and ProviderError.
    """
    client = bakkt_crypto()
    try:
        request = client.read_document(str(document_id)).request
        if request is None or request.account != account.client_account_id:
            raise NotFound("The provider has no such paper of this account.")
        # The response closes it.
        file = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            media_type = client.download_document(str(document_id), file)
        except BaseException:
            file.close()
            raise
    except ProviderNotFound as error:
        raise NotFound("The provider has no such paper of this account.") from error
    file.seek(0)
    return file, media_type
