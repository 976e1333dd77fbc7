"""What staff upload on behalf of a customer: any type, for whom, with what said of it, and who may."""

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse

from onboarding.models import Application, Document, Owner, Upload
from onboarding.services.paper_answers import BY_HAND
from onboarding.words_documents import DocumentType
from portal.models import AuditEntry, User
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, jpeg, pdf
from tests.onboarding.uploads_support import TUS, SignedIn, Tus, errors_of

PERSONAL = {
    "PASSPORT",
    "DRIVERS_LICENSE",
    "IDENTIFICATION_CARD",
    "PASSPORT_CARD",
    "VISA",
    "SOCIAL_SECURITY_CARD",
    "W_8BEN_FORM",
    "PROOF_OF_RESIDENTIAL_ADDRESS",
    "PROOF_OF_PERSONAL_TAX_ID",
}


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


@pytest.fixture
def trust(customer_user: User) -> Application:
    return journeys.trust(customer_user)


@pytest.fixture
def person(trust: Application) -> Owner:
    return trust.owners.get(is_applicant=True)


def form(**more: Any) -> dict[str, Any]:
    """What the page sends: the trust's own certification unless something else is said."""
    given = {"type": "TRUST_CERTIFICATION", "owner": "", "side": "FRONT", "country": "US", "description": ""}
    return given | {"file": file(pdf(), "x.pdf")} | more


def last_day(year: int = 2031) -> dict[str, str]:
    return {"expires_on_month": "5", "expires_on_day": "1", "expires_on_year": str(year)}


def page(application: Application) -> str:
    return reverse("staff:upload", args=[application.pk])


@pytest.mark.parametrize("kind", DocumentType.values)
def test_each_of_the_nineteen_types(
    trust: Application, person: Owner, staff: Any, signed_in: SignedIn, kind: str
) -> None:
    client = signed_in(staff("onboarding_agent"))
    owner = str(person.pk) if kind in PERSONAL else ""
    answer = client.post(page(trust), form(type=kind, owner=owner, **last_day()))
    assert answer.status_code == 302, answer.content.decode()
    kept = Document.objects.get()
    assert (kept.type, kept.owner, kept.expires_on.year) == (kind, person if owner else None, 2031)
    said = AuditEntry.objects.get(action="document.upload")
    assert (said.actor_id, said.source, said.after["type"]) == (kept.uploaded_by_id, "staff", kind)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"type": "IDENTIFICATION CARD"}, "type"),
        ({"type": "VISA"}, "owner"),
        ({"type": "TRUST_CERTIFICATION", "owner": "person"}, "owner"),
        ({"type": "TRUST_CERTIFICATION", "owner": "stranger"}, "owner"),
        ({"type": "PASSPORT", "owner": "person"}, "expires_on"),
        ({"type": "PASSPORT", "owner": "person", **last_day(2001)}, "expires_on"),
        ({"side": "BACK"}, "side"),
        ({"country": "QQ"}, "country"),
        ({"description": "x" * 301}, "description"),
        ({"description": "nul \x00 byte"}, "description"),
        ({"description": "x" * 280, "by_hand": "on"}, "description"),
        ({"file": None}, "file"),
        ({"file": b""}, "file"),
        ({"file": b"GIF89a"}, "file"),
    ],
    ids=range(14),
)
def test_what_is_wrong_stands_at_its_field(
    trust: Application, person: Owner, staff: Any, signed_in: SignedIn, given: dict[str, Any], field: str
) -> None:
    stranger = Owner.objects.create(application=trust, role="TRUSTEE", country="US")
    words = {"person": str(person.pk), "stranger": str(stranger.pk)}
    stranger.delete()
    sent = form(
        **{
            name: words.get(value, value) if isinstance(value, str) else value
            for name, value in given.items()
        }
    )
    if "file" in given:
        sent.pop("file")
        if given["file"] is not None:
            sent["file"] = file(given["file"], "x.pdf")
    answer = signed_in(staff("compliance_analyst")).post(page(trust), sent)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Document.objects.exists()


def test_an_approval_by_hand_is_written_into_the_description(
    trust: Application, staff: Any, signed_in: SignedIn
) -> None:
    client = signed_in(staff("compliance_manager"))
    client.post(page(trust), form(description="  Seen\nin the office. ", by_hand="on"))
    assert Document.objects.get().description == f"{BY_HAND} Seen in the office."


def test_who_decides_nothing_approves_nothing(trust: Application, staff: Any, signed_in: SignedIn) -> None:
    client = signed_in(staff("onboarding_agent"))
    assert "by_hand" not in client.get(page(trust)).content.decode()
    client.post(page(trust), form(by_hand="on"))
    assert Document.objects.get().description == ""
    tus = Tus(client, trust, "staff:uploads")
    answer = tus.announce(10, {"type": "TRUST_CERTIFICATION", "by_hand": "true"})
    assert list(errors_of(answer)) == ["/by_hand"]


def test_an_account_without_an_entity_has_papers_of_people_only(
    customer_user: User, staff: Any, signed_in: SignedIn
) -> None:
    application = journeys.foreigner(customer_user)
    tus = Tus(signed_in(staff("onboarding_agent")), application, "staff:uploads")
    assert list(errors_of(tus.announce(10, {"type": "SOURCE_OF_FUNDS"}))) == ["/owner"]
    owner = application.owners.get()
    tus.start(10, {"type": "SOURCE_OF_FUNDS", "owner": owner.pk})


def test_in_pieces(trust: Application, person: Owner, staff: Any, signed_in: SignedIn) -> None:
    actor = staff("compliance_analyst")
    tus = Tus(signed_in(actor), trust, "staff:uploads")
    content = jpeg()
    given = {"type": "SOCIAL_SECURITY_CARD", "owner": person.pk, "description": "Copy", "by_hand": "true"}
    url = tus.whole(content, given, step=500)
    kept = Document.objects.get()
    assert (kept.uploaded_by, kept.description) == (actor, f"{BY_HAND} Copy")
    assert kept.open().read() == content
    assert tus.client.get(url).json()["status"] == "taken"
    assert tus.client.delete(url, headers=TUS).status_code == 409


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("onboarding_agent", True),
        ("compliance_analyst", True),
        ("compliance_manager", True),
        ("funding_operator", False),
        ("auditor", False),
        ("administrator", False),
    ],
)
def test_who_may(trust: Application, staff: Any, signed_in: SignedIn, role: str, may: bool) -> None:
    client = signed_in(staff(role))
    tus = Tus(client, trust, "staff:uploads")
    assert client.get(page(trust)).status_code == (200 if may else 403)
    assert tus.announce(10, {"type": "TRUST_CERTIFICATION"}).status_code == (201 if may else 403)
    assert client.post(page(trust), form()).status_code == (302 if may else 403)
    assert Document.objects.exists() is may
    assert Upload.objects.exists() is may


def test_customers_and_staff_have_doors_of_their_own(
    trust: Application, customer_user: User, staff: Any, signed_in: SignedIn
) -> None:
    given = {"type": "TRUST_CERTIFICATION"}
    customer, agent = signed_in(customer_user), signed_in(staff("onboarding_agent"))
    assert Tus(customer, trust, "staff:uploads").announce(10, given).status_code == 403
    assert Tus(agent, trust).announce(10, given).status_code == 403
    assert customer.get(page(trust)).status_code == 403
    # And nobody goes on with another's.
    url = Tus(agent, trust, "staff:uploads").start(10, given)
    other = signed_in(staff("compliance_analyst"))
    assert other.head(url, headers=TUS).status_code == 404
