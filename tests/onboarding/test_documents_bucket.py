"""Papers in a bucket: the storage settings of production, through boto3, against a server that speaks S3."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import environ
import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import TemporaryUploadedFile
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from onboarding import document_checks
from onboarding.models import Document
from portal import ids
from portal.document_storage import documents_storage
from portal.errors import Invalid
from portal.models import User
from portal.sealed_files import SealedFile, SealedReader, new_file_key
from tests.flow import publish_agreements
from tests.onboarding import journeys
from tests.onboarding.papers_support import file, pdf, upload

BUCKET = "papers"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, settings: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """An empty bucket, which the portal is set to as an operator would."""
    prefix = str(ids.new_id())
    for name, value in {
        "AWS_ACCESS_KEY_ID": "invented",
        "AWS_SECRET_ACCESS_KEY": "invented",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "DOCUMENTS_S3_BUCKET": BUCKET,
        "DOCUMENTS_S3_ENDPOINT": server,
        "DOCUMENTS_S3_REGION": "us-east-1",
        "DOCUMENTS_S3_PREFIX": prefix,
    }.items():
        monkeypatch.setenv(name, value)
    settings.STORAGES = settings.STORAGES | {"documents": documents_storage(environ.Env(), tmp_path)}
    found = boto3.resource("s3", endpoint_url=server, region_name="us-east-1").Bucket(BUCKET)
    found.create()
    return found


def keys(bucket: Any) -> list[str]:
    return [str(one.key) for one in bucket.objects.filter(Prefix=storages["documents"].location)]


def test_a_paper_goes_in_sealed_and_comes_out_whole(db: None, bucket: Any, customer_user: User) -> None:
    publish_agreements()
    content = pdf(300_000)
    application = journeys.trust(customer_user)
    found = upload(customer_user, application, type="TRUST_CERTIFICATION", file=file(content, "a.pdf"))
    (key,) = keys(bucket)
    assert key.endswith(found.path)
    stored = bucket.Object(key)
    assert content[1000:1100] not in stored.get()["Body"].read()
    owner = stored.Acl().owner["ID"]
    assert [(one["Grantee"].get("ID"), one["Permission"]) for one in stored.Acl().grants] == [
        (owner, "FULL_CONTROL")
    ]
    with found.open() as opened:
        opened.seek(-20, 2)
        assert opened.read() == content[-20:]
        opened.seek(0)
        assert opened.read() == content
    document_checks.check(found.pk)
    assert len(keys(bucket)) == 2
    with found.copies.get().open() as opened:
        assert opened.read(3) == b"\xff\xd8\xff"


def test_what_is_not_kept_is_removed(db: None, bucket: Any, customer_user: User) -> None:
    publish_agreements()
    application = journeys.trust(customer_user)
    with pytest.raises(Invalid):
        upload(customer_user, application, type="VISA")
    assert not Document.objects.exists()
    assert keys(bucket) == []


def test_nothing_is_overwritten(bucket: Any) -> None:
    first = storages["documents"].save("a/b", SealedFile(file(b"one"), new_file_key()))
    second = storages["documents"].save("a/b", SealedFile(file(b"two"), new_file_key()))
    assert first != second
    assert len(keys(bucket)) == 2
    for name in (first, second):
        storages["documents"].delete(name)
    assert keys(bucket) == []


def test_a_large_one_passes_in_parts(bucket: Any) -> None:
    key, piece = new_file_key(), bytes(range(256)) * 4096
    with TemporaryUploadedFile("big", "application/pdf", 0, None) as big:
        for _ in range(12):
            big.write(piece)
        big.flush()
        name = storages["documents"].save("big", SealedFile(big, key))
    (stored,) = keys(bucket)
    assert bucket.Object(stored).e_tag.rstrip('"').endswith("-3"), "three parts of five megabytes"
    with io.BufferedReader(SealedReader(storages["documents"].open(name), key)) as opened:
        assert all(opened.read(1024 * 1024) == piece for _ in range(12))
        assert opened.read(1) == b""


def test_a_wrong_endpoint_is_named() -> None:
    class Wrong(environ.Env):
        ENVIRON = {"DOCUMENTS_S3_BUCKET": "b", "DOCUMENTS_S3_ENDPOINT": "minio:9000"}

    with pytest.raises(Exception, match="DOCUMENTS_S3_ENDPOINT"):
        documents_storage(Wrong(), Path("/nowhere"))
