"""The pages and endpoints of agreements: who reaches them, and what they show, keep and refuse."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from onboarding.agreements import acceptance, scope
from onboarding.agreements.documents import document_read
from onboarding.models import Agreement, AgreementAcceptance
from onboarding.models.agreements import AgreementDocument
from portal.models import AuditEntry, Role, User
from tests.flow import publish_agreements, submitted
from tests.onboarding.agreements_support import approved, draft_of, new_version, pdf
from tests.people import make_customer_user, make_staff

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
#: No agreement has this id.
NOBODYS = "01a1fe6b-9b62-76f7-82b7-7d6b7858f64c"
STAFF = "/staff/agreements/"
READERS = {Role.COMPLIANCE_MANAGER, Role.ADMINISTRATOR, Role.AUDITOR}
MANAGERS = READERS - {Role.AUDITOR}


@pytest.fixture
def manager(db: None) -> User:
    return make_staff(Role.COMPLIANCE_MANAGER)


@pytest.fixture
def office(manager: User, signed_in: SignIn) -> Client:
    return signed_in(manager)


def form(**changes: Any) -> dict[str, Any]:
    """What the form of a new draft sends."""
    return {
        "name": "e-sign",
        "version": "7",
        "title": "Electronic consent",
        "format": "markdown",
        "text": "You consent.",
        "countries": "us, CA",
        "remind_after_days": "0, 5",
    } | changes


def words(response: Any, status: int = 200) -> str:
    assert response.status_code == status, response.content.decode()[:2000]
    return str(response.content.decode())


# --- Who ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["nobody", *Role.values])
def test_who_reaches_the_staff_pages(
    role: str, manager: User, customer_user: User, signed_in: SignIn, client: Client
) -> None:
    submitted(customer_user)
    kept = AgreementAcceptance.objects.all()[0]
    live = kept.agreement
    draft = draft_of(manager, "9")
    if role != "nobody":
        signed_in_as = customer_user if role == Role.CUSTOMER else make_staff(role)
        client = signed_in(signed_in_as)
    reading = [
        STAFF,
        f"{STAFF}?status=draft",
        f"{STAFF}{draft.pk}/",
        f"{STAFF}{live.pk}/",
        f"{STAFF}{draft.pk}/preview/",
        f"{STAFF}{live.pk}/accepted/",
        f"{STAFF}acceptances/{kept.pk}/",
        f"{STAFF}acceptances/{kept.pk}/certificate.pdf",
    ]
    managing = [
        f"{STAFF}new/",
        f"{STAFF}new/?of={live.pk}",
        f"{STAFF}{draft.pk}/edit/",
        f"{STAFF}{draft.pk}/publish/",
        f"{STAFF}{draft.pk}/publish/confirm/?revision=1",
        f"{STAFF}{live.pk}/retire/",
    ]
    for urls, allowed in ((reading, READERS), (managing, MANAGERS)):
        for url in urls:
            answer = client.get(url)
            if role == "nobody":
                assert answer.url.startswith("/account/login/"), url  # type: ignore[attr-defined]
            else:
                assert answer.status_code == (200 if role in allowed else 403), url
    before = list(Agreement.objects.order_by("pk").values_list("status", "revision"))
    if role not in MANAGERS:
        for url in (managing[0], managing[2], managing[4], managing[5]):
            data = form() | {"revision": "1", "reason": "because of it"}
            assert client.post(url, data).status_code in {302, 403}, url
        assert list(Agreement.objects.order_by("pk").values_list("status", "revision")) == before
    menu = client.get("/staff/applications/").content.decode()
    assert ("/staff/agreements/" in menu) == (role in READERS)


def test_what_is_not_there_is_404(office: Client) -> None:
    for rest in ("", "edit/", "preview/", "publish/", "publish/confirm/", "retire/", "accepted/"):
        assert office.get(f"{STAFF}{uuid4()}/{rest}").status_code == 404, rest
    assert office.get(f"{STAFF}acceptances/{uuid4()}/").status_code == 404
    assert words(office.get(f"{STAFF}new/?of=nonsense"))
    assert office.get(f"{STAFF}new/?of={uuid4()}").status_code == 404


# --- Staff: from draft to retired ---------------------------------------------------------------------------


def test_from_draft_over_impact_to_in_force_and_retired(office: Client, customer_user: User) -> None:
    application = approved(customer_user)
    made = office.post(f"{STAFF}new/", form())
    draft = Agreement.objects.get(version="7")
    assert made.url == f"{STAFF}{draft.pk}/"  # type: ignore[attr-defined]
    assert (draft.countries, draft.remind_after_days) == (["CA", "US"], [0, 5])

    edited = office.post(f"{STAFF}{draft.pk}/edit/", form(text="# Heading", revision="1"))
    assert edited.status_code == 302
    assert "<h3>Heading</h3>" in words(office.get(f"{STAFF}{draft.pk}/preview/"))

    shown = words(office.get(f"{STAFF}{draft.pk}/publish/"))
    assert application.reference in shown
    assert "takes the place of version 1" in shown
    asked = words(office.get(f"{STAFF}{draft.pk}/publish/confirm/?revision=2"))
    assert "1 owner must sign, 1 of them again" in asked
    assert "day 0, 5" in asked
    assert not scope.in_force().filter(pk=draft.pk).exists()
    stale = office.get(f"{STAFF}{draft.pk}/publish/confirm/?revision=1")
    assert stale.url == f"{STAFF}{draft.pk}/publish/"  # type: ignore[attr-defined]
    for word in ("1", "", "x", "9" * 30):
        assert office.post(f"{STAFF}{draft.pk}/publish/confirm/", {"revision": word}).status_code == 409
    assert office.post(f"{STAFF}{draft.pk}/publish/confirm/", {"revision": "2"}).status_code == 302
    assert scope.in_force().filter(pk=draft.pk).exists()

    detail = words(office.get(f"{STAFF}{draft.pk}/"))
    assert "Yet to accept" in detail
    assert office.get(f"{STAFF}{draft.pk}/edit/").status_code == 409
    assert office.get(f"{STAFF}{draft.pk}/publish/").status_code == 409
    assert words(office.post(f"{STAFF}{draft.pk}/retire/", {"reason": ""}), 422)
    assert office.post(f"{STAFF}{draft.pk}/retire/", {"reason": "wrong text"}).status_code == 302
    assert "wrong text" in words(office.get(f"{STAFF}{draft.pk}/"))


def test_a_new_version_starts_from_the_one_before(office: Client, manager: User) -> None:
    live = new_version(manager, "1", text="The text of before", countries=["CA"])
    page = words(office.get(f"{STAFF}new/?of={live.pk}"))
    assert "The text of before" in page
    assert 'value="CA"' in page
    assert 'value="crypto-user-agreement"' in page


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"name": "no spaces"}, "name"),
        ({"name": "<script>"}, "name"),
        ({"version": "../7"}, "version"),
        ({"version": ""}, "version"),
        ({"text": "  \n "}, "text"),
        ({"text": "a\x00b"}, "text"),
        ({"text": "x" * 250_001}, "text"),
        ({"format": "html"}, "format"),
        ({"format": "pdf"}, "document"),
        ({"account_types": ["BANK"]}, "account_types"),
        ({"roles": ["KING"]}, "roles"),
        ({"countries": "US, Atlantis"}, "countries"),
        ({"countries": "XX"}, "countries"),
        ({"remind_after_days": "-1"}, "remind_after_days"),
        ({"remind_after_days": "1.5"}, "remind_after_days"),
        ({"remind_after_days": "366"}, "remind_after_days"),
        ({"remind_after_days": "١"}, "remind_after_days"),
        ({"remind_after_days": ",".join(map(str, range(11)))}, "remind_after_days"),
    ],
)
def test_bad_input_is_answered_on_its_field(changes: dict[str, Any], field: str, office: Client) -> None:
    answer = office.post(f"{STAFF}new/", form(**changes))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Agreement.objects.exists()


def test_a_version_that_exists_is_said_on_the_field(office: Client, manager: User) -> None:
    draft_of(manager, "7", name="e-sign")
    answer = office.post(f"{STAFF}new/", form())
    assert "exists already" in words(answer, 422)


def test_two_who_edit_the_same_draft(office: Client, manager: User) -> None:
    draft = draft_of(manager)
    assert office.post(f"{STAFF}{draft.pk}/edit/", form(text="First", revision="1")).status_code == 302
    second = office.post(f"{STAFF}{draft.pk}/edit/", form(text="Second", revision="1"))
    assert "changed since you opened it" in words(second, 422)
    assert "Second" in second.content.decode()
    assert Agreement.objects.get(pk=draft.pk).text == "First"


def test_an_uploaded_pdf_is_shown_to_customers_once_published(
    office: Client, customer_user: User, signed_in: SignIn
) -> None:
    content = pdf(3)
    customer = signed_in(customer_user)
    file = SimpleUploadedFile("evil.html", content, "text/html")
    office.post(f"{STAFF}new/", form(format="pdf", document=file))
    draft = Agreement.objects.get(version="7")
    url = f"/agreements/{draft.pk}/document.pdf"
    assert customer.get(url).status_code == 404
    shown = office.get(url)
    assert (shown.content, shown["Content-Type"], shown["X-Content-Type-Options"]) == (
        content,
        "application/pdf",
        "nosniff",
    )
    assert shown["Content-Disposition"] == 'inline; filename="e-sign-7.pdf"'
    kept = office.post(f"{STAFF}{draft.pk}/edit/", form(format="pdf", title="Renamed", revision="1"))
    assert kept.status_code == 302
    office.post(f"{STAFF}{draft.pk}/publish/confirm/", {"revision": "2"})
    assert customer.get(url).content == content
    assert customer.get(f"/api/v1/agreements/{draft.pk}/document").content == content
    assert Client().get(url).status_code == 302


def test_a_fake_pdf_is_refused_on_the_field(office: Client) -> None:
    fake = SimpleUploadedFile("real.pdf", b"<html>%PDF-", "application/pdf")
    answer = office.post(f"{STAFF}new/", form(format="pdf", document=fake))
    assert "This is not a PDF" in words(answer, 422)
    assert not AgreementDocument.objects.exists()


def test_hostile_text_is_shown_as_text(
    office: Client, manager: User, customer_user: User, signed_in: SignIn
) -> None:
    hostile = '<script>alert(1)</script> [x](javascript:alert(1)) "><img src=x onerror=alert(1)>'
    submitted(customer_user)
    live = new_version(manager, text=hostile, title='"><script>alert(2)</script>')
    customer = signed_in(customer_user)
    for answer in (
        customer.get("/agreements/"),
        customer.get("/applications/"),
        office.get(f"{STAFF}{live.pk}/"),
        office.get(f"{STAFF}{live.pk}/preview/"),
    ):
        page = words(answer)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert 'href="javascript' not in page


def test_the_lists_cost_the_same_for_few_and_many(office: Client, manager: User) -> None:
    def cost(url: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            words(office.get(url))
        # The menu counts now and then, whatever the page.
        return sum("onboarding_agreement" in query["sql"] for query in queries)

    for number in range(2):
        submitted(make_customer_user(), tax_id=f"536-22-{5000 + number}")
    draft = draft_of(manager)
    urls = [
        STAFF,
        f"{STAFF}{draft.pk}/publish/",
        f"{STAFF}{Agreement.objects.get(name='e-sign').pk}/accepted/",
    ]
    few = [cost(url) for url in urls]
    for number in range(4):
        draft_of(manager, str(10 + number))
        submitted(make_customer_user(), tax_id=f"536-22-{6000 + number}")
    assert [cost(url) for url in urls] == few


# --- Customers ----------------------------------------------------------------------------------------------


def test_the_customer_reads_and_accepts_on_a_page(
    manager: User, customer_user: User, signed_in: SignIn
) -> None:
    application = approved(customer_user)
    customer = signed_in(customer_user)
    assert "Please read and accept" not in words(customer.get("/applications/"))
    live = new_version(manager, text="Read **this**")
    home = words(customer.get("/applications/"))
    assert "Please read and accept" in home
    assert "/agreements/" in home
    page = words(customer.get("/agreements/"))
    assert "<strong>this</strong>" in page
    assert application.reference in page
    assert live.text_sha256 in page

    assert "Tick what you accept" in words(customer.post("/agreements/", {}), 422)
    other = customer.post("/agreements/", {f"accept_{live.pk}": "1", f"shown_{live.pk}": "0" * 64})
    assert "was changed" in words(other, 422)
    assert not AgreementAcceptance.objects.filter(agreement=live).exists()
    given = {f"accept_{live.pk}": "1", f"shown_{live.pk}": live.text_sha256}
    assert customer.post("/agreements/", given).url == "/agreements/"  # type: ignore[attr-defined]
    assert "Nothing waits" in words(customer.get("/agreements/"))
    assert "Please read and accept" not in words(customer.get("/applications/"))


def test_the_certificate_is_its_owners_alone(customer_user: User, signed_in: SignIn) -> None:
    submitted(customer_user)
    kept = acceptance.acceptances_of(customer_user)[0]
    page, endpoint = (
        f"/agreements/acceptances/{kept.pk}/certificate.pdf",
        f"/api/v1/agreements/acceptances/{kept.pk}/certificate",
    )
    stranger, agent = signed_in(make_customer_user()), signed_in(make_staff(Role.ONBOARDING_AGENT))
    for url, statuses in ((page, (302, 404, 403)), (endpoint, (401, 404, 403))):
        answers = [asker.get(url).status_code for asker in (Client(), stranger, agent)]
        assert tuple(answers) == statuses, url
    assert not AuditEntry.objects.filter(action="agreement.certificate").exists()
    for url, source in ((page, "page"), (endpoint, "api")):
        answer = signed_in(customer_user).get(url)
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer.content.startswith(b"%PDF-")
        assert AuditEntry.objects.filter(action="agreement.certificate", source=source).count() == 1
    refused = signed_in(make_customer_user()).get(endpoint, headers={"Accept": "application/pdf"})
    assert refused["Content-Type"] == "application/problem+json"
    assert json.loads(refused.content)["status"] == 404


# --- The API ------------------------------------------------------------------------------------------------

PENDING = "/api/v1/agreements/pending"
ACCEPT = "/api/v1/agreements/acceptances"


def post(client: Client, body: Any) -> Any:
    return client.post(ACCEPT, json.dumps(body), content_type="application/json")


def test_an_app_reads_and_accepts(manager: User, customer_user: User, signed_in: SignIn) -> None:
    application = approved(customer_user)
    app = signed_in(customer_user)
    assert app.get(PENDING).json() == []
    live = new_version(manager, text="# New")
    (row,) = app.get(PENDING).json()
    assert row == {
        "id": str(live.pk),
        "name": live.name,
        "version": "2",
        "title": "User agreement",
        "format": "markdown",
        "text": "# New",
        "text_sha256": live.text_sha256,
        "again": True,
        "references": [application.reference],
        "also_for": [],
    }
    accepted = [{"agreement": row["id"], "text_sha256": row["text_sha256"]}]
    answer = post(app, {"accepted": accepted})
    assert answer.status_code == 200, answer.content
    (kept,) = answer.json()["accepted"]
    assert (kept["agreement"], kept["text_sha256"]) == (str(live.pk), live.text_sha256)
    assert post(app, {"accepted": accepted}).json() == {"accepted": []}
    assert app.get(PENDING).json() == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"accepted": []},
        {"accepted": "all"},
        {"accepted": [{}]},
        {"accepted": [{"agreement": "x", "text_sha256": "0" * 64}]},
        {"accepted": [{"agreement": NOBODYS, "text_sha256": "0" * 64}]},
        {"accepted": [{"agreement": NOBODYS, "text_sha256": "Z" * 64}]},
        [],
        "x",
    ],
    ids=str,
)
def test_an_app_is_told_what_does_not_hold(body: Any, customer_user: User, signed_in: SignIn) -> None:
    publish_agreements()
    answer = post(signed_in(customer_user), body)
    assert answer.status_code == 422, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["errors"]


def test_the_endpoints_are_for_customers(manager: User, signed_in: SignIn) -> None:
    kept = document_read(pdf())
    live = new_version(manager, "1", is_pdf=True, document=kept)
    urls = [PENDING, f"/api/v1/agreements/{live.pk}/document"]
    for client, status in ((Client(), 401), (signed_in(manager), 403)):
        assert [client.get(url).status_code for url in urls] == [status, status]
        assert post(client, {"accepted": []}).status_code == status
    customer = signed_in(make_customer_user())
    assert customer.get(f"/api/v1/agreements/{uuid4()}/document").status_code == 404
    assert customer.get(urls[1], headers={"Accept": "text/html"}).status_code == 406
