"""Fetching a link under every fault of the call, and nothing of a link where it must not be."""

import json
from typing import Any

import pytest
from django.test import Client

from compliance.models import CaseFact
from onboarding.identity import checks, services
from onboarding.models import Application, IdentityCheck, IdentityLink
from portal.errors import Conflict, ProviderAway
from portal.models import AuditEntry, MailMessage, OutboundCall, StatusChange, User
from providers.models import CallLog, HostCircuit
from sandbox.testing import SandboxProcess
from tests.faults.way import later
from tests.onboarding.identity_support import (
    DETAILS,
    after,
    ask,
    asked_times,
    check_of,
    flagged,
    living,
    tick,
    url_of,
)
from tests.people import sign_in

Status = IdentityCheck.Status
#: The sandbox's fault, and what staff read of it afterwards. A refused token is tried once more, hence two.
AWAY: dict[str, tuple[dict[str, Any], str]] = {
    "time-out before": ({"kind": "hang", "seconds": 3}, "timeout"),
    "time-out after": ({"kind": "hang", "seconds": 3, "after_effect": True}, "timeout"),
    "reset before": ({"kind": "drop_before"}, "connection"),
    "reset after": ({"kind": "drop_after"}, "connection"),
    "500 before": ({"kind": "500_before"}, "(500)"),
    "500 after": ({"kind": "500_after"}, "(500)"),
    "502 html before": ({"kind": "502_html"}, "(502)"),
    "502 html after": ({"kind": "502_html", "after_effect": True}, "(502)"),
    "401": ({"kind": "401", "count": 2}, "(401)"),
    "401 after": ({"kind": "401", "count": 2, "after_effect": True}, "(401)"),
    "403": ({"kind": "403"}, "(403)"),
    "429": ({"kind": "429", "seconds": 120}, "(429)"),
    "429 after": ({"kind": "429", "seconds": 120, "after_effect": True}, "(429)"),
    "nonsense before": ({"kind": "nonsense", "after_effect": False}, "unreadable"),
    "nonsense after": ({"kind": "nonsense", "after_effect": True}, "unreadable"),
}


@pytest.fixture
def application(box: SandboxProcess, customer_user: User) -> Application:
    return flagged(box, customer_user)


@pytest.mark.parametrize("fault", AWAY)
def test_the_provider_is_away_and_nothing_is_spent(
    box: SandboxProcess,
    application: Application,
    fault: str,
) -> None:
    how, said = AWAY[fault]
    with after(box, application, hours=73):
        tick()
        box.fault(**{"operation": DETAILS, **how})
        with pytest.raises(ProviderAway) as refusal:
            ask(application)
        waits = refusal.value.retry_after
        assert waits == (120 if "429" in fault else 15)
        check = check_of(application)
        assert (check.status, check.expirations, check.failures) == (Status.EXPIRED, 1, 1)
        assert check.fetching_until is None
        assert said in check.problem, check.problem
        times = asked_times(box)
        with later(seconds=waits - 5), pytest.raises(ProviderAway):
            ask(application)
        assert asked_times(box) == times, "not before its time, however often the customer presses"
        HostCircuit.objects.all().delete()
        with later(seconds=waits + 1):
            assert ask(application).status == Status.AWAITING
        assert (living(application).number, check_of(application).problem) == (2, "")
    there = box.account(application.reference)["link"]
    assert (there["number"], there["url"]) == (2, url_of(application)), "a link nobody saw was not wasted"


@pytest.mark.parametrize(("run_out", "ends"), [(1, Status.EXPIRED), (3, Status.EXHAUSTED)])
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_a_refusal_is_final_only_after_three(
    box: SandboxProcess,
    application: Application,
    run_out: int,
    ends: str,
    is_after: bool,
) -> None:
    with after(box, application, hours=73):
        tick()
        IdentityCheck.objects.update(expirations=run_out)
        box.fault("409", DETAILS, after_effect=is_after)
        if ends == Status.EXHAUSTED:
            ask(application)
        else:
            with pytest.raises(Conflict, match="One of us looks"):
                ask(application)
        check = check_of(application)
        assert (check.status, check.expirations) == (ends, run_out)
        assert "(409)" in check.problem
        assert CaseFact.objects.filter(
            case__kind=checks.EXHAUSTED if ends == Status.EXHAUSTED else checks.CALL
        ).exists()


