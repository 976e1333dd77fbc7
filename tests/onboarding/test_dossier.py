"""What the case page says of the customer: who, what speaks for a risk, papers, links, happenings."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from compliance import dossier, kinds
from compliance import services as compliance
from compliance.kinds import Anchor
from compliance.models import Case
from onboarding.cases import duplicates, unknown
from onboarding.dossier import anchors, known, sharing
from onboarding.models import Application, Customer, Document, JurisdictionReading, Owner, ProviderAccount
from portal import clock
from portal.models import AuditEntry, User
from tests.flow import complete_draft, drain, submitted
from tests.onboarding import answers, journeys
from tests.onboarding.identity_support import told
from tests.onboarding.papers_support import upload
from tests.people import make_customer_user

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
SignIn = Callable[[User], Client]
ANALYST = "compliance_analyst"


@pytest.fixture
def papers_here(settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


def case_of(application: Application, kind: str = duplicates.KIND) -> Case:
    subject = compliance.Subject.of(application, f"Ana Ortiz, {application.reference}")
    return compliance.case_open(
        kind=kind, subject=subject, title="Looked at", facts={}, source="page", dedupe=str(uuid4())
    )


def look(viewer: User, application: Application, paper: Document | None = None) -> dossier.Dossier:
    found = dossier.of(dossier.Look(viewer, case_of(application), paper.pk if paper else None))
    assert found is not None
    return found


def signals_of(viewer: User, application: Application) -> dict[str, str]:
    return {row.text: row.weight.label for row in look(viewer, application).signals}


def text_of(client: Client, case: Case, query: str = "") -> str:
    answer = client.get(f"/staff/cases/{case.pk}/{query}")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", answer.content.decode())


def test_every_kind_of_case_shows_whom_it_is_about(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/s/7d1c")
    text = text_of(signed_in(staff(ANALYST)), case_of(application))
    assert "Whom it is about" in text
    assert "Austin, TX, United States of America" in text
    assert "Individual" in text
    assert "Waiting for the customer" in text
    account = Application.objects.get(pk=application.pk).account
    for row in (application, account, account.identity_check):
        case = case_of(application)
        case.subject_type, case.subject_id = row._meta.label_lower, row.pk
        assert anchors.of_case(case) == Anchor(anchors.APPLICATION, application.pk)
    case.subject_id = uuid4()
    assert anchors.of_case(case) is None
    case.subject_type = "onboarding.unknownaccount"
    assert anchors.of_case(case) is None


def test_no_kind_of_onboarding_leaves_out_whom_it_is_about() -> None:
    """But the account that nobody here knows, who is nobody's yet."""
    ours = [kind for kind in kinds.all_kinds() if kind.name.startswith("onboarding.")]
    assert {kind.name for kind in ours if kind.anchor is not anchors.of_case} == {unknown.kind.name}


