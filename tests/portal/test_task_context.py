"""What a task writes carries the id of the request that asked for it."""

from typing import Any

import pytest
from celery import shared_task
from celery.app.trace import trace_task

from portal import audit, context
from portal.celery import app
from portal.models import AuditEntry

pytestmark = pytest.mark.django_db


@shared_task(name="tests.write")
def write(fail: bool = False) -> None:
    audit.record("test.written", subject=None)
    if fail:
        raise RuntimeError


def run(*, headers: dict[str, Any] | None = None, fail: bool = False) -> str:
    """Run the task as a worker does, with the message's headers in its request."""
    request = {"task": write.name, **(headers or {})}
    trace_task(write, "task-1", [], {"fail": fail}, request=request, app=app)
    return AuditEntry.objects.latest("id").request_id


def test_the_requests_id_travels() -> None:
    assert run(headers={"__django_structlog__": {"request_id": "req-7"}}) == "req-7"


@pytest.mark.parametrize("fail", [False, True])
def test_a_task_nobody_asked_for_bears_its_own_id_and_leaves_none_behind(fail: bool) -> None:
    assert run(fail=fail) == "task-1"
    assert context.current().request_id == ""