@pytest.mark.parametrize("fault", ["401", "403", "429", "500_before", "hang"])
def test_only_the_providers_no_ends_the_links(
    box: SandboxProcess,
    application: Application,
    fault: str,
) -> None:
    with after(box, application, hours=73):
        tick()
        IdentityCheck.objects.update(expirations=3)
        box.fault(fault, DETAILS, count=2, seconds=3)
        with pytest.raises(ProviderAway):
            ask(application)
        assert check_of(application).status == Status.EXPIRED


def test_the_pauses_grow_and_end(box: SandboxProcess, application: Application) -> None:
    waits = []
    box.fault("500_before", DETAILS, count=None)
    with after(box, application, hours=73):
        tick()
        for number in range(9):
            HostCircuit.objects.all().delete()
            with later(hours=number), pytest.raises(ProviderAway) as refusal:
                ask(application)
            waits.append(refusal.value.retry_after)
    assert waits == [15, 30, 60, 120, 240, 480, 900, 900, 900]


def test_a_worker_that_died_blocks_nobody_for_long(box: SandboxProcess, application: Application) -> None:
    with after(box, application, hours=73):
        tick()
        box.fault("delay", DETAILS, seconds=0.1)
        from onboarding.identity import renewal
        from portal import clock

        IdentityCheck.objects.update(fetching_until=clock.now() + renewal.CLAIM)
        with pytest.raises(Conflict, match="being fetched"):
            ask(application)
        with later(seconds=41):
            assert ask(application).status == Status.AWAITING


def test_nothing_of_a_link_is_where_it_must_not_be(
    box: SandboxProcess,
    application: Application,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    staff: Any,
) -> None:
    """Logs, audit, status changes, call log, outbox, cases, letters, tasks' arguments (which are logged), pages."""
    customer, urls, seen = application.customer.user, [url_of(application)], []
    client, desk = sign_in(Client(), customer), sign_in(Client(), staff("compliance_manager"))
    base = f"/applications/{application.pk}"
    api = f"/api/v1/applications/{application.pk}"

    def look() -> None:
        for path in (f"{base}/", f"{base}/status/", f"{base}/identity-check/", api, f"{api}/identity-check"):
            seen.append(client.get(path).content.decode())
        seen.append(client.post(f"{base}/identity-check/phone/").content.decode())
        seen.append(desk.get(f"/staff/applications/{application.pk}/").content.decode())

    look()
    out = client.post(f"{base}/identity-check/open/")
    assert (out.status_code, out["Location"]) == (303, urls[0])
    with after(box, application, hours=73):
        tick()
        client, desk = sign_in(Client(), customer), sign_in(Client(), staff("compliance_manager"))
        box.fault("nonsense", DETAILS)
        look()
        client.post(f"{base}/identity-check/new/")
        look()
        with later(seconds=20):
            client.post(f"{base}/identity-check/new/")
            urls.append(url_of(application))
            look()
            token = services.handoff_make(actor=customer, application_id=application.pk, source="page")
            seen.append(Client().get(f"/applications/continue-check/{token}/").content.decode())
            out = Client().post(f"/applications/continue-check/{token}/")
            assert (out.status_code, out["Location"]) == (303, urls[1])
            assert out["Referrer-Policy"] == "no-referrer"
        with later(hours=61):
            tick()
    rows: list[Any] = []
    for model in (AuditEntry, StatusChange, CallLog, OutboundCall, CaseFact, IdentityLink, IdentityCheck):
        rows += model.objects.values()  # type: ignore[attr-defined]
    letters = [row.content.reveal() for row in MailMessage.objects.all()]
    heard = capfd.readouterr()
    everything = "\n".join([*seen, str(rows), json.dumps(letters), heard.out, heard.err, caplog.text])
    assert "identity_check.opened" in everything
    for url in urls:
        assert url.rpartition("/")[2] not in everything
    assert token not in heard.out + heard.err + caplog.text + str(rows)
