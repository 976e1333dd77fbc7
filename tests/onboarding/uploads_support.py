"""A small client of the upload protocol, over Django's test client."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from onboarding import upload_jobs
from onboarding.models import Application
from portal.models import User
from tests.flow import publish_agreements
from tests.onboarding import journeys

TUS = {"Tus-Resumable": "1.0.0"}
BYTES = "application/offset+octet-stream"


def metadata(given: dict[str, Any]) -> str:
    """Upload-Metadata as the protocol writes it."""
    return ",".join(
        f"{name} {base64.b64encode(str(value).encode()).decode()}" for name, value in given.items()
    )


class Tus:
    """Announces and sends one file; `name` is the address of announcements, the customer's by default."""

    def __init__(self, client: Client, application: Application, name: str = "api:uploads") -> None:
        self.client, self.endpoint = client, reverse(name, args=[application.pk])

    def announce(self, size: int, given: dict[str, Any], **headers: str) -> Any:
        """The answer to the announcement."""
        sent = TUS | {"Upload-Length": str(size), "Upload-Metadata": metadata(given)} | headers
        return self.client.post(self.endpoint, headers=sent)

    def start(self, size: int, given: dict[str, Any]) -> str:
        """The address of an upload that was let in."""
        answer = self.announce(size, given)
        assert answer.status_code == 201, answer.content
        return str(answer["Location"])

    def send(self, url: str, offset: int, content: bytes) -> Any:
        """The answer to some bytes."""
        headers = TUS | {"Upload-Offset": str(offset)}
        # The test client leaves the kind of an empty body out.
        return self.client.patch(url, content, content_type=BYTES, headers=headers, CONTENT_TYPE=BYTES)

    def offset(self, url: str) -> int:
        """How far it is."""
        answer = self.client.head(url, headers=TUS)
        assert answer.status_code == 200
        return int(answer["Upload-Offset"])

    def whole(self, content: bytes, given: dict[str, Any], step: int = 4096) -> str:
        """Everything, piece by piece; the address of the upload."""
        url = self.start(len(content), given)
        for at in range(0, len(content), step):
            assert self.send(url, at, content[at : at + step]).status_code == 204
        return url


SignedIn = Callable[[User], Client]
TRUST = {"type": "TRUST_CERTIFICATION"}


@pytest.fixture(autouse=True)
def folder(db: None, settings: Any, tmp_path: Path) -> Path:
    """Where the bytes lie."""
    publish_agreements()
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path)}}
    }
    return tmp_path


@pytest.fixture
def trust(customer_user: User) -> Application:
    """An application that asks for papers, of the trust and of two people."""
    return journeys.trust(customer_user)


@pytest.fixture
def tus(customer_user: User, signed_in: SignedIn, trust: Application) -> Tus:
    return Tus(signed_in(customer_user), trust)


def files_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "uploads").rglob("*") if path.is_file()]


def settle() -> None:
    """What the beat's job hands out, done."""
    for upload_id in upload_jobs.uploads_to_settle():
        upload_jobs.upload_settle(upload_id)


def errors_of(answer: Any) -> dict[str, str]:
    return {row["pointer"]: row["detail"] for row in answer.json()["errors"]}
