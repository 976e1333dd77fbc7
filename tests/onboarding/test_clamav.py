"""The real clamd, of Debian's packages, with a database of one line: what our client says is what it understands."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from compliance.models import Case
from onboarding import document_checks
from onboarding.models import Document
from portal import clamd
from portal.models import User
from tests.flow import publish_agreements
from tests.onboarding import corpus, journeys
from tests.onboarding.papers_support import file, pdf, upload

CLAMD = shutil.which("clamd") or "/usr/sbin/clamd"
needs_clamd = pytest.mark.skipif(
    not Path(CLAMD).exists() and not os.environ.get("REQUIRE_CLAMD"),
    reason="clamd is not installed (Debian: clamav-daemon)",
)
READY_WITHIN = 60.0


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """Its address. A socket's path is short, so the folder is the system's own for such things."""
    with tempfile.TemporaryDirectory(prefix="clamd") as place:
        folder = Path(place)
        (folder / "db").mkdir()
        (folder / "db" / "eicar.ndb").write_text(f"Eicar-Test-Signature:0:*:{corpus.EICAR.hex()}\n")
        config = folder / "clamd.conf"
        config.write_text(
            f"LocalSocket {folder}/socket\nDatabaseDirectory {folder}/db\nTemporaryDirectory {folder}\n"
            "Foreground yes\nStreamMaxLength 1M\n"
        )
        with (folder / "said").open("wb") as said:
            process = subprocess.Popen([CLAMD, "--config-file", str(config)], stdout=said, stderr=said)
        try:
            _wait(process, folder)
            yield f"unix://{folder}/socket"
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait(process: "subprocess.Popen[bytes]", folder: Path) -> None:
    until = time.monotonic() + READY_WITHIN
    while time.monotonic() < until and process.poll() is None:
        with socket.socket(socket.AF_UNIX) as link:
            if link.connect_ex(f"{folder}/socket") == 0:
                return
        time.sleep(0.05)
    raise RuntimeError((folder / "said").read_text(errors="replace"))


@needs_clamd
def test_what_it_finds_is_held_back_and_the_rest_goes_on(
    db: None, server: str, settings: Any, tmp_path: Path, customer_user: User
) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    settings.CLAMD_URL = server
    publish_agreements()
    application = journeys.trust(customer_user)
    sound = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(300_000), "a.pdf"))
    document_checks.check(sound.pk)
    sound.refresh_from_db()
    assert (sound.status, sound.scan) == (Document.Status.RECEIVED, Document.Scan.CLEAN)
    bad = upload(
        customer_user, application, type="TRUST_CERTIFICATION", file=file(corpus.pdf_with_eicar(), "b.pdf")
    )
    document_checks.check(bad.pk)
    bad.refresh_from_db()
    assert (bad.status, bad.scan) == (Document.Status.QUARANTINED, Document.Scan.FOUND)
    assert bad.scan_found.startswith("Eicar-Test-Signature")
    assert Case.objects.filter(kind="onboarding.quarantine", subject_id=bad.pk).count() == 1


@needs_clamd
def test_a_file_beyond_its_limit_has_no_verdict(server: str) -> None:
    with pytest.raises(clamd.ScannerAway):
        clamd.scan(BytesIO(bytes(3 * 1024 * 1024)), server)
    assert clamd.scan(BytesIO(b"sound"), server) == ""
