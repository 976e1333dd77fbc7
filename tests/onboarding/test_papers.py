"""Papers: which are asked for, what is taken and refused, how they reach the provider, and the screening after them."""

import tracemalloc
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile

from onboarding import papers, services, standing
from onboarding.files import document_for_staff
from onboarding.models import Application, Document, ProviderAccount
from onboarding.operations import KYB_TRIGGER, UPLOAD
from onboarding.requirements.documents import rules_of_entity, rules_of_person
from onboarding.words_documents import DocumentType
from portal.errors import Conflict, Forbidden, Invalid, NotFound
from portal.keyring import CannotUnseal
from portal.models import OutboundCall, User
from providers.bakkt.documents import DocumentType as Wire
from providers.models import ExpectedEvent
from sandbox.testing import SandboxProcess
from tests.faults.way import account_of, deliver, exchanges, later
from tests.flow import drain, publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import VALID_UNTIL, file, jpeg, pdf, png, upload, upload_all
from tests.people import make_customer_user

Status = Document.Status
Verdict = Application.Status


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    stored = {**settings.STORAGES["documents"]["OPTIONS"], "location": str(tmp_path)}
    settings.STORAGES = {
        **settings.STORAGES,
        "documents": {**settings.STORAGES["documents"], "OPTIONS": stored},
    }


# --- The table ----------------------------------------------------------------------------------------------


def test_our_types_are_the_nineteen_of_the_wire() -> None:
    assert set(DocumentType.values) == set(Wire)
    assert len(DocumentType.values) == 19


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (("INDIVIDUAL", ""), []),
        (("CUSTODIAL", ""), []),
        (("ENTITY_PERSONAL_TRUST", "TRUST"), ["trust"]),
        (("ENTITY", "TRUST"), ["trust"]),
        (("ENTITY", "LLC"), ["formation", "governing", "ownership"]),
        (("ENTITY", "PARTNERSHIP"), ["governing", "ownership"]),
    ],
)
def test_what_an_entity_is_asked_for(kind: tuple[str, str], names: list[str]) -> None:
    assert [rule.name for rule in rules_of_entity(*kind)] == names


def test_who_is_asked_for_an_identity_paper() -> None:
    assert rules_of_person("INDIVIDUAL", "", "PRIMARY_OWNER", "US") == ()
    assert [rule.name for rule in rules_of_person("INDIVIDUAL", "", "PRIMARY_OWNER", "DE")] == [
        "identity_abroad"
    ]
    assert rules_of_person("CUSTODIAL", "", "MINOR_OWNER", "DE") == ()
    assert [rule.name for rule in rules_of_person("ENTITY", "LLC", "BENEFICIAL_OWNER", "US")] == ["identity"]


# --- What is taken ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.pdf", b"", "empty"),
        ("page.png", b"<!doctype html><script>alert(1)</script>", "no PDF, JPEG, PNG or HEIC"),
        ("program.pdf", b"MZ\x90\x00" + bytes(200), "no PDF, JPEG, PNG or HEIC"),
        ("cut.jpg", jpeg()[:-40], "cut short"),
        ("cut.png", png()[:-60], "cut short"),
        ("cut.pdf", pdf()[:-60], "cut short"),
        ("head.jpg", b"\xff\xd8\xff\xe0" + b"x" * 500 + b"\xff\xd9", "damaged"),
        ("large.pdf", b"%PDF-1.7\n" + bytes(10 * 1024 * 1024) + b"%%EOF", "larger than 10 MB"),
    ],
)
def test_hostile_files_are_refused_in_a_sentence_and_leave_nothing(
    customer_user: User, tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    application = journeys.trust(customer_user)
    with pytest.raises(Invalid) as caught:
        upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(content, name))
    assert sentence in caught.value.fields["file"][0]
    assert not Document.objects.exists()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_name_of_a_file_decides_nothing(customer_user: User) -> None:
    application = journeys.trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(png(), "scan.pdf"))
    assert found.content_type == "image/png"


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "SOURCE_OF_FUNDS"}, "type"),
        ({"type": "PASSPORT", "expires_on": VALID_UNTIL}, "type"),
        ({"type": "TRUST_CERTIFICATION", "side": "BACK"}, "side"),
        ({"type": "TRUST_CERTIFICATION", "country": "XX"}, "country"),
        ({"type": "TRUST_CERTIFICATION", "expires_on": date(2020, 1, 1)}, "expires_on"),
    ],
)
def test_what_is_said_of_a_paper_must_hold(customer_user: User, given: dict[str, Any], field: str) -> None:
    application = journeys.trust(customer_user)
    with pytest.raises(Invalid) as caught:
        upload(customer_user, application, **given)
    assert set(caught.value.fields) == {field}
    assert not Document.objects.exists()


