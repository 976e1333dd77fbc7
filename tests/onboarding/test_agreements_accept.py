"""Accepting outside an application, the letters that ask for it, and the certificate."""

import threading
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
import time_machine
from django.db import connection
from pytest_django import Settings

from onboarding import services
from onboarding.agreements import acceptance, certificate, reminders, scope, versions
from onboarding.models import Agreement, AgreementAcceptance, Owner
from onboarding.models.agreements import AgreementReminder
from portal import mail, pdf
from portal.context import acting
from portal.errors import Invalid, NotFound
from portal.models import AuditEntry, MailMessage, Role, User
from tests.flow import complete_draft, submitted
from tests.onboarding.agreements_support import accept_all, approved, draft_of, new_version, publish
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db
START = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def manager(db: None) -> User:
    return make_staff(Role.COMPLIANCE_MANAGER)


def accept(user: User, *rows: Agreement, **hashes: str) -> list[AgreementAcceptance]:
    accepted = {row.pk: hashes.get("digest", row.text_sha256) for row in rows}
    return acceptance.agreements_accept_pending(actor=user, accepted=accepted, source="page")


def letters_to(user: User) -> list[str]:
    """The texts of the letters about agreements, oldest first."""
    rows = MailMessage.objects.filter(subject="Please read and accept").order_by("pk")
    contents = [row.content.reveal() for row in rows]
    return [content["text"] for content in contents if content["to"] == [user.email]]


# --- What waits, and accepting it ---------------------------------------------------------------------------


def test_a_new_version_waits_until_it_is_accepted(manager: User, customer_user: User) -> None:
    application = approved(customer_user)
    assert scope.pending_for(customer_user) == []
    agreement = new_version(manager)
    (item,) = scope.pending_for(customer_user)
    assert (item.agreement, item.again, item.references, item.others) == (
        agreement,
        True,
        [application.reference],
        [],
    )
    with acting(ip="203.0.113.7", user_agent="Phone/1"):
        (kept,) = accept(customer_user, agreement)
    assert (kept.owner.application, kept.text_sha256, kept.accepted_by) == (
        application,
        agreement.text_sha256,
        customer_user,
    )
    assert (kept.ip, kept.user_agent) == ("203.0.113.7", "Phone/1")
    entry = AuditEntry.objects.get(action="agreement.accept")
    assert (entry.subject_id, entry.actor, entry.after["version"]) == (kept.pk, customer_user, "2")  # type: ignore[index]
    assert scope.pending_for(customer_user) == []


def test_who_is_filling_in_is_asked_there_unless_they_accepted_before(manager: User) -> None:
    fresh, again = make_customer_user(), make_customer_user()
    complete_draft(again)
    services.application_start(actor=fresh, source="page")
    new_version(manager)
    assert scope.pending_for(fresh) == []
    assert [item.agreement.version for item in scope.pending_for(again)] == ["2"]


def test_every_account_of_a_person_is_accepted_for(manager: User, customer_user: User) -> None:
    first = submitted(customer_user)
    second = Owner.objects.create(
        application=submitted(make_customer_user(), tax_id="536-22-9999"),
        role="JOINT_OWNER",
        user=customer_user,
    )
    agreement = new_version(manager)
    kept = accept(customer_user, agreement)
    assert {row.owner for row in kept} == {first.owners.get(), second}


def test_accepting_refuses_another_text_another_agreement_and_nothing(
    manager: User, customer_user: User
) -> None:
    submitted(customer_user)
    agreement, retired = (
        new_version(manager),
        Agreement.objects.get(version="1", name="crypto-user-agreement"),
    )
    draft = draft_of(manager, "3")
    for given in (
        {agreement.pk: "0" * 64},
        {agreement.pk: agreement.text_sha256, draft.pk: draft.text_sha256},
        {agreement.pk: agreement.text_sha256, retired.pk: retired.text_sha256},
        {agreement.pk: agreement.text_sha256, uuid4(): "0" * 64},
        {},
    ):
        with pytest.raises(Invalid):
            acceptance.agreements_accept_pending(actor=customer_user, accepted=given, source="api")
    assert not AgreementAcceptance.objects.filter(agreement=agreement).exists()


def test_a_repeat_is_harmless(manager: User, customer_user: User) -> None:
    submitted(customer_user)
    agreement = new_version(manager)
    assert len(accept(customer_user, agreement)) == 1
    assert accept(customer_user, agreement) == []
    assert AuditEntry.objects.filter(action="agreement.accept").count() == 1


def test_a_stranger_accepts_nothing_of_others(manager: User, customer_user: User) -> None:
    submitted(customer_user)
    agreement = new_version(manager)
    stranger = make_customer_user()
    with pytest.raises(Invalid):
        accept(stranger, agreement)
    accept(customer_user, agreement)
    kept = acceptance.acceptances_of(customer_user).get(agreement=agreement)
    with pytest.raises(NotFound):
        acceptance.acceptance_for_customer(stranger, kept.pk)


