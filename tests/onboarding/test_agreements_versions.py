"""Versions of agreements: drafted, edited, published and retired; what was published stays what it was."""

import hashlib
import threading
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pikepdf
import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from onboarding import services
from onboarding.agreements import agreement_publish, impact, scope, updates, versions
from onboarding.agreements.documents import document_read
from onboarding.agreements.text import text_html
from onboarding.models import AccountUpdate, Agreement, AgreementAcceptance, Application
from onboarding.models.agreements import LARGEST_DOCUMENT, AgreementDocument, text_hash
from onboarding.words import OwnerRole
from portal import clock
from portal.errors import Conflict, Forbidden, IllegalMove, Invalid
from portal.models import AuditEntry, Role, User
from tests.flow import complete_draft, publish_agreements, submitted
from tests.onboarding import answers, journeys
from tests.onboarding.agreements_support import (
    NAME,
    approved,
    draft_of,
    new_version,
    pdf,
    pdf_with,
    publish,
    withdrawn,
)
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db
Status = Agreement.Status


@pytest.fixture
def manager(db: None) -> User:
    return make_staff(Role.COMPLIANCE_MANAGER)


def edit(actor: User, draft: Agreement, revision: int = 1, **content: Any) -> Agreement:
    return versions.draft_edit(
        actor=actor,
        agreement_id=draft.pk,
        revision=revision,
        content=versions.Content(**{"title": "User agreement", "text": "Edited."} | content),
        source="page",
    )


# --- Drafting and publishing --------------------------------------------------------------------------------


def test_a_draft_is_edited_published_and_replaces_the_version_before(manager: User) -> None:
    publish_agreements()
    draft = draft_of(manager, "2", text="One\r\ntwo")
    assert (draft.status, draft.published_at, draft.text) == (Status.DRAFT, None, "One\ntwo")
    edited = edit(manager, draft, text="Three", roles=["PRIMARY_OWNER"])
    assert (edited.revision, edited.text_sha256) == (2, text_hash("Three"))
    assert not scope.in_force().filter(version="2").exists()

    publish(manager, draft)
    now, before = Agreement.objects.get(version="2"), Agreement.objects.get(name=NAME, version="1")
    assert (now.status, now.text, now.roles, now.retired_at) == (
        "published",
        "Three",
        ["PRIMARY_OWNER"],
        None,
    )
    assert (before.status, before.retired_at is not None) == ("retired", True)
    actions = set(AuditEntry.objects.filter(subject_id=now.pk).values_list("action", flat=True))
    assert actions == {"agreement.draft", "agreement.edit", "agreement.status", "agreement.publish"}
    assert all(
        entry.actor == manager and "Three" not in str(entry.after)
        for entry in AuditEntry.objects.filter(subject_id=now.pk)
    )


def test_nobody_publishes_what_they_have_not_seen(manager: User) -> None:
    draft = draft_of(manager)
    edit(manager, draft)
    for act in (
        lambda: versions.draft_publish(actor=manager, agreement_id=draft.pk, revision=1, source="page"),
        lambda: edit(manager, draft, revision=1, text="Over it"),
    ):
        with pytest.raises(Conflict, match="changed since"):
            act()
    draft.refresh_from_db()
    assert (draft.status, draft.text) == (Status.DRAFT, "Edited.")


def test_a_published_version_takes_no_edit_and_no_second_publishing(manager: User) -> None:
    draft = new_version(manager)
    for act in (
        lambda: edit(manager, draft, revision=draft.revision),
        lambda: publish(manager, draft),
    ):
        with pytest.raises(Conflict, match="published"):
            act()
    with pytest.raises(Conflict, match="exists already"):
        draft_of(manager, draft.version)


def test_retiring_needs_a_reason_and_a_version_in_force(manager: User) -> None:
    draft = draft_of(manager)

    def retire(reason: str) -> None:
        versions.agreement_retire(actor=manager, agreement_id=draft.pk, reason=reason, source="page")

    with pytest.raises(IllegalMove):
        retire("not published")
    publish(manager, draft)
    with pytest.raises(Invalid):
        retire("  ")
    retire("withdrawn by the provider")
    with pytest.raises(IllegalMove):
        retire("twice")
    draft.refresh_from_db()
    assert (draft.status, scope.in_force().count()) == (Status.RETIRED, 0)