def test_files_lie_sealed_and_open_whole(customer_user: User, tmp_path: Path) -> None:
    application = journeys.trust(customer_user)
    content = pdf(200_000)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(content, "a.pdf"))
    (stored,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert content[1000:1100] not in stored.read_bytes()
    with found.open() as opened:
        assert opened.read() == content
        opened.seek(-10, 2)
        assert opened.read() == content[-10:]


@pytest.mark.parametrize("change", ["flipped", "cut", "swapped"])
def test_a_changed_file_does_not_open(customer_user: User, tmp_path: Path, change: str) -> None:
    application = journeys.trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(200_000), "a.pdf"))
    (stored,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    raw, piece = stored.read_bytes(), 64 * 1024 + 16
    changed = {
        "flipped": raw[:500] + bytes([raw[500] ^ 1]) + raw[501:],
        "cut": raw[: 4 + piece],
        "swapped": raw[:4] + raw[4 + piece : 4 + 2 * piece] + raw[4 : 4 + piece] + raw[4 + 2 * piece :],
    }[change]
    stored.write_bytes(changed)
    with pytest.raises(CannotUnseal), found.open() as opened:
        opened.read()


def test_a_new_file_replaces_and_the_old_one_stays(customer_user: User) -> None:
    application = journeys.trust(customer_user)
    first = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(), "a.pdf"))
    second = upload(customer_user, application, type="TRUST_CERTIFICATION")
    first.refresh_from_db()
    assert (first.status, second.status) == (Status.REPLACED, Status.CHECKING)
    with first.open() as opened:
        assert opened.read(5) == b"%PDF-"


def test_a_card_needs_both_its_sides(customer_user: User) -> None:
    application = journeys.trust(customer_user)
    paper = next(paper for paper in papers.papers_of(application) if paper.owner)
    given: dict[str, Any] = {"type": "DRIVERS_LICENSE", "owner_id": paper.owner.pk, "expires_on": VALID_UNTIL}
    upload(customer_user, application, side="FRONT", **given)

    def now() -> papers.Paper:
        return next(row for row in papers.papers_of(application) if row.name == paper.name)

    assert (now().handed_in, now().lacks) == (False, "The back is missing.")
    upload(customer_user, application, side="BACK", **given)
    assert (now().handed_in, now().lacks) == (True, "")


def test_another_customer_s_application_is_not_there(customer_user: User) -> None:
    application = journeys.trust(customer_user)
    stranger = make_customer_user("stranger@example.test")
    with pytest.raises(NotFound):
        upload(stranger, application, type="TRUST_CERTIFICATION")
    assert not Document.objects.exists()


def test_a_withdrawn_application_takes_none(customer_user: User) -> None:
    application = journeys.trust(customer_user)
    services.application_withdraw(actor=customer_user, application_id=application.pk, source="page")
    with pytest.raises(Conflict):
        upload(customer_user, application, type="TRUST_CERTIFICATION")


# --- To the provider, and the screening ---------------------------------------------------------------------


def hand_in(user: User, application: Application) -> None:
    services.application_submit(actor=user, application_id=application.pk, source="page")
    drain()


@pytest.mark.parametrize("kind", ["llc", "partnership", "trust"])
def test_papers_on_the_draft_go_with_the_account_and_start_the_screening(
    box: SandboxProcess,
    customer_user: User,
    kind: str,
) -> None:
    application = journeys.EVERY_TYPE[kind](customer_user)
    upload_all(customer_user, application)
    assert not OutboundCall.objects.filter(operation=UPLOAD).exists()
    hand_in(customer_user, application)
    assert set(Document.objects.values_list("status", flat=True)) == {Status.AT_PROVIDER}
    assert OutboundCall.objects.filter(operation=KYB_TRIGGER).count() == 1
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.WAITING
    kept = {row["sha256"] for row in box.account(application.reference)["documents"]}
    assert kept == set(Document.objects.values_list("sha256", flat=True))
    deliver(box)
    account = account_of(application)
    assert (account.application.status, account.status) == (Verdict.APPROVED, ProviderAccount.Status.ACTIVE)
    assert ExpectedEvent.objects.get().state == ExpectedEvent.State.MET


