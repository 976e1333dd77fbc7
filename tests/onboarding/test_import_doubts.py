"""Rows with somebody else's name and birth date: shown side by side and masked, and what staff say of them."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onboarding.imports import doubts, services, undo
from onboarding.models import Application, ImportBatch, ImportRow
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.models import AuditEntry, User
from tests.flow import complete_draft
from tests.onboarding.imports_support import as_csv, checked, imported, person, upload, worked

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignedIn = Callable[[User], Client]
SAME = {"First Name": "Ana", "Last Name": "Ortiz Same", "DOB": "1980-01-01"}


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


def doubtful(manager: User, number: int = 2) -> ImportBatch:
    """A checked file of people who all look alike: all but the first are in doubt."""
    return checked(manager, upload(manager, as_csv([person(at, **SAME) for at in range(number)])))


def say(manager: User, batch: ImportBatch, verdict: str, number: int = 2) -> ImportRow:
    row = batch.rows.get(number=number)
    return doubts.doubt_decide(
        actor=manager, batch_id=batch.pk, row_id=row.pk, verdict=verdict, source="page"
    )


def test_the_page_shows_both_masked_and_what_differs(
    manager: User, customer_user: User, signed_in: SignedIn
) -> None:
    there = complete_draft(
        customer_user, given_name="Ana", family_name="Ortiz Same", date_of_birth="1980-01-01"
    )
    batch = checked(manager, upload(manager, as_csv([person(1, **SAME), person(2)])))
    page = signed_in(manager)
    assert "1 row has the name and birth date" in page.get(f"/staff/imports/{batch.pk}/").content.decode()
    shown = page.get(f"/staff/imports/{batch.pk}/doubts/").content.decode()
    assert there.reference in shown and f"/staff/applications/{there.pk}/" in shown
    assert "a•••@import.example" in shown and "•••-••-" in shown and "A••• O••• S•••" in shown
    for secret in ("ana1@import.example", "1980", "501-10-1001", "Ortiz", "100 Sample"):
        assert secret not in shown, secret
    [item] = page.get(f"/staff/imports/{batch.pk}/doubts/").context["items"]
    words = {label: word for label, _, _, word in item["others"][0]["rows"]}
    assert words["E-mail"] == "differs" and words["Place"] == "same"


def test_left_out_before_the_import_and_taken_back(manager: User) -> None:
    batch = doubtful(manager, 3)
    assert doubts.undecided(batch) == 2
    row = say(manager, batch, "same")
    batch.refresh_from_db()
    assert (row.state, batch.rows_wrong, batch.rows_right) == ("wrong", 1, 2)
    say(manager, batch, "left_out")
    batch.refresh_from_db()
    assert batch.rows_wrong == 1
    say(manager, batch, "other")
    batch.refresh_from_db()
    row.refresh_from_db()
    assert (row.state, row.errors, batch.rows_wrong) == ("ready", {}, 0)
    say(manager, batch, "same", 3)
    assert doubts.undecided(batch) == 0
    batch = imported(manager, ImportBatch.objects.get(pk=batch.pk))
    assert (batch.rows_imported, batch.rows_wrong) == (2, 1)
    assert Application.objects.filter(batch=batch).count() == 2
    told = AuditEntry.objects.filter(action="import.doubt").order_by("pk")
    assert [(entry.after or {})["verdict"] for entry in told] == ["same", "left_out", "other", "same"]
    with pytest.raises(Conflict, match="left out of the import"):
        say(manager, batch, "other", 3)


def test_after_the_import_the_draft_is_withdrawn(manager: User) -> None:
    batch = imported(manager, doubtful(manager, 3))
    say(manager, batch, "same")
    application = Application.objects.get(import_row__number=2)
    assert application.status == "withdrawn"
    with pytest.raises(Conflict, match="withdrawn already"):
        say(manager, batch, "other")
    Application.objects.filter(import_row__number=3).update(status="submitted")
    with pytest.raises(Conflict, match="handed in already"):
        say(manager, batch, "left_out", 3)
    say(manager, batch, "other", 3)
    # A draft that staff withdrew does not stand in the way of taking the import back.
    Application.objects.filter(import_row__number=3).update(status="draft")
    assert undo.why_not(batch) == []
    services.batch_undo(actor=manager, batch_id=batch.pk, reason="Wrong file", source="page")
    worked(batch)
    assert not Application.objects.filter(batch=batch).exists()


def test_other_columns_are_another_question(manager: User) -> None:
    batch = doubtful(manager)
    say(manager, batch, "same")
    batch = checked(manager, ImportBatch.objects.get(pk=batch.pk))
    row = batch.rows.get(number=2)
    assert (row.verdict, row.state, batch.rows_wrong) == ("", "ready", 0)
    assert doubts.undecided(batch) == 1


def test_who_may_decide_and_what(
    manager: User, staff: Staff, signed_in: SignedIn, customer_user: User
) -> None:
    batch = doubtful(manager)
    row = batch.rows.get(number=2)
    path = f"/staff/imports/{batch.pk}/doubts/"
    for role in ("auditor", "compliance_analyst", "onboarding_agent", "funding_operator"):
        client = signed_in(staff(role))
        assert client.get(path).status_code == (200 if role == "auditor" else 403)
        assert client.post(f"{path}{row.pk}/", {"verdict": "same"}).status_code == 403
        with pytest.raises(Forbidden):
            say(staff(role), batch, "same")
    assert "Somebody else</button>" not in signed_in(staff("auditor")).get(path).content.decode()
    assert signed_in(customer_user).get(path).status_code == 403
    assert Client().get(path).status_code == 302
    with pytest.raises(Invalid):
        say(manager, batch, "twins")
    with pytest.raises(NotFound):
        say(manager, batch, "same", 1)
    page = signed_in(manager)
    assert page.post(f"{path}{row.pk}/", {"verdict": "x\x00"}).status_code == 302
    assert page.post(f"{path}{batch.pk}/", {"verdict": "same"}).status_code == 404
    row.refresh_from_db()
    assert row.verdict == ""
    page.post(f"{path}{row.pk}/", {"verdict": "other"})
    assert "Nothing to decide" in page.get(path).content.decode()
    assert "Somebody else" in page.get(f"{path}?show=all").content.decode()


def test_the_list_is_paged_at_a_constant_cost(manager: User, signed_in: SignedIn) -> None:
    batch = doubtful(manager, 40)
    path = f"/staff/imports/{batch.pk}/doubts/"
    page = signed_in(manager)
    first = page.get(path)
    assert [item["row"].number for item in first.context["items"]] == list(range(2, 27))
    with CaptureQueriesContext(connection) as many:
        page.get(path)
    second = page.get(f"{path}{first.context['newer']}")
    assert [item["row"].number for item in second.context["items"]] == list(range(27, 41))
    for number in range(3, 41):
        say(manager, batch, "other", number)
    with CaptureQueriesContext(connection) as few:
        assert len(page.get(path).context["items"]) == 1
    assert len(many) == len(few)