@pytest.mark.parametrize("role", list(Role.values))
def test_who_may_manage_versions(role: str, manager: User) -> None:
    actor = make_customer_user() if role == Role.CUSTOMER else make_staff(role)
    draft = draft_of(manager, "1")
    live = new_version(manager, "1", name="e-sign")
    acts: list[Callable[[], object]] = [
        lambda: draft_of(actor, "9"),
        lambda: edit(actor, draft),
        lambda: publish(actor, draft),
        lambda: versions.agreement_retire(actor=actor, agreement_id=live.pk, reason="because", source="page"),
    ]
    if role in {Role.COMPLIANCE_MANAGER, Role.ADMINISTRATOR}:
        for act in acts:
            act()
        return
    before = list(Agreement.objects.order_by("pk").values_list("status", "revision", "text"))
    for act in acts:
        with pytest.raises(Forbidden):
            act()
    assert list(Agreement.objects.order_by("pk").values_list("status", "revision", "text")) == before


# --- The database holds it ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"text": "Other"},
        {"title": "Other"},
        {"text_sha256": "0" * 64},
        {"version": "9"},
        {"countries": ["US"]},
        {"remind_after_days": [1]},
        {"status": "draft"},
        {"published_at": None},
        {"revision": 9},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_refuses_to_change_what_was_published(change: dict[str, Any], manager: User) -> None:
    live = new_version(manager)
    with pytest.raises(DatabaseError), transaction.atomic():
        Agreement.objects.filter(pk=live.pk).update(**change)
    versions.agreement_retire(actor=manager, agreement_id=live.pk, reason="because", source="page")
    for act in (
        lambda: Agreement.objects.filter(pk=live.pk).update(**change),
        lambda: Agreement.objects.filter(pk=live.pk).update(retired_at=clock.now() + timedelta(days=1)),
        lambda: Agreement.objects.filter(pk=live.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()


def test_the_database_refuses_to_change_a_published_pdf_or_an_acceptance(manager: User) -> None:
    kept = document_read(pdf())
    live = new_version(manager, "1", is_pdf=True, document=kept)
    for act in (
        lambda: AgreementDocument.objects.filter(pk=live.pk).update(content=b"%PDF-other"),
        lambda: AgreementDocument.objects.filter(pk=live.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    submitted(make_customer_user())
    with pytest.raises(DatabaseError), transaction.atomic():
        AgreementAcceptance.objects.update(text_sha256="0" * 64)


def test_the_database_allows_one_version_in_force(manager: User) -> None:
    new_version(manager, "1")
    second = draft_of(manager, "2")
    with pytest.raises(IntegrityError), transaction.atomic():
        Agreement.objects.filter(pk=second.pk).update(status="published", published_at=clock.now())


@pytest.mark.django_db(transaction=True)
def test_two_publish_at_once_and_one_version_is_in_force() -> None:
    manager = make_staff(Role.COMPLIANCE_MANAGER)
    new_version(manager, "1")
    drafts = [draft_of(manager, str(number)) for number in range(2, 6)]
    gate = threading.Barrier(len(drafts))

    def work(draft: Agreement) -> None:
        gate.wait()
        try:
            publish(manager, draft)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(draft,)) for draft in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    states = sorted(Agreement.objects.values_list("status", flat=True))
    assert states == ["published", *["retired"] * 4]


@pytest.mark.django_db(transaction=True)
def test_the_first_version_is_published_twice_at_once() -> None:
    """Neither publisher sees the other's row to lock; the constraint decides."""
    gate = threading.Barrier(4)
    refused: list[str] = []

    def work(number: int) -> None:
        gate.wait()
        try:
            agreement_publish(name=NAME, version=str(number), title="User agreement", text="x")
        except Conflict as error:
            refused.append(error.message)
        finally:
            connection.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert scope.in_force().count() == 1
    assert Agreement.objects.count() + len(refused) == 4


# --- Texts and PDFs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "text <a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html,<script>alert(1)</script>)",
        "[x](vbscript:x)",
        "[x](/staff/agreements/)",
        "![x](https://evil.example/pixel.png)",
        "<javascript:alert(1)>",
        "[x][1]\n\n[1]: javascript:alert(1)",
        "`<script>alert(1)</script>`",
        "    <script>alert(1)</script>",
        '```"><script>alert(1)</script>\nx\n```',
        "<style>body{display:none}</style>",
        "<!-- --><iframe src=//evil.example></iframe>",
        '[x](https://ok.example/"onmouseover="alert(1))',
        "|a|\n|-|\n|<script>x</script>|",
    ],
)
def test_hostile_markdown_is_text(hostile: str) -> None:
    html = text_html(f"Before\n\n{hostile}\n\nafter")
    assert "Before" in html
    assert "after" in html
    lowered = html.lower()
    for tag in ("<script", "<img", "<iframe", "<style", "<!--"):
        assert tag not in lowered
    for start in ('href="javascript', 'href="data', 'href="vbscript', 'href="/', 'onmouseover="'):
        assert start not in lowered


def test_markdown_reads_well() -> None:
    html = text_html("# Title\n\n1. one\n2. two\n\nline\nbreak **bold** [site](https://a.example/)")
    assert "<h3>Title</h3>" in html
    assert "<li>one</li>" in html
    assert "line<br" in html
    assert '<a href="https://a.example/">site</a>' in html


def _script() -> Any:
    return pikepdf.Dictionary(S=pikepdf.Name("/JavaScript"), JS=pikepdf.String("app.alert(1)"))


FAKES: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "a page of HTML": lambda: b"<html><script>alert(1)</script>%PDF-1.7 %%EOF",
    "a name alone": lambda: b"%PDF-1.7\n<html></html>\n%%EOF",
    "a picture": lambda: b"\x89PNG\r\n\x1a\n" + b"0" * 100,
    "cut off": lambda: pdf()[:200],
    "no page": lambda: pdf(0),
    "locked": lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="u")),
    "locked for the owner": lambda: pdf(encryption=pikepdf.Encryption(owner="o", user="")),
    "a script at opening": lambda: pdf_with({"/OpenAction": _script()}),
    "a program to start": lambda: pdf_with({"/OpenAction": pikepdf.Dictionary(S=pikepdf.Name("/Launch"))}),
    "named scripts": lambda: pdf_with({"/Names": pikepdf.Dictionary(JavaScript=pikepdf.Dictionary())}),
    "files inside": lambda: pdf_with({"/Names": pikepdf.Dictionary(EmbeddedFiles=pikepdf.Dictionary())}),
    "too large": lambda: pdf() + b" " * LARGEST_DOCUMENT + b"%%EOF",
}


