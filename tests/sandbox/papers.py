"""Uploads as the portal would make them, and the papers an entity needs."""

import json
import uuid
from typing import Any

import requests

from tests.sandbox.conftest import V2, Caller

PDF = b"%PDF-1.4\n% a made-up paper\n"
JPEG = b"\xff\xd8\xff\xe0 a made-up picture"


def upload(
    caller: Caller, kind: str, *, content: bytes = PDF, media: str = "application/pdf", **fields: Any
) -> requests.Response:
    """Upload a paper of the kind to acc-1; fields that are None are left out."""
    metadata: dict[str, Any] = {
        "clientDocumentId": str(uuid.uuid4()),
        "account": "acc-1",
        "documentType": kind,
        "documentSide": "FRONT",
        "issueCountry": "USA",
        **fields,
    }
    text = json.dumps({name: value for name, value in metadata.items() if value is not None})
    return send(caller, {"metadata": (None, text), "document": ("paper", content, media)})


def send(caller: Caller, parts: dict[str, Any]) -> requests.Response:
    """Post the parts as they are."""
    return caller.post(f"{V2}/documents", files=parts)


def upload_all(caller: Caller, body: dict[str, Any]) -> None:
    """All that KYB screening of the entity account wants."""
    trust = body["entity"]["entityType"] == "TRUST"
    kinds = ["TRUST_CERTIFICATION"] if trust else ["ENTITY_DUE_DILIGENCE", "CERTIFICATE_OF_BENEFICIAL_OWNERS"]
    for kind in kinds:
        assert upload(caller, kind).status_code == 200
    for owner in body["owners"]:
        assert upload(caller, "PASSPORT", clientOwnerId=owner["clientOwnerId"]).status_code == 200
