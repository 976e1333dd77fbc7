"""Case files: asked for, made by a task, fetched for a while; and the program that proves them whole, without us."""

import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
import time_machine
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.storage import storages
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from compliance import export_jobs, selectors, services, tasks
from compliance.casefile import archive, content, hooks, proof, signing
from compliance.models import Case, CaseExport, CaseNote
from compliance.models import CaseFile as CaseFileRow
from portal import audit, clock
from portal.errors import Conflict, Forbidden, Gone, NotFound
from portal.models import AuditEntry, Role, User
from portal.sealed_files import SealedFile, new_file_key
from tests.compliance.conftest import opened, ready, subject_of
from tests.people import make_customer_user, make_staff
from tests.portal.test_audit_seals import tampering

pytestmark = pytest.mark.django_db
Status = CaseExport.Status
SPEC = importlib.util.spec_from_file_location("check_case_file", archive.CHECKER_PATH)
assert SPEC is not None
assert SPEC.loader is not None
check_case_file = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(check_case_file)
PAPER = b"a passport, so to say" * 5000


@pytest.fixture(autouse=True)
def _a_subject_with_papers(settings: Settings, tmp_path: Path) -> Iterator[None]:
    """Files go to a folder of the test's own; the made-up cases are about users, who have a paper of each sort."""

    kept = settings.STORAGES["documents"]
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path / "stored")}},
    }

    def tell(key: Any) -> hooks.Contribution:
        good = hashlib.sha256(PAPER).hexdigest()
        papers = [
            hooks.File("passport.pdf", len(PAPER), lambda: io.BytesIO(PAPER), good),
            hooks.File("../../evil name.jpg", 3, lambda: io.BytesIO(b"abc"), "0" * 64),
            hooks.File(
                "virus.exe", 9, lambda: io.BytesIO(b"x"), left_out="The malware scan found something."
            ),
            hooks.File("gone.png", 9, _gone),
        ]
        return hooks.Contribution({"Person": {"name": "Polly"}}, papers, [("portal.user", key)])

    hooks.register_subject("portal.user", tell)
    yield
    hooks._subjects.pop("portal.user")


def _gone() -> io.BytesIO:
    raise FileNotFoundError


@pytest.fixture
def case(db: None) -> Case:
    """A decided case with notes, and a customer with entries of their own in the trail."""
    analyst, customer = make_staff(), make_customer_user()
    case = ready(analyst, subject_of(customer))
    services.case_note(actor=analyst, case_id=case.pk, text="Говорит мало. 鳥 rests.")
    services.case_decide(
        actor=analyst,
        case_id=case.pk,
        version=Case.objects.get(pk=case.pk).version,
        decision="stun",
        reason_code="nap",
        text="It naps",
    )
    audit.record("auth.login", subject=customer, actor=customer, source="page")
    return Case.objects.get(pk=case.pk)


@pytest.fixture
def auditor(db: None) -> User:
    return make_staff(Role.AUDITOR)


def made(auditor: User, *cases: Case, **how: Any) -> CaseExport:
    """A case file, made as the worker makes it."""
    given = {"reason": "Yearly examination", "with_papers": True, **how}
    export = services.export_ask(actor=auditor, case_ids=[case.pk for case in cases], **given)
    export_jobs.export_make(export.pk)
    export.refresh_from_db()
    return export


def files_in(export: CaseExport) -> dict[str, bytes]:
    """What the archive holds, in its order."""
    with zipfile.ZipFile(io.BytesIO(export.open().read())) as found:
        return {name: found.read(name) for name in found.namelist()}


def checked(files: dict[str, bytes] | list[tuple[str, bytes]], path: Path) -> list[str]:
    """What the program says of an archive of these files."""
    with zipfile.ZipFile(path, "w") as into:
        for name, body in files.items() if isinstance(files, dict) else files:
            into.writestr(name, body)
    keys = dict(signing.public_keys())
    return check_case_file.check(check_case_file.Zip(path), keys)[1]