def test_other_cases_about_the_same_customer_are_found_by_any_of_their_rows(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/s/7d1c")
    account = Application.objects.get(pk=application.pk).account
    other = compliance.case_open(
        kind="onboarding.differs",
        subject=compliance.Subject.of(account, "Account"),
        title="Differs",
        facts={},
        source="poll",
        dedupe="1",
    )
    assert other.reference in text_of(signed_in(staff(ANALYST)), case_of(application))


def test_what_the_portal_knows_is_weighed_and_the_heaviest_comes_first(
    customer_user: User, staff: Staff
) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/s/7d1c")
    ProviderAccount.objects.update(party_reason="RISK_OFAC", held_at=clock.now())
    application = Application.objects.get(pk=application.pk)
    check = application.account.identity_check
    check.expirations, check.refused_at, check.round = 2, clock.now(), 2
    check.save()
    applicant = Owner.objects.get(application=application)
    Document.objects.create(
        application=application,
        owner=applicant,
        type="PASSPORT",
        side="FRONT",
        country="MX",
        content_type="image/jpeg",
        size=1,
        file_key="k",
        uploaded_by=customer_user,
        scan=Document.Scan.OFF,
        expires_on=date(2020, 1, 1),
        verdict="rejected",
        reject_reason="name_differs",
    )
    profile = application.investment_profile
    profile.annual_income_range = "OVER_5M"
    profile.liquid_net_worth_range, profile.total_net_worth_range = "OVER_5M", "UNDER_25K"
    profile.save()
    applicant.employment.situation = "STUDENT"
    applicant.employment.save()
    JurisdictionReading.objects.create(country="USA", state="TX", orders={"BTC": "PROHIBITED"})
    found = look(staff(ANALYST), application)
    weights = [row.weight for row in found.signals]
    assert weights == sorted(weights, reverse=True)
    assert found.risk == (f"High: {len(weights)} signals", "danger")
    assert all(row.source and row.url for row in found.signals)
    said = {row.text: row.weight.label for row in found.signals}
    assert said == said | {
        "The sanctions screening failed. (RISK_OFAC)": "High",
        "We hold the account's money ourselves": "High",
        "Passport: the name on it differs": "High",
        "No coin can be bought or sold in Texas": "High",
        "2 of 3 links of the identity check ran out": "Medium",
        "The provider refused a new link": "Medium",
        "The identity check was asked for 2 times": "Low",
        "Passport has expired": "Medium",
        "Passport of Mexico, lives in United States of America": "Low",
        "Student, and an income of Over $5 million": "Medium",
        "Says to have more at hand than in all": "Medium",
    }


def test_nothing_known_is_no_signal(customer_user: User, staff: Staff) -> None:
    found = look(staff(ANALYST), complete_draft(customer_user))
    assert found.signals == []
    assert found.risk == ("No signals", "success")


def test_who_shares_a_phone_an_address_a_number_or_a_login(customer_user: User, staff: Staff) -> None:
    mine = complete_draft(customer_user, **answers.ANA)
    other = complete_draft(make_customer_user("Other"), given_name="Bo", family_name="Li")
    own = journeys.custodial(customer_user)
    Owner.objects.filter(application=other).update(email="other@example.test")
    found = look(staff(ANALYST), mine)
    assert [link.url.split("/")[-2] for link in found.links] == [str(own.pk), str(other.pk)]
    assert "The same login" in found.links[0].shares
    assert "Tax number" in found.links[0].shares
    assert found.links[1].who == f"Bo Li, {other.reference}"
    assert set(found.links[1].shares) == {"Phone ending 42", "Address in Austin"}
    assert found.links[1].standing == "Waiting for the customer to finish the application"
    # What one's own other account shares is no signal; what another customer's does is.
    assert {row.text: row.weight.label for row in found.signals} == {
        "Same phone as 1 other application of other customers": "Medium",
        "Same address as 1 other application of other customers": "Low",
    }
    assert look(staff(ANALYST), own).links[0].shares == ("This account",)


def test_a_tax_number_of_another_customer_weighs_until_someone_looked(
    customer_user: User, staff: Staff
) -> None:
    submitted(make_customer_user("First"), tax_id="536-22-1234")
    mine = submitted(customer_user, tax_id="536 22 1234")
    words = "Same tax number as 1 other application of other customers"
    assert signals_of(staff(ANALYST), mine)[words] == "High"
    Application.objects.filter(pk=mine.pk).update(cleared_at=clock.now())
    assert signals_of(staff(ANALYST), mine)[words] == "Low"


def test_a_sign_in_from_the_same_address_links_within_ninety_days(customer_user: User, staff: Staff) -> None:
    mine = complete_draft(customer_user)
    user = make_customer_user("Other")
    other = complete_draft(user)
    Owner.objects.filter(application=other).update(email="o@example.test", phone="")
    Owner.objects.get(application=other).addresses.all().delete()
    entries = [
        AuditEntry(action="auth.login", actor=actor, ip="192.0.2.7", at=clock.now() - timedelta(days=days))
        for actor, days in ((customer_user, 3), (user, 80))
    ]
    AuditEntry.objects.bulk_create(entries)
    link = look(staff(ANALYST), mine).links[0]
    assert link.shares == ("Signed in from the same internet address",)
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="auth.login", actor=user, ip="192.0.2.8", at=clock.now() - timedelta(days=100))]
    )
    assert "192.0.2" not in str(link)


