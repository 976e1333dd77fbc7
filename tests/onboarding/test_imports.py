"""An import from the file to the customers: dry run, import, a crash in the middle, two workers, undo."""

import re
import threading
from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection, connections
from django.utils import timezone

from onboarding import completeness, drafts
from onboarding import services as onboarding
from onboarding.imports import jobs, making, services
from onboarding.models import (
    Address,
    Application,
    Customer,
    Employment,
    ImportBatch,
    ImportRow,
    InvestmentProfile,
    Owner,
)
from portal.errors import Conflict, Forbidden, Invalid
from portal.models import AuditEntry, User
from tests.onboarding.imports_support import as_csv, checked, imported, person, upload, worked
from tests.people import make_customer_user

Staff = Callable[[str], User]
Status = ImportBatch.Status


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


#: Fifty ways to be wrong: (question that is told, columns changed).
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("given_name", {"First Name": ""}),
    ("given_name", {"First Name": "  "}),
    ("given_name", {"First Name": "4na"}),
    ("given_name", {"First Name": "x" * 101}),
    ("given_name", {"First Name": "Ana\x07"}),
    ("given_name", {"First Name": "=1+1"}),
    ("given_name", {"First Name": "😀"}),
    ("given_name", {"First Name": "<b>Ana</b>"}),
    ("given_name", {"First Name": "Ana\u202eevil"}),
    ("family_name", {"Last Name": ""}),
    ("family_name", {"Last Name": "-"}),
    ("family_name", {"Last Name": "O;rtiz"}),
    ("family_name", {"Last Name": "x" * 10_000}),
    ("date_of_birth", {"DOB": ""}),
    ("date_of_birth", {"DOB": "04/17/1988"}),
    ("date_of_birth", {"DOB": "1988-02-30"}),
    ("date_of_birth", {"DOB": "2999-01-01"}),
    ("date_of_birth", {"DOB": "1700-01-01"}),
    ("date_of_birth", {"DOB": "2020-01-01"}),
    ("date_of_birth", {"DOB": "soon"}),
    ("tax_id_type", {"tax_id_type": ""}),
    ("tax_id_type", {"tax_id_type": "EIN"}),
    ("tax_id_type", {"tax_id_type": "NATIONAL_ID"}),
    ("tax_id", {"SSN": ""}),
    ("tax_id", {"SSN": "000-12-3456"}),
    ("tax_id", {"SSN": "666-12-3456"}),
    ("tax_id", {"SSN": "912-12-3456"}),
    ("tax_id", {"SSN": "536-22"}),
    ("tax_id", {"SSN": "٥٣٦٢٢١٢٣٤"}),
    ("tax_id", {"SSN": "9" * 400}),
    ("email", {"Email": ""}),
    ("email", {"Email": "nobody"}),
    ("email", {"Email": "a@b@c.example"}),
    ("email", {"Email": "x" * 300 + "@a.example"}),
    ("phone", {"Mobile": "12"}),
    ("phone", {"Mobile": "call me"}),
    ("phone", {"Mobile": "+99999999999999999999"}),
    ("phone", {"Mobile": ""}),
    ("home_line1", {"Street": ""}),
    ("home_line1", {"Street": "P.O. Box 7"}),
    ("home_city", {"City": ""}),
    ("home_state", {"State": "ZZ"}),
    ("home_state", {"State": ""}),
    ("home_postal_code", {"Zip": "787"}),
    ("home_country", {"Country": "Atlantis"}),
    ("situation", {"Situation": "EMPLOYED_BUT_NOT"}),
    ("situation", {"Situation": ""}),
    ("investment_objective", {"investment_objective": "RICHES"}),
    ("annual_income_range", {"annual_income_range": ""}),
    ("client_account_id", {"Account Number": "x" * 33}),
]


def test_a_thousand_rows_of_which_fifty_are_wrong_in_different_ways(manager: User) -> None:
    assert len(WRONG) == 50
    rows = [person(number) for number in range(1000)]
    told = {}
    for place, (question, changes) in enumerate(WRONG):
        at = place * 20 + 7
        rows[at] |= changes
        told[at + 1] = question

    batch = checked(manager, upload(manager, as_csv(rows)))

    assert (batch.status, batch.rows_total, batch.rows_done, batch.rows_wrong) == ("checked", 1000, 1000, 50)
    wrong = {row.number: row.errors for row in batch.rows.filter(state="wrong")}
    assert {number: set(errors) & {told[number]} for number, errors in wrong.items()} == {
        number: {question} for number, question in told.items()
    }
    assert all(
        sentence.endswith((".", "?"))
        for errors in wrong.values()
        for found in errors.values()
        for sentence in found
    )
    assert not Customer.objects.exists() and not Application.objects.exists()

    batch = imported(manager, batch)

    assert (batch.status, batch.rows_imported, batch.rows_wrong) == ("imported", 950, 50)
    assert Application.objects.filter(batch=batch, status="draft").count() == 950
    assert InvestmentProfile.objects.count() == Employment.objects.count() == Address.objects.count() == 950


