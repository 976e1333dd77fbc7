"""Files of papers: who opens what, by links that run out, with answers that can do nothing."""

import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from PIL import Image, ImageChops

from onboarding import document_checks, files, papers
from onboarding.models import Application, Document, Owner
from portal import clock
from portal.models import AuditEntry, User
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.corpus import pdf_of_pages
from tests.onboarding.papers_support import VALID_UNTIL, file, pdf, upload
from tests.people import make_customer_user

SignedIn = Callable[[User], Client]
SANDBOX = "sandbox; default-src 'none'"


@pytest.fixture(autouse=True)
def _ready(db: None, settings: Any, tmp_path: Path) -> None:
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }


def checked(user: User, application: Application, content: bytes | None = None, **more: Any) -> Document:
    given: dict[str, Any] = {"type": "TRUST_CERTIFICATION"} | more
    found = upload(user, application, file=file(content or pdf(), "t.pdf"), **given)
    document_checks.check(found.pk)
    found.refresh_from_db()
    return found


def links(client: Client, document: Document) -> Any:
    return client.get(reverse("api:document_links", args=[document.application_id, document.pk]))


def local(address: str) -> str:
    return address[address.index("/api/") :]


def reads(document: Document) -> list[dict[str, Any]]:
    rows = AuditEntry.objects.filter(action="document.read", subject_id=document.application_id)
    return [row.after or {} for row in rows.order_by("id")]


# --- The customer -------------------------------------------------------------------------------------------


def test_the_links_of_an_own_paper(customer_user: User, signed_in: SignedIn) -> None:
    content = pdf_of_pages(12)
    document = checked(customer_user, journeys.trust(customer_user), content)
    client = signed_in(customer_user)
    given = links(client, document).json()
    assert [row["page"] for row in given["previews"]] == list(range(1, 11))
    assert (given["pages"], given["scan"]) == (12, "off")
    original = client.get(local(given["original"]))
    assert b"".join(original.streaming_content) == content  # type: ignore[attr-defined]
    assert original["Content-Type"] == "application/pdf"
    assert original["Content-Disposition"].startswith("attachment; filename=")
    preview = client.get(local(given["previews"][0]["url"]), headers={"accept": "image/jpeg"})
    shown = b"".join(preview.streaming_content)  # type: ignore[attr-defined]
    assert (preview["Content-Type"], shown[:3]) == ("image/jpeg", b"\xff\xd8\xff")
    assert preview["Content-Length"] == str(len(shown))
    assert "Content-Disposition" not in preview
    for answer in (original, preview):
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer["Content-Security-Policy"] == SANDBOX
        assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
        assert answer["Cache-Control"] == "no-store"
    assert [row["part"] for row in reads(document)] == ["original"]


def test_a_link_runs_out(customer_user: User, signed_in: SignedIn) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    with time_machine.travel(clock.now(), tick=False) as moment:
        client = signed_in(customer_user)
        given = links(client, document).json()
        moment.shift(timedelta(minutes=4, seconds=59))
        assert client.get(local(given["original"])).status_code == 200
        moment.shift(timedelta(seconds=2))
        late = client.get(local(given["original"]))
        assert (late.status_code, late.json()["type"].rstrip("/").endswith("gone")) == (410, True)


def test_a_link_is_of_one_person_one_file_and_one_page(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    document = checked(customer_user, application)
    client = signed_in(customer_user)
    good = files.token(customer_user, document, 1)
    assert client.get(reverse("api:file", args=[good])).status_code == 200
    stranger = make_customer_user("Other")
    for token in (
        files.token(stranger, document, 1),
        files.token(customer_user, document, 2),
        good[:-1] + ("A" if good[-1] != "A" else "B"),
        "nonsense",
    ):
        assert client.get(reverse("api:file", args=[token])).status_code == 404
    assert signed_in(stranger).get(reverse("api:file", args=[good])).status_code == 404
    assert Client().get(reverse("api:file", args=[good])).status_code in {401, 403}


def test_strangers_and_staff_get_no_links(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User]
) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    assert links(signed_in(make_customer_user("Other")), document).status_code == 404
    assert links(signed_in(staff("compliance_manager")), document).status_code == 403
    assert links(Client(), document).status_code in {401, 403}
    elsewhere = journeys.trust(make_customer_user("Third"))
    address = reverse("api:document_links", args=[elsewhere.pk, document.pk])
    assert signed_in(customer_user).get(address).status_code == 404