@pytest.mark.parametrize("kind", FAKES)
def test_a_fake_or_active_pdf_is_refused(kind: str) -> None:
    with pytest.raises(Invalid) as caught:
        document_read(FAKES[kind]())
    assert list(caught.value.fields) == ["document"]


def test_a_pdf_is_kept_as_it_came(manager: User) -> None:
    content = pdf(3)
    draft = draft_of(manager, is_pdf=True, document=document_read(content))
    kept = AgreementDocument.objects.get(pk=draft.pk)
    assert (bytes(kept.content), kept.size, kept.pages) == (content, len(content), 3)
    assert (draft.text, draft.text_sha256) == ("", hashlib.sha256(content).hexdigest())
    same = edit(manager, draft, is_pdf=True, title="Other title")
    assert same.text_sha256 == draft.text_sha256
    text = edit(manager, draft, revision=2, text="Now in words")
    assert (text.is_pdf, AgreementDocument.objects.exists()) == (False, False)
    with pytest.raises(Invalid, match="no PDF"):
        edit(manager, draft, revision=3, is_pdf=True)


# --- Whom it binds, and what publishing asks ----------------------------------------------------------------


def test_the_impact_counts_who_must_sign(manager: User) -> None:
    live = approved(make_customer_user(), tax_id="536-22-1111")
    waiting = submitted(make_customer_user(), tax_id="536-22-2222")
    drafted = complete_draft(make_customer_user(), tax_id="536-22-3333")
    fresh = journeys.services.application_start(actor=make_customer_user(), source="page")
    withdrawn(make_customer_user())
    closed = approved(make_customer_user(), tax_id="536-22-4444")
    closed.account.move_to("closed", actor=None, source="test")
    draft = draft_of(manager)

    found = impact.impact_of(draft)
    assert found == impact.Impact(
        owners=4,
        again=3,
        customers=4,
        live_accounts=1,
        open_applications=3,
        without_login=0,
        in_drafts=1,
        updates=0,
    )
    rows = {row.application: row for row in impact.owners_to_sign(manager, draft).rows}
    assert set(rows) == {live, waiting, drafted, fresh}
    assert [rows[each].asked for each in (live, waiting, drafted, fresh)] == [True, True, True, False]


