"""One customer's way, from the first answer to a revealed number, with values that must be found nowhere else: not in
logs, addresses, task arguments, audit entries or pages of faults."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from celery import current_app
from celery.signals import before_task_publish
from django.db import connection
from django.test import Client
from django.urls import reverse

from onboarding import services
from onboarding.models import Application, Owner
from onboarding.views import steps
from portal import logs
from portal.models import AuditEntry, User
from tests.flow import drain, publish_agreements
from tests.onboarding.test_pages_customer import step_url, typed

SignIn = Callable[[User], Client]
NUMBER, BORN, PHONE, STREET, NAME = (
    "536-73-4455",
    "1971-03-09",
    "512 555 0163",
    "77 Hollowbrook Lane",
    "Quetzalina",
)
#: In every form that a log could print them.
PLANTED = (
    NUMBER,
    NUMBER.replace("-", ""),
    BORN,
    "March 9, 1971",
    PHONE,
    PHONE.replace(" ", ""),
    STREET,
    NAME,
)


@pytest.fixture(params=["json", "console"])
def lines(request: pytest.FixtureRequest, settings: Any) -> Iterator[io.StringIO]:
    """What the configured handler writes."""
    out = io.StringIO()
    config = logs.logging_config(request.param)
    config["handlers"]["out"]["stream"] = out
    logs.configure(config)
    yield out
    logs.configure(settings.LOGGING)


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """The bodies of the tasks that are sent."""
    found: list[str] = []

    def keep(body: Any = None, **_: Any) -> None:
        found.append(json.dumps(body, default=str))

    before_task_publish.connect(keep, weak=False)
    yield found
    before_task_publish.disconnect(keep)


@pytest.mark.django_db(transaction=True)
def test_a_journey_leaves_personal_data_nowhere_but_where_it_is_kept(
    customer_user: User,
    staff: Callable[[str], User],
    signed_in: SignIn,
    lines: io.StringIO,
    sent: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish_agreements()
    application = services.application_start(actor=customer_user, source="page")
    client = signed_in(customer_user)
    addresses: list[str] = []
    identity = {"given_name": NAME, "date_of_birth": BORN, "tax_id": NUMBER}
    for step, changed in (
        ("identity", identity | {"tax_id": "not a number"}),
        ("identity", identity),
        ("contact", {"phone": PHONE}),
        ("address", {"home_line1": STREET}),
        ("employment", {}),
        ("investment", {}),
    ):
        answer = client.post(step_url(application, step), typed(step, **changed))
        addresses.append(answer.headers.get("Location", ""))
    assert Owner.objects.get(application=application).tax_id is not None

    # A fault in the middle: neither its page nor its log tells.
    def breaks(*_: Any, **__: Any) -> None:
        raise RuntimeError(f"cannot save tax_id={NUMBER} born={BORN}")

    with monkeypatch.context() as broken:
        broken.setattr(steps.services, "step_save", breaks)
        fault = Client(raise_request_exception=False)
        fault.cookies = client.cookies
        answer = fault.post(step_url(application, "identity"), typed("identity", version=1, **identity))
        assert answer.status_code == 500
        assert not any(value in answer.content.decode() for value in PLANTED)

    application = Application.objects.get(pk=application.pk)
    desk = signed_in(staff("compliance_analyst"))
    where = reverse("reveals:reveal", args=["onboarding.owner.tax_id", application.owners.get().pk])
    addresses.append(desk.post(where, {"reason": f"Compared {NUMBER} on the phone"}).url)
    assert NUMBER.replace("-", "") in desk.get(addresses[-1]).content.decode().replace("-", "")
    drain()
    current_app.send_task("portal.tasks.queue_heartbeat", args=["default"])

    text = lines.getvalue()
    assert "request_finished" in text and sent
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM portal_auditentry e")
        trail = "\n".join(row[0] for row in cursor.fetchall())
    assert AuditEntry.objects.filter(action="pii.reveal").count() == 1
    for place, found in (
        ("logs", text),
        ("addresses", "\n".join(addresses)),
        ("tasks", "\n".join(sent)),
        ("audit trail", trail),
    ):
        assert not [value for value in PLANTED if value in found], place
