"""What pages keep of what they drew shows nobody what another may see, nor what was true before."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.urls import reverse

from compliance.models import Case, ListColumns, Queue
from portal.models import User
from tests.compliance.conftest import opened

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
LIST = reverse("cases:list")


def queue(name: str, **given: list[str]) -> Queue:
    return Queue.objects.create(name=name, **given)


def test_readers_of_the_same_list_get_each_their_own(staff: Staff, signed_in: SignIn) -> None:
    open_to_analysts, of_managers = queue("All of us"), queue("Managers alone", seen_by=[], decided_by=[])
    seen, unseen = opened(), opened()
    Case.objects.filter(pk=seen.pk).update(queue=open_to_analysts)
    Case.objects.filter(pk=unseen.pk).update(queue=of_managers)
    pages = {}
    for role in ("compliance_manager", "compliance_analyst", "auditor", "compliance_manager"):
        reader = staff(role)
        User.objects.filter(pk=reader.pk).update(name=f"Reader {reader.pk.hex[-6:]}")
        client = signed_in(reader)
        html = client.get(LIST).content.decode()
        pages[reader.email] = html
        # Their own name and nobody else's; the token of their own session in every form that is sent.
        assert reader.email in html
        assert not [other for other in pages if other != reader.email and other in html]
        tokens = {part.split('"')[0] for part in html.split('name="csrfmiddlewaretoken" value="')[1:]}
        assert len(tokens) == 1
        if role != "auditor":
            strict = Client(enforce_csrf_checks=True, headers={"referer": "http://testserver/"})
            strict.cookies = client.cookies
            answer = strict.post(reverse("cases:away"), {"away": "no", "csrfmiddlewaretoken": tokens.pop()})
            assert answer.status_code == 302
        # What the role sees, and what it may do.
        assert seen.reference in html
        assert (unseen.reference in html) == (of_managers.name in html) == (role != "compliance_analyst")
        assert ('data-key="t"' in html) == (role != "auditor")
        assert ('name="bulk-to"' in html) == (role == "compliance_manager")


def test_a_change_shows_at_once(staff: Staff, signed_in: SignIn) -> None:
    manager, analyst = staff("compliance_manager"), staff("compliance_analyst")
    client, place, case = signed_in(analyst), queue("First name"), opened()
    Case.objects.filter(pk=case.pk).update(queue=place)
    before = client.get(LIST).content.decode()
    assert "First name" in before and "Urgent</span>" not in before
    Queue.objects.filter(pk=place.pk).update(name="Second name")
    Case.objects.filter(pk=case.pk).update(priority=Case.Priority.URGENT, subject_label="<b>Ana</b>")
    after = client.get(LIST).content.decode()
    assert "First name" not in after and "Second name" in after and "Urgent</span>" in after
    assert "&lt;b&gt;Ana&lt;/b&gt;" in after
    ListColumns.objects.create(user=analyst, columns=["news"])
    assert (
        "Second name"
        not in client.get(LIST).content.decode().partition("<tbody>")[2].partition("</tbody>")[0]
    )
    # The queue is closed to the role: its case and its name are gone with the next page.
    Queue.objects.filter(pk=place.pk).update(seen_by=[], decided_by=[])
    gone = client.get(LIST).content.decode()
    assert "Second name" not in gone and case.reference not in gone
    # The role is another: the next page is what it may see and do.
    User.objects.filter(pk=analyst.pk).update(role="auditor")
    assert 'data-key="t"' not in client.get(LIST).content.decode()
    assert case.reference in signed_in(manager).get(LIST).content.decode()
