"""The search of the audit trail: every filter, pages by key, the file of what matches, one entry with its seal."""

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from portal import audit, audit_search, clock
from portal.audit_forms import AuditFilterForm
from portal.context import acting
from portal.models import AuditEntry, Role, User
from portal.views import audit as pages
from tests.people import make_staff

pytestmark = pytest.mark.django_db
Signed = Callable[[User], Client]
LIST, CSV = reverse("audit:list"), reverse("audit:download")


@pytest.fixture
def auditor(db: None) -> User:
    return make_staff(Role.AUDITOR)


@pytest.fixture
def trail(customer_user: User, auditor: User) -> dict[str, AuditEntry]:
    """Entries that differ in one thing each."""
    analyst = make_staff(Role.COMPLIANCE_ANALYST)
    made = {}
    with time_machine.travel(clock.now() - timedelta(days=10)):
        made["old"] = audit.record("thing.done", subject=customer_user, actor=analyst, source="page")
    with acting(ip="192.0.2.7", request_id="req-1"):
        made["there"] = audit.record("thing.seen", subject=customer_user, actor=customer_user, source="api")
    with acting(ip="192.0.2.9", request_id="req-2"):
        made["itself"] = audit.record(
            "thing.came", subject=analyst, before={"a": 1, "tax_id": "x"}, after={"a": 2}, source="task"
        )
    return made


def found(actor: User, **query: str) -> set[str]:
    """The ids that an address with these filters shows."""
    return {str(row.pk) for row in audit_search.page(actor, AuditFilterForm(query).chosen()).rows}


def test_each_filter_finds_its_own(
    trail: dict[str, AuditEntry], customer_user: User, auditor: User, signed_in: Signed
) -> None:
    ids = {name: str(entry.pk) for name, entry in trail.items()}
    ours = lambda **query: {name for name, key in ids.items() if key in found(auditor, **query)}  # noqa: E731
    day = timedelta(days=1)
    assert ours() == {"old", "there", "itself"}
    assert ours(action="thing.seen") == {"there"}
    assert ours(who=str(customer_user.pk)) == {"there"}
    assert ours(who="portal") == {"itself"}
    assert ours(subject=str(customer_user.pk)) == {"old", "there"}
    assert ours(source="api") == {"there"}
    assert ours(address=ids["itself"]) == {"itself"}
    assert ours(request="req-1") == {"there"}
    assert ours(since=f"{clock.now() - day:%Y-%m-%d}") == {"there", "itself"}
    assert ours(until=f"{clock.now() - 2 * day:%Y-%m-%d}") == {"old"}
    assert ours(action="thing.seen", source="task") == set()
    assert ours(subject="PA-NONE-SUCH") == set()
    # What does not hold is left out and said beside its field.
    wrong = {"action": "no.such", "since": "yesterday", "address": "x", "who": "nobody"}
    assert ours(**wrong) == set(ids)
    assert signed_in(auditor).get(LIST, wrong).status_code == 200


def test_what_was_typed_becomes_filters_without_personal_data(
    trail: dict[str, AuditEntry], customer_user: User, auditor: User, signed_in: Signed
) -> None:
    client = signed_in(auditor)

    def sent_to(text: str) -> str:
        return client.post(reverse("audit:find"), {"text": text})["Location"]

    assert sent_to(customer_user.email.upper()) == f"{LIST}?who={customer_user.pk}"
    assert sent_to("192.0.2.7") == f"{LIST}?address={trail['there'].pk}"
    assert sent_to("req-2") == f"{LIST}?request=req-2"
    assert sent_to(str(customer_user.pk)) == f"{LIST}?subject={customer_user.pk}"
    assert [sent_to(text) for text in ("", "who@nowhere.test", "192.0.2.99", "CS-NONE-SUCH")] == [LIST] * 4