def test_who_has_the_ball_until_the_papers_are_there(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = journeys.entity(customer_user)
    hand_in(customer_user, application)

    def now() -> tuple[str, str, str]:
        found = account_of(application).application
        ball = standing.ball(found)
        return ball.holder, ball.line, standing.standing(found).next_kind

    assert now() == ("customer", "Waiting for papers: 5 of them", "upload_documents")
    assert not ExpectedEvent.objects.exists()
    with later(minutes=30):
        drain()
    assert not OutboundCall.objects.filter(operation=KYB_TRIGGER).exists()
    upload_all(customer_user, application)
    assert now() == ("us", "We are passing the papers on", "wait")
    drain()
    assert now()[0] == "provider"
    assert len(exchanges(box, "trigger_kyb")) == 1
    deliver(box)
    assert now()[2] == "none"


def test_people_abroad_pass_papers_on_without_a_screening(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = journeys.foreigner(customer_user)
    upload_all(customer_user, application)
    hand_in(customer_user, application)
    assert Document.objects.get().status == Status.AT_PROVIDER
    assert not OutboundCall.objects.filter(operation=KYB_TRIGGER).exists()


@pytest.mark.parametrize("fault", ["drop_after", "500_after", "nonsense", "drop_before", "502_html"])
def test_an_upload_of_unknown_outcome_is_there_once(
    box: SandboxProcess,
    customer_user: User,
    fault: str,
) -> None:
    application = journeys.trust(customer_user)
    hand_in(customer_user, application)
    box.fault(fault, "upload_document")
    found = upload(customer_user, application, type="TRUST_CERTIFICATION")
    drain()
    with later(minutes=20):
        drain()
    found.refresh_from_db()
    assert found.status == Status.AT_PROVIDER
    (there,) = box.account(application.reference)["documents"]
    assert there["sha256"] == found.sha256
    uploads = len(exchanges(box, "upload_document"))
    # What took effect is found by looking, and is not sent again.
    assert uploads == (1 if fault in {"drop_after", "500_after", "nonsense"} else 2)


def test_what_the_provider_refuses_is_shown_and_replaced(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = journeys.trust(customer_user)
    hand_in(customer_user, application)
    box.api("DELETE", f"accounts/{application.reference}")
    found = upload(customer_user, application, type="TRUST_CERTIFICATION")
    drain()
    found.refresh_from_db()
    assert (found.status, bool(found.problem)) == (Status.REFUSED, True)
    paper = next(row for row in papers.papers_of(application) if row.owner is None)
    assert "did not accept" in paper.lacks
    assert account_of(application).papers_missing == 3
    upload(customer_user, application, type="TRUST_CERTIFICATION")
    found.refresh_from_db()
    assert found.status == Status.REPLACED


def test_a_refused_screening_is_ours_to_look_at(
    box: SandboxProcess,
    customer_user: User,
) -> None:
    application = journeys.trust(customer_user)
    upload_all(customer_user, application)
    services.application_submit(actor=customer_user, application_id=application.pk, source="page")
    box.fault("409", "trigger_kyb")
    drain()
    account = account_of(application)
    assert account.kyb_problem
    assert standing.ball(account.application).holder == "us"


def test_memory_stays_flat_for_ten_megabytes(box: SandboxProcess, customer_user: User) -> None:
    application = journeys.trust(customer_user)
    hand_in(customer_user, application)
    content = pdf(10 * 1024 * 1024 - 4096)
    size = len(content)
    with TemporaryUploadedFile("big.pdf", "application/pdf", size, None) as big:
        big.write(content)
        big.flush()
        del content
        tracemalloc.start()
        upload(customer_user, application, type="TRUST_CERTIFICATION", file=big)
        drain()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert Document.objects.get().status == Status.AT_PROVIDER
    assert peak < 4 * 1024 * 1024, f"{peak / 1024**2:.1f} MB for a file of {size / 1024**2:.1f} MB"


# --- Staff --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("compliance_analyst", True),
        ("compliance_manager", True),
        ("auditor", True),
        ("onboarding_agent", False),
        ("administrator", False),
    ],
)
def test_who_may_read_a_paper(customer_user: User, staff: Any, role: str, may: bool) -> None:
    application = journeys.trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION")
    actor = staff(role)
    if may:
        assert document_for_staff(actor, application.pk, found.pk) == found
    else:
        with pytest.raises(Forbidden):
            document_for_staff(actor, application.pk, found.pk)
