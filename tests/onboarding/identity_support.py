"""Steps of an identity check that its tests share."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import time_machine

from onboarding import jobs
from onboarding.identity import checks
from onboarding.identity import jobs as identity_jobs
from onboarding.identity.renewal import link_renew
from onboarding.models import Application, IdentityCheck, IdentityLink
from portal import clock
from portal.models import AuditEntry, User
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver
from tests.flow import drain, submitted

LIFE = timedelta(hours=72)
DETAILS = "document_verification_details"
CASES = (checks.CALL, checks.EXHAUSTED)


def flagged(box: SandboxProcess, user: User) -> Application:
    """An application whose customer has the first link, by the provider's webhook."""
    application = submitted(user, given_name="Verify", family_name="Document")
    drain()
    deliver(box)
    return application


def told(application: Application, *, url: str = "", life: timedelta = LIFE, reason: str = "") -> None:
    """What a processed party event of the provider does, without the provider: for tests of what follows."""
    from django.db import transaction

    with transaction.atomic():
        account = jobs.lock_account(account_of(application).pk)
        jobs.party_status_apply(
            account,
            party_status="UNDER_REVIEW" if not reason or reason == "PENDING_REVIEW" else "ACTIVE",
            reason=reason or "DOCUMENT_VERIFICATION",
            source="webhook",
            verification_url=url or None,
            verification_expires_at=clock.now() + life if url else None,
        )


def check_of(application: Application) -> IdentityCheck:
    return IdentityCheck.objects.get(account__application=application)


def living(application: Application) -> IdentityLink:
    return IdentityLink.objects.get(identity_check__account__application=application, ended_at=None)


def url_of(application: Application) -> str:
    url = living(application).url
    assert url is not None
    return str(url.reveal())


def ask(application: Application) -> IdentityCheck:
    """The customer asks for a new link."""
    return link_renew(actor=application.customer.user, application_id=application.pk, source="page")


def tick() -> None:
    """What the beat does every minute."""
    identity_jobs.links_expire()
    identity_jobs.links_warn()


@contextmanager
def after(box: SandboxProcess, application: Application, **by: float) -> Iterator[None]:
    """The portal's clock that much later, the sandbox's link over, and its next one good for 72 hours from then.

    The sandbox tells expiries in real time, in which the test's portal does not live.
    """
    ahead = timedelta(**by)
    box.api("POST", f"accounts/{application.reference}/expire-link")
    box.api("POST", "settings", {"link_life_seconds": (ahead + LIFE).total_seconds()})
    with time_machine.travel(clock.now() + ahead):
        yield


def actions(application: Application) -> list[str]:
    """The audit trail's words about the check, oldest first."""
    rows = AuditEntry.objects.filter(subject_id=application.pk, action__startswith="identity_check.")
    return [row.action.removeprefix("identity_check.") for row in rows.order_by("at", "id")]


def asked_times(box: SandboxProcess) -> int:
    """How often the provider was asked for a link."""
    return len([entry for entry in box.state()["requests"] if entry["operation"] == DETAILS])


def facts(kind: str) -> list[dict[str, Any]]:
    from compliance.models import CaseFact

    return list(CaseFact.objects.filter(case__kind=kind).order_by("at").values("title", "case__status"))
