"""Documents at the stand-in: taken, kept, shown. Wire contract, section 4.5: every failure is a 404 with Error."""

import json
import uuid
from collections.abc import Iterable
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.http import FileResponse, HttpRequest
from django.http.multipartparser import MultiPartParserError

from sandbox.bakkt import papers
from sandbox.bakkt.answers import error, find
from sandbox.bakkt.schema import Failures, Object, Text
from sandbox.bakkt.validation import COUNTRY, TEXT
from sandbox.clock import iso
from sandbox.endpoint import Answer
from sandbox.state import Account, Document, Json
from sandbox.world import World

# No limit is published. It is well above what partners take from customers, and keeps our disk whole.
LARGEST = 64 * 1024 * 1024
# What the other part and the borders between them may take on top.
OVERHEAD = 1024 * 1024
SIGNATURES = {
    "application/pdf": b"%PDF-",
    "image/jpeg": b"\xff\xd8\xff",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/gif": b"GIF8",
    "image/bmp": b"BM",
}
UNSIGNED = ("application/octet-stream", "application/json", "text/plain")
UUID = Text(form="a UUID")
REQUEST = Object(
    required={"clientDocumentId": UUID, "account": TEXT, "documentType": Text(choices=papers.TYPES)},
    optional={
        "documentSide": Text(choices=frozenset({"FRONT", "BACK", "UNSPECIFIED"})),
        "issueCountry": COUNTRY,
        "clientOwnerId": TEXT,
        "description": Text(longest=2000),
        "documentExpiration": Text(form="a date and time with its zone, ISO 8601"),
    },
)


def refused(message: str) -> Answer:
    return Answer(404, error(404, message))


def upload(world: World, plain: HttpRequest) -> Document:
    """Take an upload. Raises Answer 404 for whatever is wrong with it, having kept nothing."""
    if int(plain.headers.get("Content-Length") or 0) > LARGEST + OVERHEAD:
        raise refused(f"The file is larger than {LARGEST // 1024**2} MB")
    try:
        text, file = plain.POST.get("metadata"), plain.FILES.get("document")
    except (MultiPartParserError, SuspiciousOperation):
        raise refused("The body cannot be read as multipart/form-data") from None
    if text is None:
        raise refused("metadata is required: a text part that holds JSON")
    if not isinstance(file, UploadedFile):
        raise refused("document is required: a part with a file name")
    request = _metadata(text)
    media_type = _media_type(file)
    with world.change():
        _check(world, find(world, request["account"]), request)
        return keep(world, request, media_type, file.chunks())


def _metadata(text: str) -> Json:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        raise refused("metadata is not JSON") from None
    failures = Failures()
    REQUEST.check(request, "", failures)
    if failures:
        raise refused("; ".join(failure["message"] for failure in failures))
    given: Json = request
    return given


def _media_type(file: "UploadedFile[Any]") -> str:
    """What the part says it is, which must be true."""
    declared, size = file.content_type or "", file.size or 0
    if not size:
        raise refused("The file is empty")
    if size > LARGEST:
        raise refused(f"The file is larger than {LARGEST // 1024**2} MB")
    head = file.read(16)
    file.seek(0)
    found = next((kind for kind, start in SIGNATURES.items() if head.startswith(start)), None)
    true = found is None if declared in UNSIGNED else found == declared
    if not declared or not true:
        raise refused(f"The file is not what its Content-Type says: {declared[:60]}")
    return declared


def _check(world: World, account: Account, request: Json) -> None:
    """What the metadata must be for this account. Raises Answer 404."""
    kind, side, owner = (request.get(name) for name in ("documentType", "documentSide", "clientOwnerId"))
    if request["clientDocumentId"].lower() in world.state.documents:
        # A repeat is not answered like the first time: a partner has to look before it repeats (question 25).
        raise refused("clientDocumentId is taken by another document")
    if owner is not None and owner not in [one.get("clientOwnerId") for one in account.request["owners"]]:
        raise refused("clientOwnerId names no owner of the account")
    if not papers.is_entity(account):
        return
    for name in ("documentSide", "issueCountry"):
        if request.get(name) is None:
            raise refused(f"{name} is required for an entity account")
    if kind in papers.OF_OWNER and owner is None:
        raise refused(f"clientOwnerId is required: {kind} is a paper of an owner")
    if kind in papers.OF_ENTITY and owner is not None:
        raise refused(f"clientOwnerId must be absent: {kind} is a paper of the entity itself")
    if kind in papers.OF_ENTITY and side != "FRONT":
        raise refused("documentSide must be FRONT for a paper of the entity itself")


def keep(world: World, request: Json, media_type: str, chunks: Iterable[bytes]) -> Document:
    """Keep a checked document. The caller holds the lock."""
    own = str(uuid.uuid4())
    size, digest = world.vault.keep(own, chunks)
    document = Document(own, request, world.clock.now(), media_type, size, digest)
    world.state.documents[request["clientDocumentId"].lower()] = document
    return document


def find_document(world: World, key: str) -> Document:
    """The document of that `clientDocumentId`. Raises Answer 404."""
    document = world.state.documents.get(key.lower())
    if document is None:
        raise refused("Document not found")
    return document


def forget(world: World, account: Account) -> None:
    """Remove the account's documents and their files."""
    for document in papers.of_account(world, account):
        del world.state.documents[document.request["clientDocumentId"].lower()]
        world.vault.forget(document.id)


def shown(document: Document) -> Json:
    """A document as the provider shows it."""
    return {"id": document.id, "createdAt": iso(document.created), "request": document.request}


def metadata(document: Document) -> Json:
    """Its line in the list of an account, where every document has a side."""
    return {**document.request, "documentSide": document.side}


def binary(world: World, document: Document) -> FileResponse:
    """The file itself. Raises Answer 404 should it be gone."""
    try:
        file = world.vault.read(document.id)
    except FileNotFoundError:
        raise refused("Document not found") from None
    return FileResponse(
        file,
        content_type=document.media_type,
        as_attachment=True,
        filename=document.request["clientDocumentId"],
    )
