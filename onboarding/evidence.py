"""The papers that prove a restricted change: asked for as any other paper, and found again with the change."""

import zipfile
from collections.abc import Iterator
from datetime import timedelta

from onboarding import document_requests, papers
from onboarding.models import ChangeRequest, Document, DocumentRequest
from onboarding.requirements.documents import IDENTITY
from onboarding.words_documents import DocumentType
from portal import clock
from portal.models import User

Name = ChangeRequest.Field
#: What proves each; the rest is nothing that a paper says.
PROVES: dict[str, tuple[DocumentType, ...]] = {
    Name.BIRTH_DATE: IDENTITY,
    Name.CITIZENSHIP: (DocumentType.PASSPORT, DocumentType.PASSPORT_CARD),
    Name.TAX_NUMBER: (DocumentType.SOCIAL_SECURITY_CARD, DocumentType.PROOF_OF_PERSONAL_TAX_ID),
    Name.COMPANY_TAX_NUMBER: (DocumentType.PROOF_OF_ENTITY_EIN_TAX_ID,),
}
WITHIN = timedelta(days=14)
PIECE = 64 * 1024


def ask(request: ChangeRequest, *, actor: User, source: str) -> None:
    """Ask for the paper, in the caller's transaction; one that is asked for already serves this too."""
    kinds = [kind.value for kind in PROVES.get(request.field, ())]
    if not kinds:
        return
    application = request.account.application
    for known in papers.live_requests(application):
        if known.owner_id == request.owner_id and set(known.types) & set(kinds):
            request.evidence = known
            break
    else:
        asked = DocumentRequest(
            application=application,
            owner=request.owner,
            types=kinds,
            source=DocumentRequest.Source.CHANGE,
            reason=f"It proves the change you asked for: {request.get_field_display().lower()}.",
            due_on=clock.now().date() + WITHIN,
            requested_by=actor,
        )
        request.evidence = document_requests.asked(asked, actor=actor, source=source)
    request.save(update_fields=["evidence"])


def no_longer(request: ChangeRequest, *, actor: User, source: str) -> None:
    """The change has ended: a paper asked for its sake alone is not wanted any more."""
    asked = request.evidence
    if (
        asked is not None
        and asked.source == DocumentRequest.Source.CHANGE
        and asked.status in DocumentRequest.LIVE
    ):
        document_requests.withdraw(
            asked, actor=actor, reason="The change that it was for has ended.", source=source
        )


def files(request: ChangeRequest) -> list[Document]:
    """The present files of the papers that prove it, oldest first."""
    asked = request.evidence
    if asked is None:
        return []
    rows = Document.objects.filter(application=request.account.application_id, owner=request.owner_id)
    found = rows.exclude(status=Document.Status.REPLACED).order_by("pk")
    return [row for row in found if papers.counts_for(asked, row)]


class _Sink:
    """Takes what a zip writes, to be handed on piece by piece. It cannot seek, so the zip does not try."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes, /) -> int:
        """Keep it until it is taken."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def close(self) -> None:
        """Nothing to close."""

    def flush(self) -> None:
        """Nothing is held back."""

    def taken(self) -> bytes:
        """What was written since."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found


def zipped(texts: dict[str, bytes], documents: list[Document]) -> Iterator[bytes]:
    """A zip of texts and files, in pieces: no file is ever whole in memory."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, content in texts.items():
            archive.writestr(name, content)
            yield sink.taken()
        for number, document in enumerate(documents, 1):
            name = f"{number:02d}-{document.type}-{document.side}.{document.extension}".lower()
            with document.open() as file, archive.open(name, "w") as into:
                while piece := file.read(PIECE):
                    into.write(piece)
                    yield sink.taken()
            yield sink.taken()
    yield sink.taken()