def test_a_sign_in_from_the_same_device_links_from_any_address(customer_user: User, staff: Staff) -> None:
    mine = complete_draft(customer_user)
    user, stranger = make_customer_user("Other"), make_customer_user("Stranger")
    other, _ = complete_draft(user, given_name="Bo", family_name="Li"), complete_draft(stranger)
    AuditEntry.objects.bulk_create(
        AuditEntry(action="auth.login", actor=actor, ip=ip, after=after)
        for actor, ip, after in (
            (customer_user, "192.0.2.7", {"device": "a" * 32}),
            (user, "192.0.2.8", {"device": "a" * 32}),
            (stranger, "192.0.2.9", {"device": "b" * 32}),
            (stranger, "192.0.2.9", {"methods": "password"}),
        )
    )
    found = known.of(case_of(mine), mine.pk)
    assert found is not None
    shared = sharing.find(found, staff(ANALYST))
    assert shared.of_way("device") == [other.pk]
    assert not shared.of_way("sign_in")
    words = "Signed in from the same device as 1 other application of other customers"
    assert signals_of(staff(ANALYST), mine)[words] == "Medium"
    assert "aaaa" not in str(look(staff(ANALYST), mine).links)


def test_what_is_shut_away_shows_on_no_case(customer_user: User, staff: Staff) -> None:
    mine = complete_draft(customer_user)
    other = complete_draft(make_customer_user("Other"), given_name="Bo", family_name="Li")
    Customer.objects.filter(user=customer_user).update(
        restricted_at=clock.now(), restricted_until=date(2031, 5, 1)
    )
    found = look(staff(ANALYST), mine)
    assert found.summary is not None
    assert "May 01, 2031" in str(found.summary.rows)
    assert (found.papers, found.links, found.signals) == ([], [], [])
    assert "Ana" not in str(found)
    assert look(staff(ANALYST), other).links == []


