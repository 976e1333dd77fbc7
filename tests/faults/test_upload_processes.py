"""An upload that its process did not live to finish, gone on with by another one, with a token over a socket."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from onboarding.models import Document, Upload
from portal.models import AuditEntry
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import pdf
from tests.people import PASSWORD, make_customer_user

#: Announces the file, says where, and dies in the middle of its body.
FIRST = """
import base64, http.client, os, sys
host, path, token, file = sys.argv[1:]
content = open(file, "rb").read()
tus = {"Tus-Resumable": "1.0.0", "Authorization": "Bearer " + token}
kind = base64.b64encode(b"TRUST_CERTIFICATION").decode()
wire = http.client.HTTPConnection(host)
wire.request("POST", path, headers={**tus, "Upload-Length": str(len(content)), "Upload-Metadata": "type " + kind})
answer = wire.getresponse()
answer.read()
print(answer.status, answer.headers["Location"], flush=True)
wire.putrequest("PATCH", answer.headers["Location"])
for name, value in {**tus, "Upload-Offset": "0", "Content-Length": str(len(content)),
                    "Content-Type": "application/offset+octet-stream"}.items():
    wire.putheader(name, value)
wire.endheaders()
wire.send(content[: len(content) // 2])
os._exit(9)
"""
#: Asks where to go on until some of it is there, sends the rest, and asks what became of it.
SECOND = """
import http.client, json, sys
host, path, token, file = sys.argv[1:]
content = open(file, "rb").read()
tus = {"Tus-Resumable": "1.0.0", "Authorization": "Bearer " + token}
def ask(method, body=None, **headers):
    wire = http.client.HTTPConnection(host)
    wire.request(method, path, body, {**tus, **headers})
    answer = wire.getresponse()
    return answer, answer.read()
kind = {"Content-Type": "application/offset+octet-stream"}
while True:
    at = 0
    while not at:
        at = int(ask("HEAD")[0].headers["Upload-Offset"])
    answer, _ = ask("PATCH", content[at:], **{"Upload-Offset": str(at), **kind})
    if answer.status == 204:
        break
    assert answer.status == 409, answer.status
print(json.dumps({"from": at, "state": json.loads(ask("GET")[1])}))
"""


@pytest.mark.django_db(transaction=True)
def test_another_process_goes_on(live_server: LiveServer, settings: Any, tmp_path: Path) -> None:
    kept = settings.STORAGES["documents"]
    settings.STORAGES = settings.STORAGES | {
        "documents": kept | {"OPTIONS": kept["OPTIONS"] | {"location": str(tmp_path / "kept")}}
    }
    publish_agreements()
    user = make_customer_user()
    application = journeys.trust(user)
    signed_in = Client().post(
        "/api/auth/app/v1/auth/login",
        {"email": user.email, "password": PASSWORD},
        content_type="application/json",
    )
    token = signed_in.json()["meta"]["access_token"]
    content = pdf(3 * 1024 * 1024)
    (tmp_path / "trust.pdf").write_bytes(content)
    host = live_server.url.removeprefix("http://")

    def run(script: str, path: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", script, host, path, token, str(tmp_path / "trust.pdf")]
        return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    first = run(FIRST, f"/api/v1/applications/{application.pk}/uploads")
    assert first.returncode == 9, first.stderr
    status, location = first.stdout.split()
    assert status == "201"
    second = run(SECOND, location)
    assert second.returncode == 0, second.stderr
    said = json.loads(second.stdout)
    assert said["state"]["status"] == "taken"
    # A whole part had come before the first one died, and was not sent again.
    assert said["from"] >= 1024 * 1024
    document = Document.objects.get()
    assert str(document.pk) == said["state"]["document"]["id"]
    with document.open() as reader:
        assert reader.read() == content
    assert AuditEntry.objects.filter(action="document.upload").count() == 1
    assert Upload.objects.count() == 1
    assert not [name for _, _, names in os.walk(tmp_path / "kept" / "uploads") for name in names]