def test_what_a_row_says_is_kept_as_if_the_customer_had_answered(manager: User) -> None:
    row = person(
        7,
        Situation="EMPLOYED",
        **{
            "employer_name": "Sample Works LLC",
            "position": "Analyst",
            "employer_line1": "1 Works Avenue",
            "employer_city": "Austin",
            "employer_state": "TX",
            "employer_postal_code": "78702",
            "employer_country": "US",
            "contact_given_name": "Leo",
            "contact_family_name": "Ortiz",
            "mailing_line1": "PO Box 1",
            "mailing_city": "Austin",
            "mailing_state": "TX",
            "mailing_postal_code": "78701",
            "mailing_country": "USA",
        },
    )
    batch = imported(manager, checked(manager, upload(manager, as_csv([row]))))

    application = Application.objects.get(batch=batch)
    owner = drafts.applicant_of(application)
    user = application.customer.user
    assert (user.role, user.has_usable_password(), user.email) == ("customer", False, "ana7@import.example")
    assert EmailAddress.objects.get(user=user).verified
    assert application.client_account_id == "OLD-000007"
    assert owner.tax_id is not None and owner.tax_id.reveal() == "501101007"
    assert owner.person_index == Owner.person_hash("Ana", "Ortiz h", owner.date_of_birth.reveal())
    assert owner.phone == "+15125550142"
    assert {address.kind for address in owner.addresses.all()} == {"residential", "mailing", "employer"}
    states = {state.step.name: state for state in completeness.step_states(application)}
    assert {key.partition(".")[0] for key in completeness.missing(list(states.values()))} <= {"agreements"}
    assert states["trusted_contact"].version == 1
    # The draft can be changed as any other.
    onboarding.step_save(
        actor=user,
        application_id=application.pk,
        step="contact",
        answers={"email": "ana7@import.example", "phone": "512 555 0143"},
        source="page",
    )


def test_the_raw_row_is_sealed_and_forgotten_once_imported(manager: User) -> None:
    batch = upload(manager, as_csv([person(1), person(2, SSN="")]))
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(encode(cells, 'escape'), '') FROM onboarding_importrow")
        assert "Ortiz" not in cursor.fetchone()[0]
    batch = imported(manager, checked(manager, batch))
    assert [row.cells is None for row in batch.rows.order_by("number")] == [True, False]
    assert not re.search("536-?22", str(AuditEntry.objects.values_list("after", flat=True)))


# --- Twice --------------------------------------------------------------------------------------------------


def test_the_same_person_twice_in_the_file(manager: User) -> None:
    rows = [
        person(1),
        person(2, SSN=person(1)["SSN"].replace("-", " ")),
        person(3, Email="ANA1@import.example"),
        person(4, **{"Account Number": "OLD-000001"}),
        person(5, **{"Last Name": person(1)["Last Name"].upper(), "DOB": person(1)["DOB"]}),
    ]
    batch = checked(manager, upload(manager, as_csv(rows)))
    found = list(batch.rows.order_by("number"))
    assert [row.state for row in found] == ["ready", "wrong", "wrong", "wrong", "ready"]
    assert found[1].errors == {"tax_id": ["Same tax number as row 1."]}
    assert found[2].errors == {"email": ["Same e-mail address as row 1."]}
    assert found[3].errors == {"client_account_id": ["Same account number as row 1."]}
    assert found[4].doubts == ["Same name and birth date as row 1."]