def test_what_many_share_is_named_and_not_drawn_and_costs_no_more(
    customer_user: User, staff: Staff, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, analyst = complete_draft(customer_user), staff(ANALYST)
    complete_draft(make_customer_user("One"))
    case = case_of(mine)
    with CaptureQueriesContext(
        connection,
    ) as few:
        dossier.of(dossier.Look(analyst, case))
    for name in ("Two", "Three", "Four"):
        complete_draft(make_customer_user(name))
    monkeypatch.setattr(sharing, "COMMON", 2)
    # What was read of a case stays with it.
    case = Case.objects.get(pk=case.pk)
    with CaptureQueriesContext(connection) as many:
        found = dossier.of(dossier.Look(analyst, case))
    assert found is not None
    assert found.links == []
    assert "Phone ending 42: shared with more than 2 others" in found.common
    assert len(many) <= len(few) <= 9
    monkeypatch.setattr(sharing, "COMMON", 20)
    case = Case.objects.get(pk=case.pk)
    monkeypatch.setattr("onboarding.dossier.part.MOST_LINKS", 1)
    found = dossier.of(dossier.Look(analyst, case))
    assert found is not None
    assert (len(found.links), found.more_links) == (1, 3)


def test_the_page_asks_together_what_does_not_wait_for_each_other(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = submitted(customer_user)
    client = signed_in(staff(ANALYST))
    alone = case_of(application)
    for number in range(2):
        text_of(client, alone)
        with CaptureQueriesContext(connection) as asked:
            text_of(client, alone)
        # An account and people who share something cost one question more.
        assert len(asked) <= 11 + number, [query["sql"][:80] for query in asked]
        complete_draft(make_customer_user("Ben"))
        ProviderAccount.objects.get_or_create(application=application, defaults={"client_account_id": "1"})


def test_a_paper_stands_beside_the_answers_when_it_is_chosen_and_that_is_recorded(
    customer_user: User, staff: Staff, signed_in: SignIn, papers_here: None
) -> None:
    application = journeys.trust(customer_user)
    owner = Owner.objects.get(application=application, is_applicant=True)
    paper = upload(
        customer_user, application, type="PASSPORT", owner_id=owner.pk, expires_on=date(2031, 5, 1)
    )
    drain()
    case, client = case_of(application), signed_in(staff(ANALYST))
    text = text_of(client, case)
    assert "Choose a paper to see it" in text
    assert "/staff/files/" not in text
    read = AuditEntry.objects.filter(action="document.read")
    assert not read.exists()
    text = text_of(client, case, f"?paper={paper.pk}")
    picture = re.search(r'src="(/staff/files/[^"]+)"', text)
    assert picture is not None
    assert client.get(picture[1])["Content-Type"] == "image/jpeg"
    assert read.get().after["part"] == "preview"
    born = str(owner.date_of_birth)
    for words in ("Ana Ortiz", born, "100 Sample Street, Apt 4, Austin, TX 78701", "May 1, 2031"):
        assert words in text
    assert not re.search(r"\b1988\b", text)
    # An auditor sees what the analyst saw, under a link of their own; that is recorded too.
    auditor = signed_in(staff("auditor"))
    seen = re.search(r'src="(/staff/files/[^"]+)"', text_of(auditor, case, f"?paper={paper.pk}"))
    assert seen is not None and seen[1] != picture[1]
    assert auditor.get(picture[1]).status_code == 404
    assert read.count() == 2
    # An agent has the case and not the papers.
    agent = staff("onboarding_agent")
    Case.objects.filter(pk=case.pk).update(opened_by=agent)
    text = text_of(signed_in(agent), case, f"?paper={paper.pk}")
    assert "Your role does not look at papers." in text
    assert "/staff/files/" not in text
    assert read.count() == 2
    assert "Choose a paper" in text_of(client, case, "?paper=nonsense")


def test_one_list_tells_what_happened_to_the_case_and_to_the_customer(
    customer_user: User, staff: Staff, signed_in: SignIn
) -> None:
    application = submitted(customer_user)
    told(application, url="https://verify.example/s/7d1c")
    client, case = signed_in(staff(ANALYST)), case_of(application)
    text = text_of(client, case)
    assert "Step saved" not in text
    # The page asks for it when it is reached; without scripts a link leads there.
    address = re.search(r'hx-get="([^"]+)"', text)
    assert address is not None
    assert f'href="{address[1]}#history"' in text
    path = reverse("cases:detail", args=[case.pk])
    asked = client.get(f"{path}{address[1]}", headers={"HX-Request": "true", "HX-Target": "history"})
    history = asked.content.decode()
    assert history.strip().startswith('<div id="history"')
    assert "Step saved" in history
    assert asked.headers["Cache-Control"] == "no-store"
    views = AuditEntry.objects.filter(action="case.view", subject_id=case.pk).order_by("at")
    assert [row.after for row in views] == [None, {"part": "history"}]
    text = text_of(client, case, address[1])
    history = text[text.index('id="history"') :]
    assert "Opened" in history
    assert "Step saved" in history
    assert "Call to the provider written down" in history
    history = text_of(client, case, "?show=Provider")
    history = history[history.index('id="history"') :]
    assert "Call to the provider written down" in history
    assert "Step saved" not in history
    assert "Step saved" in text_of(client, case, "?show=nonsense")


def test_another_app_adds_to_the_same_page(
    customer_user: User, staff: Staff, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    application = complete_draft(customer_user)

    def funding(application_id: Any, looked: dossier.Look) -> dossier.Part:
        assert application_id == application.pk
        return dossier.Part(
            signals=(dossier.Signal("Bank added the day after", "Banks", dossier.Weight.HIGH),),
            links=(dossier.Link("Bo Li", "/staff/", ("Bank ending 21",)),),
            charts=(dossier.Chart("Coins moved", (("Mon", 3), ("Tue", 5)), "Coins"),),
        )

    monkeypatch.setitem(dossier._sources, anchors.APPLICATION, [*dossier._sources[anchors.APPLICATION]])
    case, client = case_of(application), signed_in(staff(ANALYST))
    assert "Coins moved" not in text_of(client, case)
    dossier.register(anchors.APPLICATION, funding)
    dossier.register(anchors.APPLICATION, funding)
    text = text_of(client, case)
    assert text.count("Bank added the day after") == 1
    assert "High: 1 signal" in text
    assert "Bank ending 21" in text
    assert ">Coins moved<" in text
