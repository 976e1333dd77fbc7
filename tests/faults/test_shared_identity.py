"""The call that imports a shared identity check again, under every fault: it ends once, and the verdict comes."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from onboarding.models import Application
from onboarding.operations import SHARED_IDENTITY
from onboarding.services.shared_identity import shared_identity_import, why_not_import
from portal import clock, outbox
from portal.models import AuditEntry, OutboundCall, User
from providers.models import ExpectedEvent
from sandbox.testing import SandboxProcess
from tests.faults.test_settlement import FAULTS
from tests.faults.way import deliver
from tests.flow import drain, submitted
from tests.people import make_staff

Call = OutboundCall.Status


def asked(box: SandboxProcess, user: User, fault: str, when: str) -> OutboundCall:
    """The first attempt of an import, under the fault."""
    application = submitted(user, given_name="Maggic", family_name="Dawn")
    drain()
    deliver(box)
    call = shared_identity_import(
        actor=make_staff("compliance_analyst"),
        application_id=application.pk,
        share_token="share-1",
        reason="A fresh token",
        source="page",
    )
    how: dict[str, Any] = FAULTS[fault]
    box.fault(operation="recover_kyc_transfer", after_effect=when == "after", **how)
    outbox.perform(call.pk)
    return call


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_conflict_ends_it_and_it_may_be_asked_for_anew(
    box: SandboxProcess, customer_user: User, when: str
) -> None:
    """A conflict is not published for this call, and nothing that we read tells whether it took effect."""
    call = asked(box, customer_user, "409", when)
    assert OutboundCall.objects.get(pk=call.pk).status == Call.REJECTED
    assert not why_not_import(Application.objects.get())


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", [name for name in FAULTS if name != "409"])
def test_a_fault_of_the_import(box: SandboxProcess, customer_user: User, name: str, when: str) -> None:
    call = asked(box, customer_user, name, when)
    assert OutboundCall.objects.get(pk=call.pk).status in {Call.UNKNOWN, Call.QUEUED}

    moment = clock.now()
    for moves in range(8):
        with time_machine.travel(moment + timedelta(minutes=6) * moves):
            drain()
    assert OutboundCall.objects.get(operation=SHARED_IDENTITY).status == Call.SUCCEEDED
    assert AuditEntry.objects.filter(action="account.shared_identity_done").count() == 1
    deliver(box)
    assert Application.objects.get().account.party_reason == "RISK_KYC"


def test_the_verdict_before_the_answer(box: SandboxProcess, customer_user: User) -> None:
    """The answer is lost and the verdict comes: what the repeat brings is waited for by nobody."""
    call = asked(box, customer_user, "time-out", "after")
    deliver(box)
    assert Application.objects.get().account.rescreening_since is None
    with time_machine.travel(clock.now() + timedelta(minutes=20)):
        drain()
    assert OutboundCall.objects.get(pk=call.pk).status in {Call.SUCCEEDED, Call.UNKNOWN}
    with time_machine.travel(clock.now() + timedelta(minutes=60)):
        drain()
    assert OutboundCall.objects.get(pk=call.pk).status == Call.SUCCEEDED
    waiting = (ExpectedEvent.State.WAITING, ExpectedEvent.State.LATE)
    assert not ExpectedEvent.objects.filter(state__in=waiting).exists()
