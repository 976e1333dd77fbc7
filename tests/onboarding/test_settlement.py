"""Staff change how an open account settles: who may, what goes, and what our record says afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import services as onboarding_services
from onboarding.models import Application, SettlementChange
from onboarding.services.settlement import settlement_change, why_not_settlement
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.ids import new_id
from portal.models import AuditEntry, OutboundCall, User
from providers.clients import bakkt_crypto
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver, exchanges
from tests.flow import drain, submitted
from tests.onboarding import answers

Status = SettlementChange.Status
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]


def opened(box: SandboxProcess, user: User) -> Application:
    """An open account."""
    application = submitted(user)
    drain()
    deliver(box)
    return Application.objects.get(pk=application.pk)


def ask(actor: User, application: Application, method: str = "BAKKT_TPJ") -> SettlementChange:
    return settlement_change(
        actor=actor,
        application_id=application.pk,
        method=method,
        reason="Agreed with the partner",
        source="page",
    )


def now(change: SettlementChange) -> SettlementChange:
    return SettlementChange.objects.get(pk=change.pk)


def test_it_goes_through_the_outbox_and_our_record_follows(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    analyst = staff("compliance_analyst")
    change = ask(analyst, application)
    assert change.status == Status.SENDING
    assert not exchanges(box, "update_settlement")
    with pytest.raises(Conflict, match="on its way"):
        ask(analyst, application, "NET_SETTLEMENT")
    reasons = onboarding_services.why_not_update(Application.objects.get(pk=application.pk))
    assert reasons == ["Our staff are changing how the account settles. Wait until that is done."]
    drain()
    assert now(change).status == Status.DONE
    application.refresh_from_db()
    assert application.settlement_method == "BAKKT_TPJ"
    assert bakkt_crypto().read_status(application.reference).settlement_method == "BAKKT_TPJ"
    trail = AuditEntry.objects.filter(subject_id=application.pk, action__startswith="account.settlement")
    assert [row.action for row in trail.order_by("at")] == [
        "account.settlement",
        "account.settlement_done",
    ]
    with pytest.raises(Invalid, match="marked"):
        ask(analyst, application)
    # What is sent with the next change of details names the new method, and nothing else stands out.
    update = onboarding_services.update_request(
        actor=customer_user,
        application_id=application.pk,
        step="contact",
        answers=answers.CONTACT | {"phone": "+15125550177"},
        source="page",
    )
    drain()
    update.refresh_from_db()
    assert update.stopped_by == []


def test_a_good_answer_that_says_failed_changes_nothing_here(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
) -> None:
    application = opened(box, customer_user)
    # The provider's staff closed it, and our webhook is not here yet.
    box.api(
        "POST", f"accounts/{application.reference}/event", {"partyStatus": "CLOSED", "reasonCode": "CLOSED"}
    )
    change = ask(staff("compliance_manager"), application)
    drain()
    assert (now(change).status, now(change).problem) == (Status.REFUSED, "The provider answered: FAILED")
    application.refresh_from_db()
    assert application.settlement_method == ""


def test_who_may_and_when(customer_user: User, staff: Staff) -> None:
    application = submitted(customer_user)
    analyst = staff("compliance_analyst")
    for role in ("onboarding_agent", "funding_operator", "auditor", "administrator"):
        with pytest.raises(Forbidden):
            ask(staff(role), application)
    assert len(why_not_settlement(staff("auditor"), application)) == 2
    with pytest.raises(Conflict, match="once the account was opened"):
        ask(analyst, application)
    with pytest.raises(NotFound):
        settlement_change(
            actor=analyst, application_id=new_id(), method="BAKKT_TPJ", reason="A reason", source="page"
        )
    assert not SettlementChange.objects.exists()
    assert not OutboundCall.objects.filter(operation="bakkt.account.settlement").exists()


def test_the_page(
    box: SandboxProcess,
    customer_user: User,
    staff: Staff,
    signed_in: SignIn,
) -> None:
    application = opened(box, customer_user)
    path = reverse("staff:settlement", args=[application.pk])
    desk = signed_in(staff("compliance_analyst"))
    shown = desk.get(reverse("staff:application", args=[application.pk])).content.decode()
    assert path in shown
    assert "What the provider chose" in shown
    refused = desk.post(path, {"method": "OTHER", "reason": "x"})
    assert refused.status_code == 422
    assert desk.post(path, {"method": "BAKKT_TPJ", "reason": "Agreed with them"}).status_code == 302
    drain()
    done = desk.get(path).content.decode()
    assert "Done" in done
    assert "BAKKT_TPJ" in done
    timeline = desk.get(reverse("staff:application", args=[application.pk])).content.decode()
    assert "Change of the settlement method ended" in timeline
    watcher = signed_in(staff("auditor"))
    assert "Ask one of them" in watcher.get(path).content.decode()
    assert watcher.post(path, {"method": "NET_SETTLEMENT", "reason": "A reason"}).status_code == 403
    assert Client().get(path).status_code == 302
    assert signed_in(customer_user).get(path).status_code in {302, 403}


def test_a_company_s_details_change_after_its_checks_were_begun(customer_user: User) -> None:
    """What was sent last is the data set, not the call that began the checks."""
    from onboarding import payloads, update_jobs
    from onboarding.operations import KYB_TRIGGER, SAVE_ACCOUNT
    from portal import outbox
    from tests.onboarding import journeys

    application = journeys.entity(customer_user)
    onboarding_services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    account = account_of(application)
    wire: Any = payloads.account_request(account).to_wire()
    outbox.enqueue(
        operation=KYB_TRIGGER,
        subject=account,
        body={"account": account.client_account_id},
        actor=customer_user,
    )
    for call in OutboundCall.objects.filter(operation__in=[SAVE_ACCOUNT, KYB_TRIGGER]):
        OutboundCall.objects.filter(pk=call.pk).update(status=OutboundCall.Status.SUCCEEDED)
    sent = update_jobs.last_sent(account)
    assert sent is not None
    assert sent.to_wire() == wire
