"""Packing case files: an archive in pieces, each file hashed as it goes in, and a manifest over all that is signed."""

import hashlib
import json
import re
import zipfile
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, cast

from django.conf import settings
from django.db.models import QuerySet

from compliance.casefile import hooks, pdf, proof, signing
from compliance.casefile.content import content
from compliance.models import Case, CaseExport
from portal import clock
from portal.sealed import CannotUnseal

PIECE = 64 * 1024
FORMAT = "partner-portal case file 1"
CHECKER = "check_case_file.py"
CHECKER_PATH: Path = settings.BASE_DIR / "scripts" / CHECKER
README = """What this is
A case file of {partner}: what is known of {count} case(s), for reading (case.pdf), for machines (case.json), the papers
and attachments, and the audit entries with what proves them (audit.json), one folder for each case.

Is it complete and unchanged?
    python3 check_case_file.py THIS.zip --keys case-file-keys.json
Take the keys and the program from {url}/.well-known/case-file-keys.json and {url}/.well-known/case-file-check.py.
The program needs Python 3.10 or newer and nothing else; the copy in here is for convenience.

Personal data in the texts is masked; the papers are as customers sent them. Keep this file as you keep those.
"""


class Archive:
    """A zip being written. Each file's size and SHA-256 are kept for the manifest."""

    def __init__(self, into: IO[bytes], made_at: datetime) -> None:
        self._zip = zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED)
        self._date = made_at.astimezone(UTC).timetuple()[:6]
        self.files: list[dict[str, Any]] = []
        self.left_out: list[dict[str, str]] = []

    def add(self, path: str, pieces: Iterable[bytes]) -> str:
        """Write a file; answers its SHA-256."""
        total, size = hashlib.sha256(), 0
        with self._zip.open(self._entry(path), "w") as into:
            for piece in pieces:
                total.update(piece)
                size += len(piece)
                into.write(piece)
        self.files.append({"path": path, "size": size, "sha256": total.hexdigest()})
        return total.hexdigest()

    def end(self, manifest: dict[str, Any]) -> None:
        """Write the manifest over all files and the signature under it."""
        written = _json(manifest | {"files": self.files, "left_out": self.left_out})
        self._zip.writestr(self._entry("manifest.json"), written)
        self._zip.writestr(self._entry("manifest.sig"), signing.sign(written))
        self._zip.close()

    def _entry(self, path: str) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(path, date_time=self._date)
        entry.compress_type = zipfile.ZIP_DEFLATED
        return entry


def write(export: CaseExport, into: IO[bytes], *, done: Callable[[], None]) -> None:
    """Write the file of the export's cases; `done` is called after each part."""
    made_at = clock.now()
    archive = Archive(into, made_at)
    proof.seal_now()
    told = [
        _write_case(archive, case, with_papers=export.with_papers, done=done) for case in cases_of(export)
    ]
    facts = {"partner": settings.PARTNER_NAME, "count": len(told), "url": settings.PORTAL_URL}
    archive.add("README.txt", [README.format(**facts).encode()])
    archive.add(CHECKER, [CHECKER_PATH.read_bytes()])
    key_id = signing.signing_key_id()
    archive.end(
        {
            "format": FORMAT,
            "export": str(export.pk),
            "partner": settings.PARTNER_NAME,
            "portal": settings.PORTAL_URL,
            "made_at": made_at.astimezone(UTC).isoformat(),
            "made_by": export.asked_by.label,
            "reason": export.reason,
            "key_id": key_id,
            "public_key": signing.public_keys()[key_id],
            "newest_seal": proof.newest_seal(),
            "cases": told,
        }
    )


def cases_of(export: CaseExport) -> "QuerySet[Case]":
    """The cases the export was asked for, in order."""
    rows = Case.objects.filter(pk__in=export.case_ids).order_by("pk")
    return rows.select_related("assignee", "opened_by", "queue")


def files_of(case: Case, told: hooks.Contribution) -> list[tuple[str, hooks.File]]:
    """The case's files with the paths they have in the archive."""
    found = {"papers": told.papers, **hooks.folders(case)}
    return [
        (f"{case.reference}/{folder}/{number:02d}-{_safe(file.name)}", file)
        for folder, files in found.items()
        for number, file in enumerate(files, 1)
    ]


def _write_case(
    archive: Archive, case: Case, *, with_papers: bool, done: Callable[[], None]
) -> dict[str, Any]:
    """One case's folder; answers what the manifest tells of it."""
    contribution = hooks.contribution(case)
    told = content(case, contribution)
    proved = proof.proof([(case._meta.label_lower, case.pk), *contribution.audit])
    files, problems = files_of(case, contribution), list(proved.problems)
    names = [path.partition("/")[2] for path, _ in files]
    archive.add(f"{case.reference}/case.json", [_json(told)])
    archive.add(f"{case.reference}/case.pdf", [pdf.drawn(case, told, proved, names)])
    archive.add(f"{case.reference}/audit.json", [_json(proved.document)])
    done()
    for path, file in files:
        why = file.left_out or ("" if with_papers else "The export was asked for without papers.")
        wrong = _write_file(archive, path, file, why)
        problems += [wrong] if wrong else []
        done()
    return {
        "reference": case.reference,
        "id": str(case.pk),
        "status": case.status,
        "audit": f"{case.reference}/audit.json",
        "audit_entries": len(proved.entries),
        "problems": problems,
    }


def _write_file(archive: Archive, path: str, file: hooks.File, why: str) -> str:
    """A file, or why it is left out; answers what is wrong with it, "" when nothing is."""
    if why:
        archive.left_out.append({"path": path, "why": why, "sha256": file.sha256})
        return ""
    try:
        digest = archive.add(path, _pieces(file))
    except FileNotFoundError:
        archive.left_out.append({"path": path, "why": "Its file is gone.", "sha256": file.sha256})
        return f"{path}: its file is gone."
    if file.sha256 and digest != file.sha256:
        return f"{path}: it had another SHA-256 when it came ({file.sha256})."
    return ""


def _pieces(file: hooks.File) -> Iterable[bytes]:
    """Its bytes. One that does not unseal was changed where it lies: raises FileNotFoundError before the first byte."""
    try:
        source = file.open()
        first = source.read(PIECE)
    except (OSError, CannotUnseal) as error:
        raise FileNotFoundError(file.name) from error
    return _rest(source, first)


def _rest(source: hooks.Readable, first: bytes | None) -> Iterable[bytes]:
    try:
        piece = first
        while piece:
            yield piece
            piece = source.read(PIECE)
    except (OSError, CannotUnseal):
        # Changed where it lies: what could be read goes in, and its SHA-256 tells that it is not what came.
        return
    finally:
        source.close()


def _safe(name: str) -> str:
    """A file name that is a name everywhere."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[-80:] or "file"


def _json(data: Any) -> bytes:
    return json.dumps(data, indent=1, ensure_ascii=False).encode()


def as_file(sink: Any) -> IO[bytes]:
    """What zipfile writes to: it asks for no more than `write` and `flush`."""
    return cast(IO[bytes], sink)