def test_the_file_holds_everything_and_is_proved_without_us(
    case: Case, auditor: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = made(auditor, case)
    assert (export.status, export.parts, export.parts_done, export.problem) == (Status.READY, 5, 5, "")
    whole = export.open().read()
    assert (export.size, export.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())
    sealed = storages["documents"].open(export.path).read()
    assert b"manifest.json" not in sealed
    files, ref = files_in(export), case.reference
    assert list(files) == [
        f"{ref}/case.json", f"{ref}/case.pdf", f"{ref}/audit.json",
        f"{ref}/papers/01-passport.pdf", f"{ref}/papers/02-evil-name.jpg",
        "README.txt", "check_case_file.py", "manifest.json", "manifest.sig",
    ]  # fmt: skip
    manifest, told = json.loads(files["manifest.json"]), json.loads(files[f"{ref}/case.json"])
    assert [left["why"] for left in manifest["left_out"]] == [
        "The malware scan found something.",
        "Its file is gone.",
    ]
    assert [problem.partition(": ")[2][:12] for problem in manifest["cases"][0]["problems"]] == [
        "it had anoth",
        "its file is ",
    ]
    assert told["subject"] == {"Person": {"name": "Polly"}}
    assert told["notes"][0]["text"] == "Говорит мало. 鳥 rests."
    assert told["decisions"][0] | {"actor": ""} == told["decisions"][0] | {"actor": "", "code": "stun"}
    assert told["decisions"][0]["actor"] == "compliance analyst (Compliance analyst)"
    assert {move["new"] for move in told["moves"]} == {"in_progress", "decided", "closed"}
    proved = json.loads(files[f"{ref}/audit.json"])
    actions = [item["entry"]["action"] for item in proved["entries"]]
    assert {"case.opened", "case.decided", "case.exported", "auth.login"} <= set(actions)
    assert all(item["seal"] for item in proved["entries"])
    with pikepdf.open(io.BytesIO(files[f"{ref}/case.pdf"])) as pdf:
        assert len(pdf.pages) >= 1
    (tmp_path / "file.zip").write_bytes(whole)
    (tmp_path / "keys.json").write_bytes(Client().get(reverse("casefile:keys")).content)
    program, file, keys = (
        str(path) for path in (archive.CHECKER_PATH, tmp_path / "file.zip", tmp_path / "keys.json")
    )
    ran = subprocess.run(
        [sys.executable, "-I", program, file, "--keys", keys], capture_output=True, text=True, check=False
    )
    # The two papers that were wrong already when it was made are named, and nothing else.
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert ran.stdout.count("told by the portal itself") == 2
    assert "NOT WHOLE: 2 fault(s)" in ran.stdout
    monkeypatch.setattr(hooks, "contribution", lambda _: hooks.Contribution())
    clean = made(auditor, case).open().read()
    (tmp_path / "clean.zip").write_bytes(clean)
    assert check_case_file.main([str(tmp_path / "clean.zip"), "--keys", str(tmp_path / "keys.json")]) == 0
    with zipfile.ZipFile(io.BytesIO(clean)) as found:
        found.extractall(tmp_path / "folder")
    assert check_case_file.main([str(tmp_path / "folder")]) == 0
    assert check_case_file.main([str(tmp_path / "file.zip"), "--keys", "0" * 64]) == 1
    assert check_case_file.main([str(tmp_path / "keys.json")]) == 2


def _audit(files: dict[str, bytes], change: Callable[[dict[str, Any]], object]) -> None:
    """Change the audit file, and let the manifest tell of the changed one: a forger with everything but the key."""
    name = next(name for name in files if name.endswith("audit.json"))
    document = json.loads(files[name])
    change(document)
    files[name] = json.dumps(document).encode()
    manifest = json.loads(files["manifest.json"])
    for file in manifest["files"]:
        if file["path"] == name:
            file |= {"size": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
    manifest["cases"][0]["audit_entries"] = len(document["entries"])
    files["manifest.json"] = json.dumps(manifest).encode()


def test_what_was_changed_missing_added_or_moved_is_named(
    case: Case, auditor: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "contribution", lambda _: hooks.Contribution())
    export = made(auditor, case)
    files, ref = files_in(export), case.reference
    path = tmp_path / "file.zip"
    assert checked(files, path) == []

    def after(change: Callable[[dict[str, bytes]], object]) -> list[str]:
        copy = dict(files)
        change(copy)
        return checked(copy, path)

    name = f"{ref}/case.json"
    assert after(lambda copy: copy.update({name: b"{}"})) == [
        f"changed: {name} is not the file that the manifest tells of"
    ]
    assert after(lambda copy: copy.pop(name)) == [f"missing: {name}"]
    assert after(lambda copy: copy.update({"more.txt": b""})) == ["added: more.txt is not in the manifest"]
    assert after(lambda copy: copy.pop("manifest.sig"))[0].startswith("missing: manifest.sig")
    assert after(lambda copy: copy.update({"manifest.sig": b"00" * 64}))[0].startswith("signature")
    moved = list(files.items())
    moved[0], moved[1] = moved[1], moved[0]
    assert checked(moved, path) == [f"reordered: {ref}/case.pdf stands where {ref}/case.json belongs"]
    with pytest.warns(UserWarning, match="Duplicate"):
        assert f"added: {name} is in the archive more than once" in checked(
            [*files.items(), (name, b"{}")], path
        )
    own = json.dumps({**json.loads(files["manifest.json"]), "public_key": "0" * 64}).encode()
    assert "not among the keys given" in after(lambda copy: copy.update({"manifest.json": own}))[0]

    signature = (
        "signature: it does not fit the manifest, so somebody changed manifest.json, manifest.sig or the key"
    )
    for change, said in (
        (lambda doc: doc["entries"][0]["entry"].update(reason="Nothing"), "was changed: seal"),
        (lambda doc: doc["entries"].pop(1), "an entry is missing: place 1 of seal"),
        (lambda doc: doc["entries"].reverse(), "was reordered: it belongs before"),
        (lambda doc: doc["entries"].insert(0, doc["entries"][0]), "its place is another entry's"),
        (lambda doc: doc["entries"].append({**doc["entries"][0], "seal": 999}), "no seal has a place for it"),
    ):
        faults = after(lambda copy, change=change: _audit(copy, change))  # type: ignore[misc]
        assert faults[0] == signature
        assert said in faults[1]
        assert ref in faults[1]


def test_the_programs_ed25519_agrees_with_cryptography() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    for message in (b"", b"a", b"manifest" * 100):
        signature = key.sign(message)
        assert check_case_file.signature_holds(public, message, signature)
        assert not check_case_file.signature_holds(public, message + b".", signature)
        assert not check_case_file.signature_holds(
            public, message, signature[:-1] + bytes([signature[-1] ^ 1])
        )
        # The same number plus the group's order is another text of the same signature: refused.
        more = int.from_bytes(signature[32:], "little") + check_case_file.ORDER
        assert not check_case_file.signature_holds(
            public, message, signature[:32] + more.to_bytes(32, "little")
        )


def test_a_trail_that_is_not_whole_is_told(case: Case, auditor: User) -> None:
    proof.seal_now()
    entry = AuditEntry.objects.filter(subject_id=case.pk).latest("at")
    with tampering() as cursor:
        cursor.execute("UPDATE portal_auditentry SET reason = 'nothing' WHERE id = %s", [entry.pk])
    manifest = json.loads(files_in(made(auditor, case))["manifest.json"])
    assert f"Entry {entry.pk} was edited after it was sealed." in manifest["cases"][0]["problems"]


def test_every_table_that_points_at_a_case_comes_in(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    told = content.content(case, hooks.Contribution())
    for relation in Case._meta.related_objects:
        assert (relation.related_model._meta.label_lower in hooks.LEFT_OUT) != (
            content._name(relation) in told
        )
    monkeypatch.setattr(hooks, "LEFT_OUT", {CaseNote._meta.label_lower})
    assert "notes" not in content.content(case, hooks.Contribution())


def test_several_cases_without_papers_in_queries_that_do_not_grow(
    auditor: User, django_assert_max_num_queries: Any
) -> None:
    cases = [opened(subject_of(make_customer_user(), f"Parrot {n}")) for n in range(3)]
    export = made(auditor, *cases, with_papers=False)
    manifest = json.loads(files_in(export)["manifest.json"])
    assert [told["reference"] for told in manifest["cases"]] == [case.reference for case in cases]
    assert len(manifest["left_out"]) == 12
    for n in range(30):
        services.case_note(actor=make_staff(), case_id=cases[0].pk, text="More") if n < 3 else audit.record(
            "case.more", subject=cases[0]
        )
    with django_assert_max_num_queries(25):
        content.content(cases[0], hooks.Contribution())
        proof.proof([(cases[0]._meta.label_lower, cases[0].pk)])


def test_who_may_ask_for_what(case: Case, auditor: User, monkeypatch: pytest.MonkeyPatch) -> None:
    how: dict[str, Any] = {"case_ids": [case.pk], "reason": "Because", "with_papers": False}
    for role in (Role.COMPLIANCE_ANALYST, Role.ADMINISTRATOR, Role.FUNDING_OPERATOR, Role.CUSTOMER):
        with pytest.raises(Forbidden):
            services.export_ask(actor=make_staff(role), **how)
    with pytest.raises(NotFound):
        services.export_ask(actor=auditor, **how | {"case_ids": [case.pk, uuid4()]})
    assert not CaseExport.objects.exists()
    for _ in range(3):
        services.export_ask(actor=auditor, **how)
    with pytest.raises(Conflict):
        services.export_ask(actor=auditor, **how)
    entries = AuditEntry.objects.filter(action="case.exported", subject_id=case.pk, actor=auditor)
    assert entries.count() == 3


def test_it_is_fetched_by_its_own_link_for_a_while_and_then_removed(
    case: Case, auditor: User, signed_in: Callable[[User], Client]
) -> None:
    export = made(auditor, case)
    token = services.export_link(auditor, export)
    address = reverse("cases:export_file", args=[export.pk, token])
    response = signed_in(auditor).get(address)
    assert hashlib.sha256(response.getvalue()).hexdigest() == export.sha256
    entry = AuditEntry.objects.get(action="caseexport.fetched")
    assert (entry.actor, entry.after["sha256"]) == (auditor, export.sha256)  # type: ignore[index]
    manager = make_staff(Role.COMPLIANCE_MANAGER)
    assert signed_in(manager).get(address).status_code == 404
    with pytest.raises(NotFound):
        services.export_fetch(actor=auditor, export_id=export.pk, token=services.export_link(manager, export))
    with time_machine.travel(clock.now() + timedelta(minutes=6)), pytest.raises(Gone):
        services.export_fetch(actor=auditor, export_id=export.pk, token=token)
    with time_machine.travel(clock.now() + export_jobs.KEPT + timedelta(minutes=1)):
        with pytest.raises(Gone):
            services.export_fetch(
                actor=auditor, export_id=export.pk, token=services.export_link(auditor, export)
            )
        tasks.exports_look_after()
        assert export_jobs.exports_remove() == 0
    export.refresh_from_db()
    assert export.status == Status.EXPIRED
    assert not storages["documents"].exists(export.path)


def test_one_worker_makes_it_and_what_fails_is_tried_again(
    case: Case, auditor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = services.export_ask(actor=auditor, case_ids=[case.pk], reason="Because", with_papers=True)
    CaseExport.objects.update(lease_until=clock.now() + export_jobs.LEASE)
    export_jobs.export_make(export.pk)
    export.refresh_from_db()
    assert (export.status, export.attempts) == (Status.QUEUED, 0)
    working = archive.write

    def fail(*args: Any, **kwargs: Any) -> None:
        raise OSError("no space")

    monkeypatch.setattr(archive, "write", fail)
    later = clock.now()
    for attempt in (1, 2, 3):
        later += timedelta(minutes=6)
        with time_machine.travel(later):
            assert export_jobs.exports_left() == [export.pk]
            tasks.exports_look_after()
        export.refresh_from_db()
        assert export.attempts == attempt
    assert (export.status, export.problem) == (Status.FAILED, export_jobs.BROKEN)
    monkeypatch.setattr(archive, "write", working)
    monkeypatch.setattr(export_jobs, "MOST_BYTES", 1000)
    assert "leave the papers out" in made(auditor, case).problem
    assert made(auditor, case, with_papers=False).status == Status.READY


def test_the_pages(
    case: Case, auditor: User, signed_in: Callable[[User], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(auditor)
    ask = reverse("cases:export_case", args=[case.pk])
    assert ask in client.get(reverse("cases:detail", args=[case.pk])).content.decode()
    assert client.post(ask, {"reason": ""}).status_code == 422
    page = client.post(ask, {"reason": "Yearly examination", "with_papers": "on"})["Location"]
    export = CaseExport.objects.get()
    assert page == reverse("cases:export", args=[export.pk])
    assert export.reason == "Yearly examination"
    shown = client.get(page).content.decode()
    assert "Waits for its turn" in shown
    assert export.reason in shown
    export_jobs.export_make(export.pk)
    text = client.get(reverse("cases:export_progress", args=[export.pk])).content.decode()
    assert f"/staff/cases/files/{export.pk}/fetch/" in text
    assert (
        export.reason
        in signed_in(make_staff(Role.COMPLIANCE_MANAGER)).get(reverse("cases:exports")).content.decode()
    )
    today = f"{clock.now():%Y-%m-%d}"
    several = {"opened_from": "2020-01-01", "opened_to": "2099-01-01", "reason": "All of them"}
    found = client.post(reverse("cases:exports"), several)
    assert CaseExport.objects.get(pk=found["Location"].split("/")[-2]).case_ids == [case.pk]
    for wrong, said in (
        ({"opened_from": "2020-01-01", "opened_to": "2020-01-02"}, "No case matches"),
        ({"opened_from": today, "opened_to": "2020-01-02"}, "not before the first"),
        ({"opened_to": ""}, "This field is required"),
    ):
        refused = client.post(reverse("cases:exports"), {**several, **wrong})
        assert refused.status_code == 422
        assert said in refused.content.decode()
    opened(subject_of(make_customer_user(), "Another"))
    monkeypatch.setattr(services.exports, "MOST_CASES", 1)
    with pytest.raises(Exception, match="attention"):
        services.export_ask(
            actor=auditor,
            case_ids=list(Case.objects.values_list("pk", flat=True)),
            reason="Because",
            with_papers=False,
        )
    assert selectors.exports_under_way(auditor).count() == 1
    assert Client().get(reverse("casefile:checker")).content == archive.CHECKER_PATH.read_bytes()
    assert Client().get(reverse("casefile:keys")).json()["keys"][0]["public_key"] == next(
        iter(signing.public_keys().values())
    )


def test_attachments_come_along_unless_they_may_not_be_opened(case: Case, auditor: User) -> None:
    for title, scan in (("Letter of the bank", CaseFileRow.Scan.CLEAN), ("Odd one", CaseFileRow.Scan.FOUND)):
        row = CaseFileRow(
            case=case,
            title=title,
            content_type="application/pdf",
            size=len(PAPER),
            scan=scan,
            uploaded_by=auditor,
        )
        key = new_file_key()
        row.sha256, row.file_key = hashlib.sha256(PAPER).hexdigest(), key
        row.save()
        storages["documents"].save(row.path, SealedFile(io.BytesIO(PAPER), key))
    files = files_in(made(auditor, case))
    assert files[f"{case.reference}/attachments/01-Letter-of-the-bank.pdf"] == PAPER
    assert not any("Odd" in name for name in files)
    told = json.loads(files[f"{case.reference}/case.json"])
    assert [row["title"] for row in told["files"]] == ["Letter of the bank", "Odd one"]
    assert "presences" not in told
