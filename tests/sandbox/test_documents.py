"""Documents are taken, kept as they came and shown; every failure is a 404 with Error (contract, 4.5)."""

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import V2, Caller
from tests.sandbox.papers import JPEG, PDF, send, upload
from tests.sandbox.test_account_types import body_of

KEY = "6c1e1c2e-2f0a-4c0b-9d0e-0b0f3a7c1d11"


@pytest.fixture
def entity(caller: Caller) -> dict[str, Any]:
    """An entity account with two owners."""
    body = body_of("ella")
    assert caller.save(body).status_code == 200
    return body


def test_a_document_is_kept_as_it_came(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    answer = upload(
        caller,
        "DRIVERS_LICENSE",
        clientDocumentId=KEY,
        content=JPEG,
        media="image/jpeg",
        description="KYC was approved by hand with this paper",
        documentExpiration="2099-06-30T00:00:00Z",
    )
    assert answer.status_code == 200, answer.text
    stored = answer.json()
    uuid.UUID(stored["id"])
    assert stored["createdAt"].endswith("Z")
    assert stored["request"]["clientDocumentId"] == KEY
    assert caller.get(f"{V2}/documents/{KEY}/metadata").json() == stored
    file = caller.get(f"{V2}/documents/{KEY.upper()}")
    assert (file.content, file.headers["Content-Type"]) == (JPEG, "image/jpeg")
    assert file.headers["Content-Length"] == str(len(JPEG))
    listed = caller.get(f"{V2}/documents/acc-1/accountDocumentMetadata").json()
    assert listed == {"documentMetadata": [stored["request"]]}
    (kept,) = box.account("acc-1")["documents"]
    assert (kept["size"], kept["sha256"]) == (len(JPEG), hashlib.sha256(JPEG).hexdigest())


def test_a_large_file_comes_back_whole(caller: Caller) -> None:
    caller.create()
    content = PDF + bytes(range(256)) * 40_000
    assert upload(caller, "PASSPORT", clientDocumentId=KEY, content=content).status_code == 200
    assert caller.get(f"{V2}/documents/{KEY}").content == content


def test_a_side_left_out_is_unspecified_in_the_list(caller: Caller) -> None:
    caller.create()
    stored = upload(caller, "VISA", documentSide=None, issueCountry=None).json()
    assert "documentSide" not in stored["request"]
    (line,) = caller.get(f"{V2}/documents/acc-1/accountDocumentMetadata").json()["documentMetadata"]
    assert line == {**stored["request"], "documentSide": "UNSPECIFIED"}


def test_several_documents_stay_side_by_side(caller: Caller) -> None:
    caller.create()
    caller.create("Ana Ortiz", "acc-2")
    for side in ("FRONT", "BACK"):
        assert upload(caller, "DRIVERS_LICENSE", documentSide=side).status_code == 200
    assert upload(caller, "PASSPORT", account="acc-2").status_code == 200
    listed = caller.get(f"{V2}/documents/acc-1/accountDocumentMetadata").json()["documentMetadata"]
    assert [line["documentSide"] for line in listed] == ["FRONT", "BACK"]


def refusal(answer: requests.Response) -> str:
    """The message of a 404 with Error."""
    assert answer.status_code == 404, answer.text
    assert set(answer.json()) == {"code", "message"}
    assert answer.json()["code"] == 404
    message: str = answer.json()["message"]
    return message


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"clientDocumentId": None}, "clientDocumentId is required"),
        ({"clientDocumentId": "doc-1"}, "clientDocumentId must be a UUID"),
        ({"account": None}, "account is required"),
        ({"account": "nobody"}, "Account not found"),
        ({"kind": "IDENTIFICATION CARD"}, "documentType must be"),
        ({"documentSide": "TOP"}, "documentSide must be"),
        ({"issueCountry": "US"}, "issueCountry must be"),
        ({"clientOwnerId": "nobody"}, "clientOwnerId names no owner"),
        ({"documentExpiration": "2030-01-01"}, "documentExpiration must be"),
        ({"colour": "red"}, "colour is not a known field"),
        ({"content": b""}, "empty"),
        ({"media": "image/png"}, "not what its Content-Type says"),
        ({"media": "application/octet-stream"}, "not what its Content-Type says"),
        ({"media": "video/mp4", "content": b"film"}, "not what its Content-Type says"),
        ({"content": b"no such thing"}, "not what its Content-Type says"),
    ],
)
def test_a_wrong_upload_is_a_404_that_says_why(caller: Caller, fields: dict[str, Any], named: str) -> None:
    caller.create()
    kind = fields.pop("kind", "PASSPORT")
    assert named in refusal(upload(caller, kind, **fields))
    assert caller.get(f"{V2}/documents/acc-1/accountDocumentMetadata").json() == {"documentMetadata": []}


GOOD = json.dumps({"clientDocumentId": KEY, "account": "acc-1", "documentType": "PASSPORT"})
FILE = ("paper.pdf", PDF, "application/pdf")