def test_who_is_with_us_already(manager: User, customer_user: User) -> None:
    first = imported(manager, checked(manager, upload(manager, as_csv([person(1)]))))
    reference = Application.objects.get(batch=first).reference
    rows = [
        person(1, Email="b@import.example", **{"Account Number": "B"}),
        person(2, Email=customer_user.email.upper()),
        person(3, **{"Account Number": "OLD-000001"}),
        person(4, **{"Account Number": reference}),
        person(5, **{"Last Name": person(1)["Last Name"], "DOB": person(1)["DOB"]}),
    ]
    found = list(checked(manager, upload(manager, as_csv(rows))).rows.order_by("number"))
    assert found[0].errors == {"tax_id": [f"Same tax number as {reference}."]}
    assert found[1].errors == {"email": ["Somebody signs in with this address already."]}
    assert (
        found[2].errors
        == found[3].errors
        == {"client_account_id": ["Another account has this number already."]}
    )
    assert found[4].state == "ready"
    assert found[4].doubts == [
        "Same name and birth date as row 1.",
        f"Same name and birth date as {reference}.",
    ]


def test_who_signed_up_between_dry_run_and_import_is_left_out(manager: User) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1), person(2)])))
    User.objects.create_user("ana1@import.example")
    batch = imported(manager, batch)
    assert (batch.rows_imported, batch.rows_wrong) == (1, 1)
    assert batch.rows.get(number=1).errors == {"email": ["Somebody signs in with this address already."]}


# --- Crashes and workers ------------------------------------------------------------------------------------


def test_a_crash_in_the_middle_doubles_nobody(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 10)
    batch = checked(manager, upload(manager, as_csv([person(number) for number in range(35)])))
    services.batch_import(actor=manager, batch_id=batch.pk, source="page")
    jobs.advance(batch.pk)
    write = making.Made.write

    def breaks(made: making.Made) -> None:
        write(made)
        raise RuntimeError("the worker was killed")

    monkeypatch.setattr(making.Made, "write", breaks)
    with pytest.raises(RuntimeError):
        jobs.work(batch.pk)
    batch.refresh_from_db()
    assert (batch.status, batch.rows_imported) == ("failed", 10)
    assert "RuntimeError" in batch.problem and "killed" not in batch.problem
    assert Application.objects.count() == Customer.objects.count() == 10

    monkeypatch.setattr(making.Made, "write", write)
    services.batch_resume(actor=manager, batch_id=batch.pk, source="page")
    batch = worked(batch)
    assert (batch.status, batch.rows_imported, batch.rows_done) == ("imported", 35, 35)
    assert Application.objects.count() == User.objects.filter(role="customer").count() == 35


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_double_nobody(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "CHUNK", 5)
    batch = checked(manager, upload(manager, as_csv([person(number) for number in range(60)])))
    services.batch_import(actor=manager, batch_id=batch.pk, source="page")
    meet = threading.Barrier(3)

    def worker() -> None:
        meet.wait(10)
        for _ in range(200):
            jobs.advance(batch.pk)
        connections.close_all()

    threads = [threading.Thread(target=worker) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    batch = worked(batch)
    assert (batch.status, batch.rows_imported, Application.objects.count()) == ("imported", 60, 60)


def test_a_lost_worker_is_rung_for_again(manager: User, monkeypatch: pytest.MonkeyPatch) -> None:
    batch = upload(manager, as_csv([person(1)]))
    services.batch_check(
        actor=manager, batch_id=batch.pk, mapping=batch.mapping, grace_until=None, source="page"
    )
    rung: list[Any] = []
    monkeypatch.setattr(jobs, "ring", lambda task, row_id, queue: rung.append((task, row_id, queue)))
    jobs.sweep()
    assert rung == []
    ImportBatch.objects.update(progressed_at=timezone.now() - 2 * jobs.LOST_AFTER)
    jobs.sweep()
    assert rung == [("onboarding.tasks.import_advance", batch.pk, "bulk")]


# --- Undo ---------------------------------------------------------------------------------------------------


def test_undo_deletes_what_the_batch_made_and_nothing_else(manager: User, customer_user: User) -> None:
    onboarding.application_start(actor=customer_user, source="page")
    other = imported(manager, checked(manager, upload(manager, as_csv([person(90)]))))
    before = _counts()
    batch = imported(manager, checked(manager, upload(manager, as_csv([person(n) for n in range(20)]))))
    assert _counts() != before
    services.batch_undo(actor=manager, batch_id=batch.pk, reason="Wrong file", source="page")
    batch = worked(batch)
    assert (batch.status, batch.rows_imported) == ("undone", 0)
    assert _counts() == before
    assert Application.objects.filter(batch=other).count() == 1
    assert not batch.rows.filter(cells__isnull=False).exists()
    # The same file may come again.
    again = imported(manager, checked(manager, upload(manager, as_csv([person(n) for n in range(20)]))))
    assert again.rows_imported == 20


def _counts() -> list[int]:
    models = (User, EmailAddress, Customer, Application, Owner, Address, Employment, InvestmentProfile)
    return [model.objects.count() for model in models]


@pytest.mark.parametrize("how", ["submitted", "signed in", "answered"])
def test_undo_is_refused_once_somebody_relies_on_it(manager: User, how: str) -> None:
    batch = imported(manager, checked(manager, upload(manager, as_csv([person(1), person(2)]))))
    application = Application.objects.filter(batch=batch).first()
    assert application is not None
    if how == "submitted":
        application.move_to("submitted", actor=None)
    elif how == "signed in":
        User.objects.filter(pk=application.customer.user_id).update(last_login=timezone.now())
    else:
        Application.objects.filter(pk=application.pk).update(version=2)
    with pytest.raises(Conflict) as refusal:
        services.batch_undo(actor=manager, batch_id=batch.pk, reason="Wrong file", source="page")
    assert "One customer" in refusal.value.message
    assert Application.objects.filter(batch=batch).count() == 2


def test_undo_that_comes_too_late_leaves_everything(manager: User) -> None:
    batch = imported(manager, checked(manager, upload(manager, as_csv([person(1), person(2)]))))
    services.batch_undo(actor=manager, batch_id=batch.pk, reason="Wrong file", source="page")
    application = Application.objects.filter(batch=batch).first()
    assert application is not None
    application.move_to("submitted", actor=None)
    batch = worked(batch)
    assert batch.status == "imported" and "handed in" in batch.problem
    assert Application.objects.filter(batch=batch).count() == 2


# --- Who may, and when --------------------------------------------------------------------------------------


def test_only_compliance_managers_and_administrators_may(
    staff: Staff, manager: User, roles: list[str]
) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1)])))
    for role in set(roles) - {"compliance_manager", "administrator", "customer"}:
        actor = staff(role)
        with pytest.raises(Forbidden):
            upload(actor, as_csv([person(2)]))
        for act in (services.batch_import, services.batch_resume):
            with pytest.raises(Forbidden):
                act(actor=actor, batch_id=batch.pk, source="page")
        with pytest.raises(Forbidden):
            services.batch_undo(actor=actor, batch_id=batch.pk, reason="no", source="page")
    assert ImportBatch.objects.get().status == "checked" and not Customer.objects.exists()
    assert upload(staff("administrator"), as_csv([person(3)])).rows_total == 1


