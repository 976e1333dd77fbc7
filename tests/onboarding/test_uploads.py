# ruff: noqa: F811  (fixtures are imported by name)
"""Files in pieces: the protocol, who may, what is refused, and that one file becomes one document."""

import os
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from onboarding import services, upload_parts
from onboarding.models import Application, Document, Owner, Upload, UploadPart
from onboarding.services import uploads
from portal.models import AuditEntry, User
from tests.onboarding import journeys
from tests.onboarding.papers_support import jpeg, pdf
from tests.onboarding.uploads_support import (  # noqa: F401
    BYTES,
    TRUST,
    TUS,
    SignedIn,
    Tus,
    errors_of,
    files_in,
    folder,
    settle,
    trust,
    tus,
)
from tests.people import make_customer_user

# --- The protocol -------------------------------------------------------------------------------------------


def test_what_the_server_can_do(tus: Tus, settings: Any) -> None:
    answer = tus.client.options(tus.endpoint)
    assert answer.status_code == 204
    assert answer["Tus-Version"] == answer["Tus-Resumable"] == "1.0.0"
    assert set(answer["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "expiration",
        "termination",
    }
    assert answer["Tus-Max-Size"] == str(settings.DOCUMENT_MAX_BYTES)


def test_a_file_in_pieces_becomes_one_document(tus: Tus, trust: Application, folder: Path) -> None:
    content = pdf(3 * upload_parts.PART_BYTES)
    url = tus.start(len(content), TRUST | {"country": "CA"})
    assert tus.offset(url) == 0
    first = tus.send(url, 0, content[:2_000_000])
    assert (first.status_code, first["Upload-Offset"]) == (204, "2000000")
    assert "GMT" in first["Upload-Expires"]
    assert tus.offset(url) == 2_000_000
    assert not Document.objects.exists()
    lying = b"".join(path.read_bytes() for path in files_in(folder))
    assert len(lying) > 2_000_000
    assert content[:100] not in lying
    assert content[5000:5100] not in lying
    assert tus.send(url, 2_000_000, content[2_000_000:]).status_code == 204
    found = Document.objects.get()
    assert (found.type, found.side, found.country.code, found.size) == (
        "TRUST_CERTIFICATION",
        "FRONT",
        "CA",
        len(content),
    )
    assert found.open().read() == content
    assert files_in(folder) == []
    assert not UploadPart.objects.exists()
    said = tus.client.get(url).json()
    assert (said["status"], said["document"]["id"], said["errors"]) == ("taken", str(found.pk), [])
    assert AuditEntry.objects.filter(action="document.upload").count() == 1


def test_bytes_may_come_with_the_announcement(tus: Tus) -> None:
    content = pdf(3000)
    headers = TUS | {
        "Upload-Length": str(len(content)),
        "Upload-Metadata": "type VFJVU1RfQ0VSVElGSUNBVElPTg==",
    }
    answer = tus.client.post(tus.endpoint, content, content_type=BYTES, headers=headers)
    assert (answer.status_code, answer["Upload-Offset"]) == (201, str(len(content)))
    assert Document.objects.get().open().read() == content


def test_a_wrong_place_is_refused_with_the_right_one(tus: Tus) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    for offset in (0, 400, 600):
        answer = tus.send(url, offset, content[offset : offset + 10])
        assert answer.status_code == 409
        assert "ends at byte 500" in answer.json()["detail"]
    assert tus.offset(url) == 500


def test_no_more_than_was_announced(tus: Tus, folder: Path) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    answer = tus.send(url, 0, content + b"more")
    assert answer.status_code == 413
    assert (tus.offset(url), files_in(folder)) == (0, [])


def test_the_last_piece_again_makes_no_second_document(tus: Tus) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    assert tus.send(url, 500, content[500:]).status_code == 204
    # Its answer was lost: the same bytes, and nothing more at the end.
    assert tus.send(url, 500, content[500:]).status_code == 409
    assert tus.offset(url) == len(content)
    assert tus.send(url, len(content), b"").status_code == 204
    assert Document.objects.count() == 1
    assert AuditEntry.objects.filter(action="document.upload").count() == 1


def test_giving_up_removes_what_came(tus: Tus, folder: Path) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    assert files_in(folder)
    assert tus.client.delete(url, headers=TUS).status_code == 204
    assert files_in(folder) == []
    assert tus.client.head(url, headers=TUS).status_code == 404


def test_what_was_taken_cannot_be_given_up(tus: Tus) -> None:
    url = tus.whole(pdf(), TRUST)
    assert tus.client.delete(url, headers=TUS).status_code == 409
    assert Document.objects.get().open().read()


@pytest.mark.parametrize("version", [None, "0.2.2"])
def test_another_version_is_told(tus: Tus, version: str | None) -> None:
    url = tus.start(10, TRUST)
    headers = {"Upload-Offset": "0"} | ({"Tus-Resumable": version} if version else {})
    for answer in (
        tus.client.patch(url, b"x", content_type=BYTES, headers=headers),
        tus.client.head(url, headers=headers),
        tus.client.delete(url, headers=headers),
        tus.client.post(tus.endpoint, headers=headers),
    ):
        assert (answer.status_code, answer["Tus-Version"]) == (412, "1.0.0")


def test_a_body_of_another_kind_is_refused(tus: Tus) -> None:
    url = tus.start(10, TRUST)
    headers = TUS | {"Upload-Offset": "0"}
    assert tus.client.patch(url, b"x", content_type="text/plain", headers=headers).status_code == 415
    assert tus.client.patch(url, b"x", content_type=BYTES, headers=TUS).status_code == 422


# --- What is said of a file, before a byte of it ------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "pointer"),
    [
        ({"type": "W-8BEN"}, "/type"),
        ({"type": "IDENTIFICATION CARD"}, "/type"),
        ({}, "/type"),
        ({"type": "VISA"}, "/type"),  # a type of the provider's that nobody asked for
        ({"type": "TRUST_CERTIFICATION", "side": "BACK"}, "/side"),
        ({"type": "TRUST_CERTIFICATION", "side": "TOP"}, "/side"),
        ({"type": "TRUST_CERTIFICATION", "country": "QQ"}, "/country"),
        ({"type": "TRUST_CERTIFICATION", "country": "Canada"}, "/country"),
        ({"type": "TRUST_CERTIFICATION", "expires_on": "2031-02-31"}, "/expires_on"),
        ({"type": "TRUST_CERTIFICATION", "expires_on": "2001-02-03"}, "/expires_on"),
        ({"type": "TRUST_CERTIFICATION", "owner": "nobody"}, "/owner"),
        (
            {"type": "PASSPORT", "owner": "01a1fd87-bc1b-70f5-9d05-1432ee65e7a4", "expires_on": "2031-05-01"},
            "/owner",
        ),
        ({"type": "TRUST_CERTIFICATION", "description": "hello"}, "/description"),
        ({"type": "TRUST_CERTIFICATION", "by_hand": "on"}, "/by_hand"),
    ],
    ids=range(14),
)
def test_what_does_not_hold_is_refused_at_its_field(tus: Tus, given: dict[str, str], pointer: str) -> None:
    answer = tus.announce(1000, given)
    assert answer.status_code == 422
    assert list(errors_of(answer)) == [pointer]
    assert not Upload.objects.exists()


