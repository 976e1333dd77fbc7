"""The dashboard's numbers of applications: how far they come, and what the provider said."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client

from compliance import figures, jobs
from compliance.panels import Asked, Content
from compliance.sums import Period
from onboarding import funnel, services
from onboarding.models import Application
from portal import clock
from portal.models import User
from tests.flow import complete_draft, submitted
from tests.onboarding import answers
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Status = Application.Status


def begun(*steps: str) -> Application:
    user = make_customer_user()
    application = services.application_start(actor=user, source="page")
    for step in steps:
        services.step_save(
            actor=user, application_id=application.pk, step=step, answers=answers.STEPS[step], source="page"
        )
    return application


def told(verdict: str) -> Application:
    application = submitted(make_customer_user())
    application.move_to(verdict, actor=None)
    return application


def asked(actor: User) -> Asked:
    today = clock.today()
    return Asked(actor, Period.of(today - timedelta(days=6), today, ""))


def table(content: Content) -> dict[str, list[str]]:
    return {row[0].text: [cell.text for cell in row[1:]] for row in content.table.rows}


def test_who_came_how_far_and_who_they_are(
    staff: Callable[[str], User], signed_in: Callable[[User], Client]
) -> None:
    manager = staff("compliance_manager")
    with time_machine.travel(datetime(2026, 9, 14, 13, tzinfo=UTC), tick=False) as traveller:
        begun()
        begun()
        contact = begun("identity", "contact")
        complete_draft(make_customer_user())
        approved = told(Status.APPROVED)
        told(Status.REJECTED)
        traveller.shift(timedelta(days=1))
        answered = asked(manager)
        live = funnel.funnel(answered)
        assert table(live) == {
            "Individual: Begun": ["6", "100.0 %", "2"],
            "Individual: Identity": ["4", "66.7 %", "0"],
            "Individual: Contact": ["4", "66.7 %", "1"],
            "Individual: Address": ["3", "50.0 %", "0"],
            "Individual: Employment": ["3", "50.0 %", "0"],
            "Individual: Investing": ["3", "50.0 %", "0"],
            "Individual: Trusted contact": ["3", "50.0 %", "0"],
            "Individual: Agreements": ["3", "50.0 %", "1"],
            "Individual: Handed in": ["2", "33.3 %", "1"],
            "Individual: Approved": ["1", "16.7 %", "1"],
        }
        verdicts = funnel.verdicts(answered)
        assert [row[2].text for row in verdicts.table.rows] == ["1", "1"]
        # Kept, the numbers are the same, and who goes on later moves in them.
        jobs.figures_count()
        assert not figures.uncounted("onboarding", answered.period.first, clock.today() - timedelta(days=1))
        assert (funnel.funnel(asked(manager)), funnel.verdicts(asked(manager))) == (live, verdicts)
        client = signed_in(manager)
        for content in (live, verdicts):
            for row in content.table.rows:
                for cell in row:
                    if cell.url:
                        rows = client.get(cell.url).context["rows"]
                        assert len(rows) == int(cell.text), row
        stopped = client.get(live.table.rows[2][3].url)
        assert [row["application"].pk for row in stopped.context["rows"]] == [contact.pk]
        assert "Stopped at: Contact" in stopped.content.decode()
        address = answers.STEPS["address"]
        services.step_save(
            actor=contact.customer.user,
            application_id=contact.pk,
            step="address",
            answers=address,
            source="page",
        )
        assert table(funnel.funnel(asked(manager)))["Individual: Address"][2] == "0"
        traveller.shift(timedelta(days=1))
        jobs.figures_count()
        assert table(funnel.funnel(asked(manager)))["Individual: Address"][2] == "1"
        client = signed_in(manager)
        query = f"first=2026-09-14&last=2026-09-14&verdict={Status.APPROVED}"
        rows = client.get(f"/staff/applications/behind/?{query}").context["rows"]
        assert [row["application"].pk for row in rows] == [approved.pk]
        for query in ("", "first=x&last=2026-01-01", "first=2026-01-01&last=2026-01-02&stage=99"):
            assert client.get(f"/staff/applications/behind/?{query}").status_code == 404


def test_the_list_is_for_those_who_see_applications(
    customer_user: User, signed_in: Callable[[User], Client], roles: list[str], staff: Callable[[str], User]
) -> None:
    address = "/staff/applications/behind/?first=2026-01-01&last=2026-01-02"
    assert signed_in(customer_user).get(address).status_code == 403
    assert Client().get(address).status_code == 302
    seen: dict[str, Any] = {
        role: signed_in(staff(role)).get(address).status_code for role in roles if role != "customer"
    }
    assert set(seen.values()) == {200}
