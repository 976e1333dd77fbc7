"""A small client of the upload protocol, over Django's test client."""

import base64
from typing import Any

from django.test import Client
from django.urls import reverse

from onboarding.models import Application

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
