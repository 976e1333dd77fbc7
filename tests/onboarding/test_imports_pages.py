"""The pages of imports: who sees them, the way through them, the rows that come back, odd files."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from onboarding.imports import files
from onboarding.models import Customer, ImportBatch
from portal.models import AuditEntry, User
from tests.hostile import EVERYTHING, TEXTS
from tests.onboarding.imports_support import COLUMNS, as_csv, checked, imported, person, upload, worked

SignedIn = Callable[[User], Client]
Staff = Callable[[str], User]


@pytest.fixture
def manager(staff: Staff) -> User:
    return staff("compliance_manager")


@pytest.fixture
def page(manager: User, signed_in: SignedIn) -> Client:
    return signed_in(manager)


def post_file(page: Client, content: bytes, name: str = "customers.csv") -> Any:
    return page.post(
        "/staff/imports/new/",
        {"name": "Wave 1", "country": "US", "file": SimpleUploadedFile(name, content)},
    )


def test_from_the_file_to_the_customers(page: Client) -> None:
    rows = [person(1), person(2, SSN="123"), person(3)]
    answer = post_file(page, as_csv(rows))
    batch = ImportBatch.objects.get()
    assert answer["Location"] == f"/staff/imports/{batch.pk}/columns/"

    shown = page.get(answer["Location"]).content.decode()
    assert "999-99-9999" in shown and "501-10" not in shown and "ana1@" not in shown
    # The columns were guessed by name.
    assert batch.mapping == {question: column for column, question in COLUMNS.items()}

    form = page.get(answer["Location"]).context["form"]
    answer = page.post(
        answer["Location"],
        {name: form[name].initial or "" for name in form.fields} | {"grace_until": ""},
    )
    assert answer["Location"] == f"/staff/imports/{batch.pk}/"
    moving = page.get(f"/staff/imports/{batch.pk}/").content.decode()
    assert "every 2s" in moving
    part = page.get(f"/staff/imports/{batch.pk}/progress/", headers={"HX-Request": "true"})
    assert "HX-Refresh" not in part and b"<html" not in part.content
    worked(batch)
    assert page.get(f"/staff/imports/{batch.pk}/progress/")["HX-Refresh"] == "true"
    shown = page.get(f"/staff/imports/{batch.pk}/").content.decode()
    assert "2 rows can be imported" in shown and "Enter the nine digits" in shown
    assert not Customer.objects.exists()

    page.post(f"/staff/imports/{batch.pk}/start/")
    worked(batch)
    assert "Undo the import" in page.get(f"/staff/imports/{batch.pk}/").content.decode()
    assert "2 customers" in page.get(f"/staff/imports/{batch.pk}/undo/").content.decode()
    assert page.post(f"/staff/imports/{batch.pk}/undo/", {"reason": ""}).status_code == 422
    page.post(f"/staff/imports/{batch.pk}/undo/", {"reason": "Wrong file"})
    worked(batch)
    assert not Customer.objects.exists()
    assert "Undone" in page.get("/staff/imports/").content.decode()


ADDRESSES = ["", "new/", "{}/", "{}/columns/", "{}/progress/", "{}/undo/", "{}/failed-rows.csv"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_sees_the_pages(
    manager: User, staff: Staff, signed_in: SignedIn, customer_user: User, roles: list[str], address: str
) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1)])))
    path = f"/staff/imports/{address.format(batch.pk)}"
    assert Client().get(path).status_code == 302
    assert signed_in(customer_user).get(path).status_code == 403
    reads = address in {"", "{}/", "{}/progress/"}
    for role in set(roles) - {"customer"}:
        allowed = role in {"compliance_manager", "administrator"} or (role == "auditor" and reads)
        assert signed_in(staff(role)).get(path).status_code == (200 if allowed else 403), role


def test_auditors_see_and_change_nothing(manager: User, staff: Staff, signed_in: SignedIn) -> None:
    batch = checked(manager, upload(manager, as_csv([person(1), person(2, SSN="1")])))
    auditor = signed_in(staff("auditor"))
    shown = auditor.get(f"/staff/imports/{batch.pk}/").content.decode()
    assert "Enter the nine digits" in shown
    assert "Download these rows" not in shown and ">Import<" not in shown
    for word in ("start", "undo"):
        assert auditor.post(f"/staff/imports/{batch.pk}/{word}/", {"reason": "because"}).status_code == 403
    batch.refresh_from_db()
    assert batch.status == "checked"


def test_a_stranger_import_is_not_there(page: Client) -> None:
    assert page.get("/staff/imports/0192d3c4-0000-7000-8000-000000000000/").status_code == 404


def test_many_wrong_rows_are_paged(page: Client, manager: User) -> None:
    batch = checked(manager, upload(manager, as_csv([person(n, SSN="1") for n in range(60)])))
    first = page.get(f"/staff/imports/{batch.pk}/")
    assert len(first.context["rows"]) == 25
    second = page.get(f"/staff/imports/{batch.pk}/{first.context['newer']}")
    assert [item["row"].number for item in second.context["rows"]] == list(range(26, 51))


# --- What comes back ----------------------------------------------------------------------------------------


def test_failed_rows_come_back_with_reasons_and_without_formulas(page: Client, manager: User) -> None:
    rows = [
        person(1, City="=HYPERLINK(1)", SSN="1"),
        person(2, Mobile="+1 512 555 0142", SSN="2"),
        person(3),
        person(4, Street="@SUM(A1)", City="-2", SSN="3"),
    ]
    batch = checked(manager, upload(manager, as_csv(rows)))
    answer = page.get(f"/staff/imports/{batch.pk}/failed-rows.csv")
    assert answer.streaming
    content = b"".join(answer.streaming_content)
    found = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert len(found) == 3
    assert [row["City"] for row in found] == ["'=HYPERLINK(1)", "Austin", "'-2"]
    assert found[1]["Mobile"] == "'+1 512 555 0142"
    assert found[0]["Reasons"].startswith("Row 1. SSN: Enter the nine digits")
    assert AuditEntry.objects.filter(action="import.download", after={"rows": 3}).count() == 1
    # Mended and uploaded again, the cells are what they were.
    again = upload(manager, content)
    cells = again.rows.get(number=2).cells
    assert cells is not None and "+1 512 555 0142" in cells.reveal()


# --- Odd files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_separators_and_the_byte_order_mark(manager: User, delimiter: str, mark: bytes) -> None:
    rows = [person(1, **{"Last Name": "Ortíz Peña"}), person(2, Street='1, "Big; Street"\tA')]
    batch = checked(manager, upload(manager, mark + as_csv(rows, delimiter)))
    assert batch.columns == list(rows[0])
    assert (batch.rows_total, batch.rows_wrong) == (2, 0)


ODD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "empty"),
    "white space": (b"\n \n", "empty"),
    "header alone": (b"Email,SSN\n", "no rows"),
    "UTF-16": ("Email,SSN\na@b.example,1".encode("utf-16"), "UTF-16"),
    "Latin-1": ("Email,Name\na@b.example,Ortíz\n".encode("latin-1"), "not UTF-8"),
    "workbook": (b"PK\x03\x04rest", "workbook"),
    "same name twice": (b"Email,Email\na,b\n", "more than one column"),
    "nameless": (b"Email,,SSN\na,b,c\n", "Column 2 has no name"),
    "long name": (b"Email," + b"x" * 101 + b"\na,b\n", "longer than 100"),
    "control character in a name": (b"Em\x07ail,SSN\na,b\n", "cannot be shown"),
    "many columns": (",".join(f"c{n}" for n in range(201)).encode() + b"\n1\n", "more than 200 columns"),
    "open quotation mark": (b'Email,SSN\n"a,b\n' + b"line,of,file\n" * 20_000, "quotation mark"),
    "huge cell": (b"Email,SSN\n" + b"x" * 200_000 + b",b\n", "far too long"),
    "endless line": (b"Email,SSN\n" + b"x" * 2_000_000, "too long"),
    "JSON of nothing": (b"{}\n{}\n", "No line"),
    "JSON of too many names": (
        ("{" + ",".join(f'"c{n}":1' for n in range(300)) + "}\n").encode(),
        "more than 200 columns",
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_refused_with_a_sentence(page: Client, name: str) -> None:
    content, sentence = ODD[name]
    answer = post_file(page, content)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_more_rows_than_allowed(page: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_ROWS", 3)
    answer = post_file(page, as_csv([person(n) for n in range(4)]))
    assert answer.status_code == 422 and "more than 3 rows" in answer.content.decode()
    assert not ImportBatch.objects.exists()


def test_rows_that_are_no_rows_are_told_and_the_others_go_on(manager: User) -> None:
    content = as_csv([person(1), person(2)]) + b"too,few\n\n,,,\n" + b"x," * 30 + b"\n"
    batch = checked(manager, upload(manager, content))
    assert [row.state for row in batch.rows.order_by("number")] == [
        "ready",
        "ready",
        "unreadable",
        "unreadable",
    ]
    assert "has 2 cells, the header 16" in batch.rows.get(number=3).errors[""][0]


def test_json_lines(manager: User) -> None:
    import json

    good = person(1)
    lines = [
        json.dumps(good),
        json.dumps({"Email": "only@import.example"}),
        "not json",
        "[1, 2]",
        '{"Email": "\\ud800"}',
        '{"": 1}',
        "{" * 5000,
        json.dumps(person(2) | {"account_type": "ENTITY"}),
        json.dumps(person(3) | {"account_type": "individual"}),
    ]
    batch = checked(manager, upload(manager, "\n".join(lines).encode(), file_name="customers.jsonl"))
    states = [row.state for row in batch.rows.order_by("number")]
    assert states == ["ready", "wrong", *["unreadable"] * 5, "wrong", "ready"]
    assert batch.rows.get(number=8).errors.keys() == {"account_type"}
    assert imported(manager, batch).rows_imported == 2


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_cells_in_every_column(page: Client, manager: User, name: str) -> None:
    value = TEXTS[name].encode("utf-8", "ignore").decode()
    rows = [person(number, **{column: value}) for number, column in enumerate(COLUMNS)]
    batch = checked(manager, upload(manager, as_csv(rows)))
    assert batch.status == "checked" and batch.rows_done == len(rows)
    assert page.get(f"/staff/imports/{batch.pk}/").status_code == 200
    assert b"".join(page.get(f"/staff/imports/{batch.pk}/failed-rows.csv").streaming_content)
    if batch.rows_right:
        assert imported(manager, batch).status == "imported"


def test_hostile_values_in_json(manager: User, page: Client) -> None:
    import json

    rows = []
    for value in EVERYTHING.values():
        for column in COLUMNS:
            try:
                rows.append(json.dumps(person(len(rows)) | {column: value}))
            except ValueError:
                rows.append('{"Email": ' + "9" * 400 + "}")
    batch = checked(manager, upload(manager, "\n".join(rows).encode()))
    assert batch.rows_done == len(rows)
    assert imported(manager, batch).status == "imported"
    assert page.get(f"/staff/imports/{batch.pk}/").status_code == 200


@pytest.mark.parametrize("name", sorted(set(TEXTS) - {"lone surrogate"}))
def test_hostile_words_for_the_mapping(page: Client, manager: User, name: str) -> None:
    value = TEXTS[name]
    batch = upload(manager, as_csv([person(1)]))
    answer = page.post(
        f"/staff/imports/{batch.pk}/columns/",
        {"column_0": value, "column_1": value, "grace_until": value},
    )
    assert answer.status_code == 422
    batch.refresh_from_db()
    assert batch.status == "uploaded"