def test_an_owner_who_took_their_part_opens_theirs_and_nobody_elses(
    customer_user: User, signed_in: SignedIn
) -> None:
    application = journeys.trust(customer_user)
    paper = next(row for row in papers.papers_of(application) if row.owner and not row.owner.is_applicant)
    assert paper.owner is not None
    passport = checked(
        customer_user, application, type="PASSPORT", owner_id=paper.owner.pk, expires_on=VALID_UNTIL
    )
    trust = checked(customer_user, application)
    other = make_customer_user("Co-owner")
    assert links(signed_in(customer_user), passport).status_code == 200
    assert links(signed_in(other), passport).status_code == 404
    Owner.objects.filter(pk=paper.owner.pk).update(user=other)
    assert links(signed_in(other), passport).status_code == 200
    assert links(signed_in(other), trust).status_code == 404
    assert links(signed_in(customer_user), passport).status_code == 404
    assert links(signed_in(customer_user), trust).status_code == 200


@pytest.mark.parametrize("scan", ["pending", "found"])
def test_what_is_not_safe_does_not_open(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User], scan: str
) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    Document.objects.filter(pk=document.pk).update(scan=scan)
    client = signed_in(customer_user)
    given = links(client, document).json()
    assert (given["original"], given["previews"]) == (None, [])
    analyst = staff("compliance_analyst")
    for page in (files.ORIGINAL, 1):
        assert (
            client.get(reverse("api:file", args=[files.token(customer_user, document, page)])).status_code
            == 404
        )
        mine = signed_in(analyst).get(reverse("staff:file", args=[files.token(analyst, document, page)]))
        assert mine.status_code == 404
    shown = signed_in(analyst).get(reverse("staff:document", args=[document.application_id, document.pk]))
    assert ("Held back" if scan == "found" else "Not checked yet") in shown.content.decode()
    assert reads(document) == []


def test_a_changed_preview_does_not_open(customer_user: User, signed_in: SignedIn, tmp_path: Path) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    (stored,) = tmp_path.rglob(f"*{document.copies.get().pk}")
    raw = stored.read_bytes()
    assert b"JFIF" not in raw, "sealed"
    stored.write_bytes(raw[:200] + bytes([raw[200] ^ 1]) + raw[201:])
    client = Client(raise_request_exception=False)
    client.force_login(customer_user)
    with pytest.raises(Exception, match="changed"):
        answer = client.get(reverse("api:file", args=[files.token(customer_user, document, 1)]))
        b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def test_the_customer_s_page_shows_it_small(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.trust(customer_user)
    upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(pdf(), "t.pdf"))
    client = signed_in(customer_user)
    address = reverse("customer:documents", args=[application.pk])
    assert "We are checking this file" in client.get(address).content.decode()
    document_checks.check(Document.objects.get().pk)
    page = client.get(address).content.decode()
    start = page.index('<img src="/api/v1/files/') + len('<img src="')
    picture = client.get(page[start : page.index('"', start)])
    assert picture["Content-Type"] == "image/jpeg"


def test_thumbnails_cost_no_query_each(customer_user: User, signed_in: SignedIn) -> None:
    application = journeys.entity(customer_user)
    client, address = signed_in(customer_user), reverse("customer:documents", args=[application.pk])
    client.get(address)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    checked(customer_user, application, type="CERTIFICATE_OF_INCORPORATION")
    one = queries()
    checked(customer_user, application, type="ENTITY_DUE_DILIGENCE")
    checked(customer_user, application, type="CERTIFICATE_OF_BENEFICIAL_OWNERS")
    assert queries() == one


# --- Staff --------------------------------------------------------------------------------------------------