def test_the_list_is_paged_by_key(manager: User) -> None:
    for _ in range(5):
        journeys.services.application_start(actor=make_customer_user(), source="page")
    draft = draft_of(manager)
    first = impact.owners_to_sign(manager, draft, size=2)
    second = impact.owners_to_sign(manager, draft, after=first.older, size=2)
    third = impact.owners_to_sign(manager, draft, after=second.older, size=2)
    seen = [row.pk for page in (first, second, third) for row in page.rows]
    assert len(set(seen)) == 5
    assert third.older == ""
    with pytest.raises(Forbidden):
        impact.owners_to_sign(make_staff(Role.FUNDING_OPERATOR), draft)


@pytest.mark.parametrize(
    ("content", "bound"),
    [
        ({}, True),
        ({"account_types": ["INDIVIDUAL"]}, True),
        ({"account_types": ["ENTITY"]}, False),
        ({"roles": ["PRIMARY_OWNER", "TRUSTEE"]}, True),
        ({"roles": ["TRUSTEE"]}, False),
        ({"countries": ["CA", "US"]}, True),
        ({"countries": ["CA"]}, False),
        ({"account_types": ["INDIVIDUAL"], "countries": ["CA"]}, False),
    ],
)
def test_whom_it_binds_is_said_the_same_way_twice(
    content: dict[str, Any], bound: bool, manager: User, customer_user: User
) -> None:
    owner = submitted(customer_user).owners.get()
    agreement = new_version(manager, "9", **content)
    assert scope.binds(agreement, owner) is bound
    assert scope.bound(agreement).filter(pk=owner.pk).exists() is bound
    assert [item.agreement for item in scope.pending_for(customer_user)] == ([agreement] if bound else [])


def test_the_applicant_signs_for_a_minor_and_a_trustee_for_themselves(
    manager: User, customer_user: User
) -> None:
    journeys.EVERY_TYPE["custodial"](customer_user)
    roles = {row.role for row in scope.signed_for_by(customer_user)}
    assert roles == {OwnerRole.CUSTODIAN, OwnerRole.MINOR_OWNER}
    other = make_customer_user()
    trust = journeys.services.application_start(
        actor=other, account_type="ENTITY_PERSONAL_TRUST", country="US", source="page"
    )
    co_trustee = journeys.add(other, trust, OwnerRole.TRUSTEE)
    beneficiary = journeys.add(other, trust, OwnerRole.BENEFICIARY)
    mine = set(scope.signed_for_by(other))
    assert beneficiary in mine
    assert co_trustee not in mine
    assert impact.impact_of(draft_of(manager, "7")).without_login == 1
    trustee = make_customer_user("Terry Trustee")
    co_trustee.user = trustee
    co_trustee.save(update_fields=["user"])
    assert list(scope.signed_for_by(trustee)) == [co_trustee]


def ask_for_a_change(application: Application) -> AccountUpdate:
    return services.update_request(
        actor=application.customer.user,
        application_id=application.pk,
        step="contact",
        answers=answers.CONTACT | {"phone": "+15125550177"},
        source="page",
    )


def test_changes_that_wait_are_counted_and_go_when_nothing_waits_any_more(
    manager: User, customer_user: User
) -> None:
    application = approved(customer_user)
    other = approved(make_customer_user())
    moving = ask_for_a_change(other)
    second = new_version(manager, "2")
    update = ask_for_a_change(application)
    assert (update.status, moving.status) == ("waiting", "checking")
    third = draft_of(manager, "3")
    assert impact.impact_of(third).updates == 1
    assert impact.impact_of(draft_of(manager, "4", roles=["TRUSTEE"])).updates == 0
    rows = {row.application: row.update_waits for row in impact.owners_to_sign(manager, third).rows}
    assert rows == {application: True, other: False}

    assert updates.free_updates_go_on() == 0
    versions.agreement_retire(actor=manager, agreement_id=second.pk, reason="wrong text", source="page")
    assert updates.free_updates_go_on() == 1
    update.refresh_from_db()
    assert update.status == "checking"
    assert updates.free_updates_go_on() == 0


# --- The command --------------------------------------------------------------------------------------------


def test_the_command_publishes_through_the_same_services(tmp_path: Path) -> None:
    file = tmp_path / "text.md"
    file.write_text("# Hello")
    arguments = ["agreement_publish", "--name", NAME, "--title", "User agreement", "--file", str(file)]
    for version in ("1", "2"):
        call_command(*arguments, "--agreement-version", version, stdout=StringIO())
    assert [row.version for row in scope.in_force()] == ["2"]
    assert AuditEntry.objects.filter(action="agreement.publish", source="command").count() == 2
    with pytest.raises(CommandError, match="exists already"):
        call_command(*arguments, "--agreement-version", "2", stdout=StringIO())