@pytest.mark.parametrize(
    ("parts", "named"),
    [
        ({"document": FILE}, "metadata is required"),
        ({"metadata": ("meta.json", GOOD, "application/json"), "document": FILE}, "metadata is required"),
        ({"metadata": (None, GOOD)}, "document is required"),
        ({"metadata": (None, GOOD), "document": (None, "text")}, "document is required"),
        ({"metadata": (None, "{"), "document": FILE}, "metadata is not JSON"),
        ({"metadata": (None, "[]"), "document": FILE}, "must be an object"),
        ({"metadata": (None, "x" * 2_000_000), "document": FILE}, "cannot be read"),
        (
            {"metadata": (None, GOOD), "document": ("p", PDF + bytes(65 * 1024**2), "application/pdf")},
            "larger",
        ),
    ],
)
def test_parts_must_be_as_the_contract_says(caller: Caller, parts: dict[str, Any], named: str) -> None:
    caller.create()
    assert named in refusal(send(caller, parts))
    assert send(caller, {"metadata": (None, GOOD), "document": FILE}).status_code == 200


def test_a_body_that_is_no_form_is_refused(caller: Caller) -> None:
    assert "metadata is required" in refusal(caller.post(f"{V2}/documents", json={"metadata": GOOD}))
    broken = {"Content-Type": "multipart/form-data"}
    assert "cannot be read" in refusal(caller.post(f"{V2}/documents", data=b"--x", headers=broken))


def test_a_key_is_used_once(caller: Caller) -> None:
    caller.create()
    assert upload(caller, "PASSPORT", clientDocumentId=KEY).status_code == 200
    again = upload(caller, "PASSPORT", clientDocumentId=KEY.upper(), content=PDF + b"2")
    assert "taken" in refusal(again)
    assert caller.get(f"{V2}/documents/{KEY}").content == PDF


@pytest.mark.parametrize("path", [KEY, f"{KEY}/metadata", "nobody/accountDocumentMetadata"])
def test_what_is_not_there_is_a_404(caller: Caller, path: str) -> None:
    assert "not found" in refusal(caller.get(f"{V2}/documents/{path}"))


@pytest.mark.parametrize(
    ("kind", "fields", "named"),
    [
        ("PASSPORT", {"clientOwnerId": "acc-1-1", "documentSide": None}, "documentSide is required"),
        ("PASSPORT", {"clientOwnerId": "acc-1-1", "issueCountry": None}, "issueCountry is required"),
        ("PASSPORT", {}, "clientOwnerId is required"),
        ("TRUST_CERTIFICATION", {"clientOwnerId": "acc-1-1"}, "clientOwnerId must be absent"),
        ("CERTIFICATE_OF_INCORPORATION", {"documentSide": "BACK"}, "documentSide must be FRONT"),
    ],
)
def test_papers_of_entities_have_rules_of_their_own(
    caller: Caller, entity: dict[str, Any], kind: str, fields: dict[str, Any], named: str
) -> None:
    assert named in refusal(upload(caller, kind, **fields))


@pytest.mark.parametrize(
    ("kind", "effect"), [("500_before", False), ("409", False), ("500_after", True), ("nonsense", True)]
)
def test_faults_strike_uploads(caller: Caller, box: SandboxProcess, kind: str, effect: bool) -> None:
    caller.create()
    box.fault(kind, "upload_document")
    upload(caller, "PASSPORT", clientDocumentId=KEY)
    found = caller.get(f"{V2}/documents/{KEY}/metadata").status_code
    assert found == (200 if effect else 404)


def test_a_refusal_before_the_upload_was_read_spoils_no_later_call(
    caller: Caller, box: SandboxProcess
) -> None:
    caller.create()
    for _ in range(3):
        box.fault("500_before", "upload_document")
        assert upload(caller, "PASSPORT", content=PDF + bytes(3_000_000)).status_code == 500
        assert caller.get(f"{V2}/config").status_code == 200


def test_a_cut_connection_leaves_the_file_or_nothing(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    for kind, found in (("drop_before", 404), ("drop_after", 200)):
        box.fault(kind, "upload_document")
        with pytest.raises(requests.ConnectionError):
            upload(caller, "PASSPORT", clientDocumentId=KEY)
        assert caller.get(f"{V2}/documents/{KEY}").status_code == found
    box.fault("drop_after", "download_document")
    with pytest.raises(requests.ConnectionError):
        caller.get(f"{V2}/documents/{KEY}")


def test_documents_survive_a_crash_and_their_leftovers_do_not(tmp_path: Path) -> None:
    state = tmp_path / "state.json"
    folder = tmp_path / "state.json.documents"
    with testing.start("", state_file=state, webhook_delay=500) as box:
        caller = Caller(box)
        caller.create()
        stored = upload(caller, "PASSPORT", clientDocumentId=KEY).json()
        box.stop(hard=True)
    (folder / "half-an-upload").write_bytes(b"x")
    assert (folder / stored["id"]).stat().st_mode & 0o077 == 0
    with testing.start("", state_file=state, webhook_delay=500) as box:
        caller = Caller(box)
        assert caller.get(f"{V2}/documents/{KEY}").content == PDF
        assert [path.name for path in folder.iterdir()] == [stored["id"]]
        box.reset()
        assert list(folder.iterdir()) == []


def test_the_request_log_holds_nothing_of_a_document(caller: Caller, box: SandboxProcess) -> None:
    caller.create()
    upload(caller, "PASSPORT", clientDocumentId=KEY, description="Ana's own words")
    logged = [line for line in box.state()["requests"] if line["operation"] == "upload_document"]
    assert [line["status"] for line in logged] == [200]
    assert "own words" not in str(box.state())