@pytest.mark.django_db(transaction=True)
def test_accepting_four_times_at_once_is_one_acceptance() -> None:
    user, manager = make_customer_user(), make_staff(Role.COMPLIANCE_MANAGER)
    submitted(user)
    agreement = new_version(manager)
    gate = threading.Barrier(4)
    counts: list[int] = []

    def work() -> None:
        gate.wait()
        try:
            counts.append(len(accept(user, agreement)))
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(counts) == [0, 0, 0, 1]
    assert AuditEntry.objects.filter(action="agreement.accept").count() == 1


@pytest.mark.django_db(transaction=True)
def test_accepting_while_a_newer_version_is_published_leaves_one_truth() -> None:
    """Either the acceptance of the old version came first, or it is refused; the new one waits in both cases."""
    user, manager = make_customer_user(), make_staff(Role.COMPLIANCE_MANAGER)
    submitted(user)
    second, third = new_version(manager, "2"), draft_of(manager, "3")
    gate = threading.Barrier(2)
    said: list[str] = []

    def accepting() -> None:
        gate.wait()
        try:
            said.append(f"accepted {len(accept(user, second))}")
        except Invalid:
            said.append("refused")
        finally:
            connection.close()

    def publishing() -> None:
        gate.wait()
        try:
            publish(manager, third)
        finally:
            connection.close()

    threads = [threading.Thread(target=accepting), threading.Thread(target=publishing)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    kept = AgreementAcceptance.objects.filter(agreement=second).count()
    assert said == ([f"accepted {kept}"] if kept else ["refused"])
    assert [item.agreement for item in scope.pending_for(user)] == [third]


# --- Letters ------------------------------------------------------------------------------------------------


def test_letters_go_on_the_days_of_the_plan_and_once(manager: User, customer_user: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        approved(customer_user)
        assert reminders.reminders_write() == 0
        new_version(manager, remind_after_days=[0, 3, 10])
        seen = []
        for day in range(13):
            clock.move_to(START + timedelta(days=day, minutes=1))
            for _ in range(3):
                reminders.reminders_write()
            seen.append(len(letters_to(customer_user)))
    assert seen == [1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3]
    letter = letters_to(customer_user)[0]
    assert "- User agreement" in letter
    assert "/agreements/" in letter


def test_days_missed_are_not_made_up_for(manager: User, customer_user: User) -> None:
    with time_machine.travel(START, tick=False) as clock:
        approved(customer_user)
        new_version(manager, remind_after_days=[0, 1, 2, 3])
        clock.move_to(START + timedelta(days=9))
        reminders.reminders_write()
        reminders.reminders_write()
    assert len(letters_to(customer_user)) == 1
    assert AgreementReminder.objects.get().day == 3


def test_who_accepted_is_unbound_or_switched_off_gets_no_letter(manager: User) -> None:
    done, away, off, late = (make_customer_user() for _ in range(4))
    for number, user in enumerate((done, away, off, late)):
        approved(user, tax_id=f"536-22-{3000 + number}")
    away.customer.applications.get().account.move_to("closed", actor=None, source="test")
    off.is_active = False
    off.save(update_fields=["is_active"])
    new_version(manager, remind_after_days=[0])
    accept_all(done)
    assert reminders.reminders_write() == 1
    assert [len(letters_to(user)) for user in (done, away, off, late)] == [0, 0, 0, 1]


def test_one_letter_names_everything_that_waits(manager: User, customer_user: User) -> None:
    approved(customer_user)
    new_version(manager, "2")
    new_version(manager, "2", name="e-sign", title="Electronic consent")
    assert reminders.reminders_write() == 1
    (letter,) = letters_to(customer_user)
    assert "- User agreement" in letter
    assert "- Electronic consent" in letter
    assert AgreementReminder.objects.count() == 2


def test_no_letters_without_a_plan_and_none_after_retiring(manager: User, customer_user: User) -> None:
    approved(customer_user)
    silent = new_version(manager, remind_after_days=[])
    assert reminders.reminders_write() == 0
    versions.agreement_retire(actor=manager, agreement_id=silent.pk, reason="because", source="page")
    live = new_version(manager, "3", remind_after_days=[0])
    versions.agreement_retire(actor=manager, agreement_id=live.pk, reason="because", source="page")
    assert reminders.reminders_write() == 0
    assert letters_to(customer_user) == []


def test_batches_reach_everybody(manager: User) -> None:
    users = [make_customer_user() for _ in range(5)]
    for number, user in enumerate(users):
        approved(user, tax_id=f"536-22-{4000 + number}")
    new_version(manager)
    assert [reminders.reminders_write(batch=2) for _ in range(4)] == [2, 2, 1, 0]
    assert all(len(letters_to(user)) == 1 for user in users)


class _Died(BaseException):
    """What a killed worker looks like from inside: nothing after it runs."""


def test_a_worker_that_dies_writes_the_letter_later_and_once(
    manager: User, customer_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    approved(customer_user)
    new_version(manager)

    def die(*_: Any) -> None:
        raise _Died

    with monkeypatch.context() as patch:
        patch.setattr(mail, "render_to_string", die)
        with pytest.raises(_Died):
            reminders.reminders_write()
    assert AgreementReminder.objects.count() == 0
    for _ in range(2):
        reminders.reminders_write()
    assert len(letters_to(customer_user)) == 1


@pytest.mark.django_db(transaction=True)
def test_four_workers_at_once_write_one_letter() -> None:
    user, manager = make_customer_user(), make_staff(Role.COMPLIANCE_MANAGER)
    approved(user)
    new_version(manager)
    gate = threading.Barrier(4)

    def work() -> None:
        gate.wait()
        try:
            reminders.reminders_write()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(letters_to(user)) == 1


# --- Certificates -------------------------------------------------------------------------------------------


def test_the_certificate_says_who_what_when_and_from_where(manager: User, customer_user: User) -> None:
    approved(customer_user)
    agreement = new_version(manager)
    with acting(ip="203.0.113.7", user_agent="Phone/1"):
        (kept,) = accept(customer_user, agreement)
    said = {line.label: line.value for line in certificate.certificate_lines(kept)}
    assert said["Name and version"] == "crypto-user-agreement, version 2"
    assert said["SHA-256 of what was shown"] == agreement.text_sha256
    assert said["Accepted for"] == "Ana Ortiz"
    assert said["Tax number"] == str(kept.owner.tax_id)
    assert said["Tax number"].startswith("•••-••-")
    assert said["Accepted at"].endswith(" UTC")
    assert (said["From the address"], said["With"]) == ("203.0.113.7", "Phone/1")
    assert said["Audit entry"] == str(AuditEntry.objects.get(action="agreement.accept").pk)
    assert customer_user.email not in str(said)
    content = certificate.certificate_pdf(kept, actor=customer_user, source="page")
    with pikepdf.open(BytesIO(content)) as document:
        assert len(document.pages) == 1
    entry = AuditEntry.objects.get(action="agreement.certificate")
    assert (entry.subject_id, entry.actor) == (kept.pk, customer_user)


def test_within_an_application_the_audit_entry_is_that_of_the_step(customer_user: User) -> None:
    application = submitted(customer_user)
    (kept, _) = acceptance.acceptances_of(customer_user)
    entry = acceptance.audit_entry_of(kept)
    assert entry is not None
    assert (entry.action, entry.subject_id, entry.after["step"]) == (  # type: ignore[index]
        "application.step",
        application.pk,
        "agreements",
    )


def test_the_check_code_tells_a_changed_certificate(customer_user: User, settings: Settings) -> None:
    submitted(customer_user)
    kept = acceptance.acceptances_of(customer_user)[0]
    (before,) = certificate.check_codes(kept).items()
    for name, value in (
        ("text_sha256", "0" * 64),
        ("ip", "203.0.113.9"),
        ("user_agent", "Other"),
        ("accepted_at", kept.accepted_at + timedelta(microseconds=1)),
        ("owner_id", uuid4()),
    ):
        changed = AgreementAcceptance.objects.get(pk=kept.pk)
        setattr(changed, name, value)
        assert certificate.check_codes(changed) != dict([before]), name
    settings.AUDIT_KEYS = f"newer:{'A' * 43}=,{settings.AUDIT_KEYS}"
    codes = certificate.check_codes(kept)
    assert list(codes) == ["newer", before[0]]
    assert codes[before[0]] == before[1]


SCRIPTS = {
    "Latin": "Ana Núñez Ğüler Đorđević Nguyễn",
    "Greek": "Ελένη Παπαδοπούλου",
    "Cyrillic": "Олена Шевченко",
    "Arabic": "محمد بن سلمان",
    "Hebrew": "משה כהן",
    "Devanagari": "अमित शर्मा",
    "Bengali": "রহমান",
    "Tamil": "செல்வன்",
    "Thai": "สมชาย ใจดี",
    "Chinese": "王小明",
    "Japanese": "たなか カナ 田中",
    "Korean": "김철수",
    "Georgian": "გიორგი",
    "Armenian": "Արմեն",
    "Ethiopic": "ኃይለ ሥላሴ",
    "Khmer": "សុខ",
    "Burmese": "မြန်မာ",
    "Sinhala": "සිංහල",
    "Tibetan": "བསྟན་འཛིན",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_name_in_any_script_prints(script: str, customer_user: User) -> None:
    name = SCRIPTS[script]
    submitted(customer_user)
    Owner.objects.update(given_name=name, family_name=name)
    kept = acceptance.acceptances_of(customer_user)[0]
    _, drawn = pdf.fonts_for(name)
    assert drawn == name
    content = certificate.certificate_pdf(kept, actor=customer_user, source="page")
    assert content.startswith(b"%PDF-")
    assert len(content) < 200_000


def test_a_letter_of_no_font_is_spelled_out() -> None:
    assert pdf.fonts_for("Ana 😀")[1] == "Ana [U+1F600]"