def test_staff_look_at_pages_and_take_the_original_and_both_are_recorded(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User]
) -> None:
    application, content = journeys.trust(customer_user), pdf_of_pages(12)
    document = checked(customer_user, application, content)
    analyst = staff("compliance_analyst")
    client = signed_in(analyst)
    address = reverse("staff:document", args=[application.pk, document.pk])
    assert address in client.get(reverse("staff:application", args=[application.pk])).content.decode()
    answer = client.get(address)
    page = answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert page.count('<img src="/staff/files/') == 10
    assert "2 more pages in the original" in page
    assert "Not scanned for malware" in page
    start = page.index('<img src="') + len('<img src="')
    picture = page[start : page.index('"', start)]
    shown = client.get(picture)
    assert (shown["Content-Type"], shown["Cache-Control"]) == ("image/jpeg", "no-store")
    assert "Get the original" not in page  # that is a manager's to say
    assert client.get(reverse("staff:file", args=[files.token(analyst, document)])).status_code == 403

    manager = staff("compliance_manager")
    client, token = signed_in(manager), files.token(manager, document)
    assert client.get(reverse("staff:file", args=[token])).status_code == 403  # without a reason
    why = reverse("reveals:reveal", args=[files.FIELD, document.pk])
    assert why in client.get(address).content.decode()
    assert client.post(why, {"reason": "The court asks for it", "next": address}).url == address
    assert "Download the original" in client.get(address).content.decode()
    original = client.get(reverse("staff:file", args=[token]))
    assert b"".join(original.streaming_content) == content  # type: ignore[attr-defined]
    assert original["Content-Disposition"].startswith(f'attachment; filename="{application.reference}')
    assert original["Content-Security-Policy"] == SANDBOX
    assert [row["part"] for row in reads(document)] == ["preview", "preview", "preview", "original"]
    with time_machine.travel(clock.now() + timedelta(minutes=11)):
        late = files.token(manager, document)
        assert signed_in(manager).get(reverse("staff:file", args=[late])).status_code == 403
    other = journeys.entity(customer_user)
    assert client.get(reverse("staff:document", args=[other.pk, document.pk])).status_code == 404
    assert signed_in(analyst).get(reverse("staff:file", args=[token])).status_code == 404


def test_staff_read_their_own_name_across_every_picture_and_customers_do_not(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User]
) -> None:
    document = checked(customer_user, journeys.trust(customer_user))

    def picture(user: User, name: str) -> Image.Image:
        answer = signed_in(user).get(reverse(name, args=[files.token(user, document, 1)]))
        return Image.open(io.BytesIO(b"".join(answer.streaming_content))).convert("L")  # type: ignore[attr-defined]

    plain = picture(customer_user, "api:file")
    with document.copies.get(kind="preview").open() as kept:
        assert ImageChops.difference(plain, Image.open(kept).convert("L")).getbbox() is None
    one, other = (staff("compliance_analyst") for _ in range(2))
    marked = picture(one, "staff:file")
    assert marked.size == plain.size
    # In each quarter of the picture, and another for each reader.
    wide, high = marked.size[0] // 2, marked.size[1] // 2
    for corner in ((0, 0), (wide, 0), (0, high), (wide, high)):
        box = (*corner, corner[0] + wide, corner[1] + high)
        part = ImageChops.difference(marked.crop(box), plain.crop(box)).point(
            lambda value: 255 * (value > 40)
        )
        left, top, right, bottom = part.getbbox() or (0, 0, 0, 0)
        assert right - left > wide * 0.8 and bottom - top > high * 0.8
    assert ImageChops.difference(marked, picture(other, "staff:file")).getbbox() is not None
    assert files.mark_of(one).startswith(f"{one.name} {str(one.pk)[-8:]} 20")


@pytest.mark.parametrize(
    ("role", "status"),
    [
        ("compliance_analyst", 200),
        ("compliance_manager", 200),
        ("onboarding_agent", 403),
        ("funding_operator", 403),
        # Sees all and changes nothing; the original leaves the portal in a case file alone.
        ("auditor", 200),
        ("administrator", 403),
    ],
)
def test_who_of_staff_may_look(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User], role: str, status: int
) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    actor = staff(role)
    client = signed_in(actor)
    page = reverse("staff:document", args=[document.application_id, document.pk])
    assert client.get(page).status_code == status
    assert client.get(reverse("staff:file", args=[files.token(actor, document, 1)])).status_code == status
    assert bool(reads(document)) == (status == 200)
    assert signed_in(customer_user).get(page).status_code == 403
    customers = reverse("staff:file", args=[files.token(customer_user, document)])
    assert signed_in(customer_user).get(customers).status_code == 403
    assert Client().get(page).status_code == 302


def test_who_lost_the_role_opens_nothing_by_an_old_link(
    customer_user: User, signed_in: SignedIn, staff: Callable[[str], User]
) -> None:
    document = checked(customer_user, journeys.trust(customer_user))
    analyst = staff("compliance_analyst")
    client, token = signed_in(analyst), files.token(analyst, document, 1)
    User.objects.filter(pk=analyst.pk).update(role="onboarding_agent")
    assert client.get(reverse("staff:file", args=[token])).status_code == 403
