"""A 50 MB file on its way to the provider, through the real HTTP stack: what a worker grows by meanwhile."""

from pathlib import Path
from typing import Any

import pytest

from onboarding import document_checks, services
from onboarding.models import Document
from onboarding.operations import UPLOAD
from portal import outbox
from portal.models import OutboundCall, User
from providers import clients
from providers.http import Timeouts
from sandbox.testing import SandboxProcess
from tests.flow import drain, publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, pdf, upload

pytestmark = pytest.mark.once

MEGABYTE = 1024 * 1024
RESET = Path("/proc/self/clear_refs")


def _kilobytes(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


@pytest.mark.skipif(not RESET.exists(), reason="the kernel does not tell a process's highest memory")
def test_fifty_megabytes_grow_a_worker_by_sixteen_at_most(
    box: SandboxProcess, customer_user: User, settings: Any, tmp_path: Path
) -> None:
    settings.DOCUMENT_MAX_BYTES = 60 * MEGABYTE
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    clients._transport(False)._timeouts = Timeouts(connect=5.0, read=60.0, total=120.0)
    publish_agreements()
    application = journeys.trust(customer_user)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    drain()
    # Once with a small one, so that what is loaded on first use is there.
    upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(), "a.pdf"))
    drain()
    found = upload(
        customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(50 * MEGABYTE), "a.pdf")
    )
    assert found.size > 50 * MEGABYTE
    RESET.write_text("5")
    before = _kilobytes("VmRSS")
    document_checks.check(found.pk)
    (call_id,) = OutboundCall.objects.filter(operation=UPLOAD, subject_id=found.pk).values_list(
        "pk", flat=True
    )
    outbox.perform(call_id)
    grown = _kilobytes("VmHWM") - before
    found.refresh_from_db()
    assert found.status == Document.Status.AT_PROVIDER
    there = box.account(application.reference)["documents"]
    assert found.sha256 in [row["sha256"] for row in there]
    assert grown < 16 * 1024, f"{grown / 1024:.1f} MB"
