"""Statements and receipts as files, the same for customers, apps and staff. Each that is handed out is recorded."""

from collections.abc import Iterable
from typing import Literal

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from funding import receipts, statements
from funding.models import Transfer
from onboarding.models import ProviderAccount
from portal import audit
from portal.models import User

TYPES = {"pdf": "application/pdf", "csv": "text/csv; charset=utf-8"}


def statement(
    account: ProviderAccount,
    month: str,
    form: Literal["pdf", "csv"],
    *,
    actor: User,
    source: str,
    part: str = "",
) -> HttpResponseBase:
    """One month of the account, which the caller made sure the actor may see; CSV is sent as it is read.

    `part` names one of several that a PDF comes in. Raises NotFound for a month or part that is not there, Conflict for
    a PDF in parts of which none is named.
    """
    found = statements.statement(account, month)
    if form == "pdf":
        found = statements.part_of(found, part)
    content = statements.as_csv(found) if form == "csv" else statements.as_pdf(found)
    facts = {"month": f"{found.begins:%Y-%m}", "form": form}
    name = f"statement-{facts['month']}"
    if found.parts > 1:
        facts["part"] = f"{found.part} of {found.parts}"
        name += f"-part-{found.part}-of-{found.parts}"
    audit.record("statement.download", subject=account, actor=actor, source=source, after=facts)
    return _file(content, name, form)


def receipt(transfer: Transfer, *, actor: User, source: str) -> HttpResponseBase:
    """The receipt of a transfer that the actor may see."""
    content = receipts.pdf(transfer)
    audit.record(
        "receipt.download", subject=transfer, actor=actor, source=source, after={"status": transfer.status}
    )
    return _file(content, f"receipt-{transfer.short}", "pdf")


def _file(content: bytes | Iterable[str], name: str, form: str) -> HttpResponseBase:
    """A file that nobody keeps on the way."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.{form}"', "Cache-Control": "no-store"}
    if isinstance(content, bytes):
        return HttpResponse(content, content_type=TYPES[form], headers=headers)
    return StreamingHttpResponse(content, content_type=TYPES[form], headers=headers)
