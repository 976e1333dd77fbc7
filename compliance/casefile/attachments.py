"""The files that staff attached to a case, as its case file takes them along."""

from collections.abc import Sequence

from compliance.casefile.hooks import File
from compliance.models import Case, CaseFile

NOT_SAFE = "The malware scan does not let it be opened."


def attachments_of(case: Case) -> Sequence[File]:
    """Every attachment, oldest first."""
    return [
        File(
            name=f"{row.title}.{row.extension}",
            size=row.size,
            open=row.open,
            sha256=row.sha256,
            left_out="" if row.is_safe else NOT_SAFE,
        )
        for row in CaseFile.objects.filter(case=case).order_by("pk")
    ]
