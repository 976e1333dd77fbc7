"""The call that changes how an account settles, under every fault: it ends once, and both records say the same."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from onboarding.models import Application, SettlementChange
from onboarding.services.settlement import settlement_change
from portal import clock, outbox
from portal.models import AuditEntry, OutboundCall, User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.faults.way import deliver
from tests.flow import drain, submitted
from tests.people import make_staff

Call = OutboundCall.Status
FAULTS: dict[str, dict[str, Any]] = {
    "time-out": {"kind": "hang", "seconds": 5, "count": 2},
    "500": {"kind": "500_before", "count": 2},
    "409": {"kind": "409", "count": 1},
    "429": {"kind": "429", "seconds": 90, "count": 2},
    "200 nonsense": {"kind": "nonsense", "count": 2},
}
#: What the row says after the first attempt. A conflict is settled by reading where it took effect.
AFTER_FIRST = {
    "time-out": Call.UNKNOWN,
    "500": Call.UNKNOWN,
    "409": Call.UNKNOWN,
    "429": Call.QUEUED,
    "200 nonsense": Call.UNKNOWN,
}


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_the_settlement_call(
    box: SandboxProcess, customer_user: User, name: str, when: str
) -> None:
    application = submitted(customer_user)
    drain()
    deliver(box)
    analyst = make_staff("compliance_analyst")
    change = settlement_change(
        actor=analyst,
        application_id=application.pk,
        method="BAKKT_TPJ",
        reason="Agreed with the partner",
        source="page",
    )
    box.fault(operation="update_settlement", after_effect=when == "after", **FAULTS[name])
    outbox.perform(OutboundCall.objects.get(subject_id=change.pk).pk)

    call = OutboundCall.objects.get(subject_id=change.pk)
    there = bakkt_crypto().read_status(application.reference).settlement_method
    assert (there == "BAKKT_TPJ") == (when == "after")
    if name == "409" and when == "after":
        assert call.status == Call.SUCCEEDED
    else:
        assert call.status == AFTER_FIRST[name]
        assert SettlementChange.objects.get().status == SettlementChange.Status.SENDING
        assert Application.objects.get().settlement_method == ""

    moment = clock.now()
    for moves in range(8):
        with time_machine.travel(moment + timedelta(minutes=6) * moves):
            drain()
    assert OutboundCall.objects.get(subject_id=change.pk).status == Call.SUCCEEDED
    assert SettlementChange.objects.get().status == SettlementChange.Status.DONE
    assert Application.objects.get().settlement_method == "BAKKT_TPJ"
    assert bakkt_crypto().read_status(application.reference).settlement_method == "BAKKT_TPJ"
    assert AuditEntry.objects.filter(action="account.settlement_done").count() == 1