def test_a_passport_needs_its_last_day(tus: Tus, trust: Application) -> None:
    owner = trust.owners.get(is_applicant=True)
    answer = tus.announce(1000, {"type": "PASSPORT", "owner": owner.pk, "side": "BACK"})
    assert set(errors_of(answer)) == {"/side", "/expires_on"}


@pytest.mark.parametrize(
    ("size", "status"), [("0", 422), ("-1", 422), ("", 422), ("1e3", 422), ("9" * 30, 422), ("20000000", 413)]
)
def test_a_size_nobody_takes(tus: Tus, size: str, status: int) -> None:
    answer = tus.announce(0, TRUST, **{"Upload-Length": size})
    assert answer.status_code == status
    assert not Upload.objects.exists()


def test_metadata_nobody_can_read(tus: Tus) -> None:
    for text in ("type", "type !!!", "type /w==", "type Zm9v bar"):
        assert tus.announce(10, {}, **{"Upload-Metadata": text}).status_code == 422


def test_names_of_files_are_not_kept(tus: Tus) -> None:
    tus.start(10, TRUST | {"filename": "Ana Ortiz passport.pdf", "filetype": "application/pdf"})
    kept = [str(value) for value in Upload.objects.values_list().get()]
    assert not any("Ortiz" in value for value in kept)


def test_so_many_at_once(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "AT_ONCE", 2)
    first = tus.start(10, TRUST)
    tus.start(10, TRUST)
    answer = tus.announce(10, TRUST)
    assert "not finished yet" in errors_of(answer)["/file"]
    tus.client.delete(first, headers=TUS)
    tus.start(10, TRUST)


def test_so_many_bytes_at_once(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "BYTES_AT_ONCE", 1500)
    tus.start(1000, TRUST)
    assert tus.announce(1000, TRUST).status_code == 422
    tus.start(500, TRUST)