def test_pages_go_by_key_in_a_fixed_number_of_queries(
    auditor: User, signed_in: Signed, django_assert_max_num_queries: Any
) -> None:
    moment = clock.now()
    # Within one moment the id decides, so that nothing is shown twice or left out.
    for number in range(7):
        with time_machine.travel(moment + timedelta(seconds=number // 3), tick=False):
            audit.record("thing.paged", subject=None, actor=auditor, after={"n": number})
    chosen = audit_search.AuditFilter(action="thing.paged")
    first = audit_search.page(auditor, chosen, size=3)
    second = audit_search.page(auditor, chosen, size=3, after=first.older)
    last = audit_search.page(auditor, chosen, size=3, after=second.older)
    numbers = [[row.after["n"] for row in page.rows if row.after] for page in (first, second, last)]
    assert [number for part in numbers for number in part] == [6, 5, 4, 3, 2, 1, 0]
    assert [len(part) for part in numbers] == [3, 3, 1]
    assert not first.newer
    assert not last.older
    back = audit_search.page(auditor, chosen, size=3, before=last.newer)
    assert back.rows == second.rows
    assert audit_search.page(auditor, chosen, size=3, after="an old bookmark").rows == first.rows
    assert [row.pk for row in audit_search.each(audit_search.entries(auditor, chosen), 7, chunk=2)] == [
        row.pk for page in (first, second, last) for row in page.rows
    ]
    client = signed_in(auditor)
    client.get(LIST)
    with django_assert_max_num_queries(14) as few:
        client.get(LIST, {"subject": str(auditor.pk)})
    for _ in range(30):
        audit.record("thing.more", subject=auditor, actor=auditor)
    with django_assert_max_num_queries(len(few)):
        client.get(LIST, {"subject": str(auditor.pk)})


def test_the_file_of_what_matches(
    trail: dict[str, AuditEntry], auditor: User, signed_in: Signed, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit.record("thing.came", subject=None, actor=auditor, reason="=HYPERLINK(1)")
    client = signed_in(auditor)
    response = client.get(CSV, {"action": "thing.came"})
    rows = list(csv.DictReader(io.StringIO(response.getvalue().decode())))
    assert [row["reason"] for row in rows] == ["'=HYPERLINK(1)", ""]
    assert rows[1]["id"] == str(trail["itself"].pk)
    assert rows[1]["changes"] == "A: 1 → 2; Tax id: •••• → nothing"
    assert (rows[1]["ip"], rows[1]["request_id"], rows[1]["actor"]) == ("192.0.2.9", "req-2", "Portal")
    entry = AuditEntry.objects.get(action="audit.exported")
    assert (entry.actor, entry.after) == (auditor, {"filters": {"action": "thing.came"}})
    monkeypatch.setattr(pages, "MOST_IN_FILE", 1)
    lines = client.get(CSV, {"action": "thing.came"}).getvalue().decode().splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("There is more")


def test_an_entry_shows_before_and_after_masked_and_its_seal(
    trail: dict[str, AuditEntry], auditor: User, signed_in: Signed
) -> None:
    client, address = signed_in(auditor), reverse("audit:entry", args=[trail["itself"].pk])
    page = client.get(address)
    assert [
        (line["name"], line["before"], line["after"], line["changed"]) for line in page.context["values"]
    ] == [("A", "1", "2", True), ("Tax id", "••••", "", False)]
    assert "No seal holds it yet" in page.content.decode()
    audit.seal_pending()
    text = client.get(address).content.decode()
    place = audit_search.seal_place(trail["itself"])
    assert place is not None
    assert place.digest in text
    assert place.seal.digest in text
    assert client.get(reverse("audit:entry", args=[uuid4()])).status_code == 404


@pytest.mark.parametrize("role", [role for role in Role.values if role != Role.CUSTOMER])
def test_only_some_roles_see_it(role: str, signed_in: Signed, trail: dict[str, AuditEntry]) -> None:
    client = signed_in(make_staff(role))
    sees = role in {Role.COMPLIANCE_MANAGER, Role.AUDITOR, Role.ADMINISTRATOR}
    pages_asked = [LIST, CSV, reverse("audit:entry", args=[trail["old"].pk]), reverse("audit:checks")]
    assert [client.get(page).status_code for page in pages_asked] == [200 if sees else 403] * 4
    assert client.post(reverse("audit:find"), {"text": "req-1"}).status_code == (302 if sees else 403)