@pytest.mark.parametrize("status", Status.values)
def test_buttons_work_in_their_states_alone(manager: User, status: str) -> None:
    batch = upload(manager, as_csv([person(1)]))
    ImportBatch.objects.filter(pk=batch.pk).update(status=status)
    calls = {
        Status.CHECKED: lambda: services.batch_import(actor=manager, batch_id=batch.pk, source="page"),
        Status.IMPORTED: lambda: services.batch_undo(
            actor=manager, batch_id=batch.pk, reason="Wrong", source="page"
        ),
        Status.FAILED: lambda: services.batch_resume(actor=manager, batch_id=batch.pk, source="page"),
    }
    for allowed, call in calls.items():
        if status == allowed:
            continue
        with pytest.raises(Conflict):
            call()
    assert ImportBatch.objects.get().status == status


def test_a_mapping_must_be_possible(manager: User) -> None:
    batch = upload(manager, as_csv([person(1)]))
    good = dict(batch.mapping)
    for mapping in (
        good | {"nothing": "Email"},
        good | {"email": "No such column"},
        good | {"middle_names": good["email"]},
        {name: column for name, column in good.items() if name != "tax_id"},
    ):
        with pytest.raises(Invalid):
            services.batch_check(
                actor=manager, batch_id=batch.pk, mapping=mapping, grace_until=None, source="page"
            )
    assert ImportBatch.objects.get().status == "uploaded"
    assert ImportRow.objects.get().state == "new"


def test_a_clash_the_check_cannot_see_is_that_row_alone(manager: User) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1), person(2), person(3)])))
    # An address that belongs to somebody, though they sign in with another: no user has it.
    somebody = make_customer_user("Somebody")
    taken = str(person(2)["Email"]).lower()
    EmailAddress.objects.create(user=somebody, email=taken, verified=True)
    done = imported(manager, batch)
    assert (done.status, done.rows_imported, done.rows_wrong) == ("imported", 2, 1)
    (row,) = done.rows.filter(state="wrong")
    assert "meanwhile" in row.errors["email"][0]
    assert Application.objects.filter(batch=batch).count() == 2