def test_a_closed_application_takes_nothing(tus: Tus, trust: Application, customer_user: User) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    services.application_withdraw(actor=customer_user, application_id=trust.pk, source="page")
    assert tus.announce(10, TRUST).status_code == 409
    # Closed while it was on its way: told where the file is.
    answer = tus.send(url, 0, content)
    assert (answer.status_code, list(errors_of(answer))) == (422, ["/file"])
    assert not Document.objects.exists()


# --- What is wrong with the whole -----------------------------------------------------------------------------


def test_a_file_that_is_none_is_refused_at_the_end_and_told_again(tus: Tus, folder: Path) -> None:
    content = b"GIF89a" + os.urandom(4000)
    url = tus.start(len(content), TRUST)
    answer = tus.send(url, 0, content)
    assert answer.status_code == 422
    assert "whatever its name says" in errors_of(answer)["/file"]
    again = tus.send(url, len(content), b"")
    assert errors_of(again) == errors_of(answer)
    said = tus.client.get(url).json()
    assert (said["status"], said["errors"][0]["pointer"]) == ("refused", "/file")
    assert files_in(folder) == []
    assert not Document.objects.exists()


def test_a_part_that_was_changed_is_no_document(tus: Tus, folder: Path) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    tus.send(url, 0, content[:500])
    (path,) = files_in(folder)
    path.chmod(0o600)
    sealed = bytearray(path.read_bytes())
    sealed[40] ^= 1
    path.write_bytes(sealed)
    answer = tus.send(url, 500, content[500:])
    assert errors_of(answer) == {"/file": "This file did not arrive whole. Send it again."}
    assert not Document.objects.exists()


# --- Who ------------------------------------------------------------------------------------------------------


def test_nobody_elses_upload_is_there(tus: Tus, trust: Application, signed_in: SignedIn) -> None:
    content = pdf(3000)
    url = tus.start(len(content), TRUST)
    other = signed_in(make_customer_user("other@example.com"))
    for answer in (
        other.head(url, headers=TUS),
        other.get(url),
        other.delete(url, headers=TUS),
        other.patch(url, content, content_type=BYTES, headers=TUS | {"Upload-Offset": "0"}),
        other.post(tus.endpoint, headers=TUS | {"Upload-Length": "10", "Upload-Metadata": "type VklTQQ=="}),
    ):
        assert answer.status_code == 404
    assert Client().patch(url, content, content_type=BYTES, headers=TUS).status_code == 401
    assert tus.offset(url) == 0
    assert Upload.objects.count() == 1


def test_an_upload_belongs_to_its_application(tus: Tus, trust: Application, customer_user: User) -> None:
    url = tus.start(10, TRUST)
    elsewhere = journeys.foreigner(customer_user)
    answer = tus.client.head(url.replace(str(trust.pk), str(elsewhere.pk)), headers=TUS)
    assert answer.status_code == 404


@pytest.fixture
def trustee(trust: Application) -> Owner:
    """A person of the trust who took their own part."""
    owner = trust.owners.filter(is_applicant=False).first()
    assert owner is not None
    owner.user = make_customer_user("bo@example.com")
    owner.save(update_fields=["user"])
    return owner


def test_an_owner_uploads_their_own_papers_only(
    trust: Application, trustee: Owner, signed_in: SignedIn, customer_user: User
) -> None:
    assert trustee.user is not None
    theirs = Tus(signed_in(trustee.user), trust)
    passport = {"type": "PASSPORT", "expires_on": "2031-05-01"}
    theirs.whole(jpeg(), passport | {"owner": trustee.pk})
    assert Document.objects.get().uploaded_by == trustee.user
    applicant = trust.owners.get(is_applicant=True)
    assert list(errors_of(theirs.announce(10, passport | {"owner": applicant.pk}))) == ["/owner"]
    assert list(errors_of(theirs.announce(10, TRUST))) == ["/owner"]
    # And the applicant does not upload theirs, nor see the file; that it is there they see.
    own = Tus(signed_in(customer_user), trust)
    answer = own.announce(10, passport | {"owner": trustee.pk})
    assert errors_of(answer) == {"/owner": "This person uploads their own papers."}
    papers = own.client.get(f"/api/v1/applications/{trust.pk}/documents").json()["papers"]
    (row,) = [row for row in papers if row["owner"] == str(trustee.pk)]
    assert (row["done"], row["documents"]) == (True, [])
    papers = theirs.client.get(f"/api/v1/applications/{trust.pk}/documents").json()["papers"]
    assert [(row["owner"], len(row["documents"])) for row in papers] == [(str(trustee.pk), 1)]
