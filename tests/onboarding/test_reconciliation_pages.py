"""The operations page of reconciliation, per role."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onboarding.models import ReconciliationRun
from portal import clock
from portal.models import AuditEntry, User

Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
HOME = "/staff/operations/reconciliation/"
VIEWERS = {
    "onboarding_agent",
    "compliance_analyst",
    "compliance_manager",
    "funding_operator",
    "auditor",
    "administrator",
}
RUNNERS = {"compliance_manager", "funding_operator", "administrator"}


def ended(**counts: int) -> ReconciliationRun:
    run = ReconciliationRun.objects.create(finished_at=clock.now(), expected=10, **counts)
    run.move_to("finished", actor=None)
    return run


def test_anonymous_and_customers_do_not_see_it(
    client: Client, customer_user: User, signed_in: SignIn
) -> None:
    assert client.get(HOME).status_code == 302
    assert signed_in(customer_user).get(HOME).status_code == 403


def test_each_role_sees_and_does_what_it_may(staff: Staff, signed_in: SignIn) -> None:
    for role in sorted(VIEWERS):
        browser = signed_in(staff(role))
        page = browser.get(HOME)
        assert page.status_code == 200
        assert ("Run now" in page.content.decode()) == (role in RUNNERS)
        assert browser.get(f"{HOME}list/").status_code == (200 if role in RUNNERS else 403)
        assert browser.post(f"{HOME}now/").status_code == (302 if role in RUNNERS else 403)
    assert ReconciliationRun.objects.count() == 1


def test_run_now_twice_says_so(staff: Staff, signed_in: SignIn) -> None:
    browser = signed_in(staff("administrator"))
    browser.post(f"{HOME}now/")
    assert "running already" in browser.post(f"{HOME}now/", follow=True).content.decode()
    assert AuditEntry.objects.filter(action="reconciliation.start").count() == 1


def test_the_page_shows_the_last_night_and_its_history(staff: Staff, signed_in: SignIn) -> None:
    ended(agree=7, differ=2, missing=1)
    ended(agree=9, not_answered=1)
    page = signed_in(staff("auditor")).get(HOME).content.decode()
    assert "Accounts that differ, by night" in page
    assert "Not answered" in page


@pytest.mark.parametrize(
    ("content", "status", "words"),
    [
        (b"ref,status\nx,ACTIVE\n", 302, ""),
        (b"name\nx\n", 422, "Call it clientAccountId"),
        (b"\xff\xfe\x00", 422, "UTF-8"),
        (b"", 422, "The file is empty"),
    ],
    ids=["good", "no-column", "not-utf8", "empty"],
)
def test_uploading(staff: Staff, signed_in: SignIn, content: bytes, status: int, words: str) -> None:
    browser = signed_in(staff("administrator"))
    answer = browser.post(f"{HOME}list/", {"file": SimpleUploadedFile("list.csv", content)})
    assert answer.status_code == status
    assert words in answer.content.decode()


def test_the_number_of_queries_does_not_grow(staff: Staff, signed_in: SignIn) -> None:
    browser = signed_in(staff("compliance_manager"))
    counted = []
    for more in (2, 12):
        for _ in range(more):
            ended(agree=1)
        browser.get(HOME)
        with CaptureQueriesContext(connection) as asked:
            browser.get(HOME)
        counted.append(len(asked))
    assert counted[0] == counted[1]
