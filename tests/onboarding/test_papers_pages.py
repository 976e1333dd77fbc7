"""The pages and endpoints of papers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from onboarding import papers
from onboarding.models import Application, Document
from portal.models import User
from tests.flow import complete_draft, publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, jpeg, pdf
from tests.people import make_customer_user

SignedIn = Callable[[User], Client]


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


def page(application: Application) -> str:
    return reverse("customer:documents", args=[application.pk])


def passport(application: Application, **more: Any) -> dict[str, Any]:
    """What the form of the first person's paper sends."""
    paper = next(row for row in papers.papers_of(application) if row.owner)
    prefix = paper.name.replace(":", "_")
    given = {
        "type": "PASSPORT",
        "expires_on_month": "5",
        "expires_on_day": "1",
        "expires_on_year": "2031",
        "country": "US",
        "front": SimpleUploadedFile("me.jpg", jpeg()),
    } | more
    return {f"{prefix}-{name}": value for name, value in given.items()}


def test_several_at_once(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    client = signed_in(customer_user)
    form = client.get(page(application)).content.decode()
    assert form.count('data-camera="environment"') == 4  # two people, front and back each
    sent = passport(application) | {"trust-front": file(pdf(), "t.pdf"), "trust-country": "US"}
    answer = client.post(page(application), sent, follow=True)
    assert answer.redirect_chain == [(f"{page(application)}?here=2", 302)]
    assert "2 files are here." in answer.content.decode()
    assert sorted(Document.objects.values_list("type", flat=True)) == ["PASSPORT", "TRUST_CERTIFICATION"]


def test_what_is_wrong_stands_at_its_paper_and_the_rest_is_taken(
    customer_user: User, signed_in: SignedIn
) -> None:
    application = journeys.trust(customer_user)
    sent = passport(application, front=SimpleUploadedFile("me.png", b"<html>")) | {
        "trust-front": file(pdf(), "t.pdf"),
        "trust-country": "US",
    }
    answer = signed_in(customer_user).post(page(application), sent)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "This is no PDF, JPEG, PNG or HEIC" in text and "1 file is here." in text
    assert Document.objects.get().type == "TRUST_CERTIFICATION"


@pytest.mark.parametrize("change", [{"expires_on_year": "2019"}, {"expires_on_year": ""}, {"type": "VISA"}])
def test_what_is_printed_on_it_must_hold(
    customer_user: User, signed_in: SignedIn, change: dict[str, str]
) -> None:
    application = journeys.trust(customer_user)
    answer = signed_in(customer_user).post(page(application), passport(application, **change))
    assert answer.status_code == 422
    assert not Document.objects.exists()


def test_an_upload_without_a_file_says_so(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    answer = signed_in(customer_user).post(page(application), {})
    assert answer.status_code == 422
    assert "No file was chosen" in answer.content.decode()


def test_the_draft_shows_the_step_only_where_papers_are_asked_for(
    customer_user: User, signed_in: SignedIn
) -> None:
    client = signed_in(customer_user)
    application = journeys.trust(customer_user)
    assert page(application) in client.get(reverse("customer:review", args=[application.pk])).content.decode()
    alone = complete_draft(customer_user)
    assert page(alone) not in client.get(reverse("customer:review", args=[alone.pk])).content.decode()
    assert client.get(page(alone)).status_code == 404


def test_strangers_find_nothing(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    client = signed_in(make_customer_user("stranger@example.test"))
    assert client.get(page(application)).status_code == 404
    assert client.post(page(application), {"trust-front": file()}).status_code == 404
    endpoint = reverse("api:documents", args=[application.pk])
    assert client.get(endpoint).status_code == 404
    sent = {"type": "TRUST_CERTIFICATION", "file": file()}
    assert client.post(endpoint, sent).status_code == 404
    assert Client().get(page(application)).status_code == 302
    assert not Document.objects.exists()


def test_the_api_lists_and_takes(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    client, endpoint = signed_in(customer_user), reverse("api:documents", args=[application.pk])
    first = client.get(endpoint).json()["papers"][0]
    assert (first["name"], first["types"], first["done"]) == ("trust", ["TRUST_CERTIFICATION"], False)
    answer = client.post(endpoint, {"type": "TRUST_CERTIFICATION", "file": file(pdf(), "t.pdf")})
    assert answer.status_code == 201, answer.content
    assert answer.json()["status"] == "checking"
    first = client.get(endpoint).json()["papers"][0]
    assert (first["done"], len(first["documents"])) == (True, 1)
    refused = client.post(endpoint, {"type": "TRUST_CERTIFICATION", "file": file(b"", "t.pdf")})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/file"
    assert client.post(endpoint, {}, content_type="application/json").status_code == 415


def test_a_flood_does_not_fill_the_disk(customer_user: User, signed_in: SignedIn, settings: Any) -> None:
    settings.DOCUMENT_MAX_BYTES = 1024 * 1024
    application = journeys.trust(customer_user)
    endpoint = reverse("api:documents", args=[application.pk])
    answer = signed_in(customer_user).post(
        endpoint, {"type": "TRUST_CERTIFICATION", "file": file(b"%PDF-" + bytes(5 * 1024 * 1024), "t.pdf")}
    )
    assert answer.status_code == 422
    assert "larger than 1 MB" in answer.json()["errors"][0]["detail"]
