"""Files whose rows are gone: written down in the transaction that removes the row, deleted after it.

So a crash in between leaves a row here and no file that nobody remembers.
"""

from collections.abc import Iterable

import structlog
from django.core.files.storage import storages
from django.db import transaction

from onboarding.models import DiscardedFile, Document
from portal.document_storage import STORAGE

log = structlog.get_logger(__name__)
BATCH = 200


def discard(documents: Iterable[Document]) -> None:
    """Have the files of documents, and the pictures made of them, deleted when the caller's transaction is kept."""
    paths = []
    for document in documents:
        paths += [document.path, *(copy.path for copy in document.copies.select_related("document"))]
    discard_paths(paths)


def discard_paths(paths: list[str]) -> None:
    """The same for files of any sort in the storage of papers."""
    if paths:
        DiscardedFile.objects.bulk_create([DiscardedFile(path=path) for path in paths], ignore_conflicts=True)
        transaction.on_commit(lambda: sweep(paths), robust=True)


def sweep(paths: Iterable[str] = ()) -> int:
    """Delete what waits for it, `paths` alone or the oldest of all; returns how many files went.

    Safe in parallel: a file that is gone already is no fault.
    """
    rows = DiscardedFile.objects.order_by("created_at")
    if paths:
        rows = rows.filter(path__in=list(paths))
    gone = 0
    for row in rows[:BATCH]:
        try:
            storages[STORAGE].delete(row.path)
        except OSError as error:
            log.warning("file_not_deleted", error=type(error).__name__)
            continue
        row.delete()
        gone += 1
    return gone
