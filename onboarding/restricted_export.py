"""What the provider's operations team needs for a restricted change: as plain text, or as a PDF."""

from collections.abc import Iterator
from datetime import UTC

from django.conf import settings

from onboarding import evidence, restricted
from onboarding.models import ChangeRequest
from onboarding.personal import CHANGE_EXPORT
from portal import audit, permissions
from portal.errors import Invalid
from portal.logs import redact_text
from portal.models import User
from portal.pdf import new_sheet, paragraph
from portal.revealing import reveal_grant

FORMATS = {"text": "text/plain; charset=utf-8", "pdf": "application/pdf"}


def export(request: ChangeRequest, *, actor: User, form: str, unmasked: bool, reason: str) -> bytes:
    """The file's bytes; that it was given out is recorded. Raises Forbidden, or Invalid for an unknown format."""
    permissions.require(actor, "pii.reveal" if unmasked else "case.decide")
    if form not in FORMATS:
        raise Invalid("Choose text or PDF.")
    if unmasked:
        reveal_grant(actor=actor, name=CHANGE_EXPORT, row_id=request.pk, reason=reason)
    audit.record(
        "account.restricted_export",
        subject=request.account.application,
        actor=actor,
        reason=reason,
        source="page",
        after={"request": str(request.pk), "format": form, "unmasked": unmasked},
    )
    found = lines(request, unmasked=unmasked)
    title = f"Change of restricted data, account {request.account.client_account_id}"
    if form == "pdf":
        return as_pdf(title, found)
    return "\n".join([title, "", *(f"{label}: {value}" for label, value in found), ""]).encode()


def export_zip(request: ChangeRequest, *, actor: User, unmasked: bool, reason: str) -> Iterator[bytes]:
    """Text and PDF with the files of the evidence, in pieces. The files show everything, so it takes who may reveal.

    Raises Forbidden. Files that are not free of malware yet are left out, and the text says so.
    """
    permissions.require(actor, "pii.reveal")
    files = evidence.files(request)
    safe = [file for file in files if file.is_safe]
    texts = {
        "change.txt": export(request, actor=actor, form="text", unmasked=unmasked, reason=reason),
        "change.pdf": export(request, actor=actor, form="pdf", unmasked=unmasked, reason=reason),
    }
    if len(safe) < len(files):
        texts["change.txt"] += f"Left out, not free of malware yet: {len(files) - len(safe)}\n".encode()
    audit.record(
        "account.restricted_evidence",
        subject=request.account.application,
        actor=actor,
        reason=reason,
        source="page",
        after={"request": str(request.pk), "documents": [str(file.pk) for file in safe]},
    )
    return evidence.zipped(texts, safe)


def lines(request: ChangeRequest, *, unmasked: bool) -> list[tuple[str, str]]:
    """What the export says, in order."""
    why = request.why.reveal()
    owner = request.owner
    found = [
        ("Partner", settings.PARTNER_NAME),
        ("clientAccountId", request.account.client_account_id),
        ("Account id at the provider", request.account.provider_id or "Not known"),
        ("Account type", request.account.application.account_type),
    ]
    if owner is not None:
        found += [("clientOwnerId", str(owner.pk)), ("Person", owner.full_name), ("Role", owner.role)]
    found.append(("Field", str(request.get_field_display())))
    for label, before, wanted in restricted.rows(request, unmasked=unmasked):
        found += [(f"{label}, now", before), (f"{label}, to become", wanted)]
    found += [
        ("Reason", why if unmasked else redact_text(why)),
        ("Asked on", f"{request.created_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
        ("Our reference", str(request.pk)),
    ]
    return found


def as_pdf(title: str, found: list[tuple[str, str]]) -> bytes:
    """A heading and lines of label and value, in whatever scripts they are written."""
    lines = [f"{label}: {value}" for label, value in found]
    sheet = new_sheet(title, "".join(lines))
    for text, size in [(title, 16), *((line, 11) for line in lines)]:
        paragraph(sheet, text, size)
        sheet.ln(1)
    return bytes(sheet.output())
