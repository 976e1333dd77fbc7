"""Papers: sent and fetched piece by piece, against the stand-in and against scripted answers."""

import tempfile
import tracemalloc
import uuid
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.documents import DocumentMetadata, DocumentSide, DocumentType
from providers.bakkt.types import SettlementMethod
from providers.errors import NotFound, OutcomeUnknown, Rejected
from providers.http import Timeouts, Upload
from sandbox import testing
from sandbox.testing import SandboxProcess
from tests.providers.bakkt_samples import account_request
from tests.providers.talker import Talker, answer
from tests.sandbox import contract

pytestmark = pytest.mark.django_db
PDF = b"%PDF-1.4\n% a made-up paper\n"
DOCUMENTS = "/apex-crypto/api/v2/documents"
MEGABYTE = 1024 * 1024


@pytest.fixture(scope="module")
def box() -> Iterator[SandboxProcess]:
    with testing.start("http://127.0.0.1:9/webhooks/") as one:
        yield one


@pytest.fixture
def crypto(box: SandboxProcess, make_client: Callable[..., CryptoClient]) -> CryptoClient:
    box.reset()
    client = make_client(url=box.url, timeouts=Timeouts(connect=2, read=20, total=30))
    client.save_account(account_request())
    return client


def paper(**changes: str) -> DocumentMetadata:
    values = {
        "client_document_id": str(uuid.uuid4()),
        "account": "ACC-000123",
        "document_type": DocumentType.PASSPORT,
        "document_side": DocumentSide.FRONT,
    }
    return DocumentMetadata(**(values | changes))


def test_a_paper_is_stored_listed_and_fetched(crypto: CryptoClient) -> None:
    sent = paper(description="línea", issue_country="USA")
    stored = crypto.upload_document(sent, BytesIO(PDF), "application/pdf")
    assert stored.request == sent
    assert crypto.read_document(sent.client_document_id) == stored
    assert crypto.account_documents("ACC-000123") == (sent,)
    into = BytesIO(b"what an earlier attempt left, longer than the paper itself")
    assert crypto.download_document(sent.client_document_id, into) == "application/pdf"
    assert into.getvalue() == PDF


def test_a_large_paper_is_never_held_in_memory(crypto: CryptoClient) -> None:
    sent = paper()
    with tempfile.TemporaryFile() as file, tempfile.TemporaryFile() as back:
        file.write(PDF)
        for _ in range(9):
            file.write(bytes(MEGABYTE))
        tracemalloc.start()
        crypto.upload_document(sent, file, "application/pdf")
        crypto.download_document(sent.client_document_id, back)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert back.tell() == file.tell() == len(PDF) + 9 * MEGABYTE
    assert peak < 3 * MEGABYTE


def test_a_refused_upload_is_refused_input_with_its_sentence(crypto: CryptoClient) -> None:
    with pytest.raises(Rejected) as caught:
        crypto.upload_document(paper(), BytesIO(PDF), "image/png")
    assert not isinstance(caught.value, NotFound)
    assert "Content-Type" in caught.value.fields[0].message


def test_an_unknown_paper_is_missing(crypto: CryptoClient) -> None:
    into = BytesIO(b"kept")
    with pytest.raises(NotFound):
        crypto.download_document(str(uuid.uuid4()), into)
    assert into.getvalue() == b"kept"
    with pytest.raises(NotFound):
        crypto.read_document(str(uuid.uuid4()))


def test_a_renewed_token_sends_the_whole_file_again(talker: Talker, client_of: CryptoClient) -> None:
    request = paper()
    good = {"id": "1", "createdAt": "2025-03-02T15:04:07Z", "request": request.to_wire()}
    talker.then(DOCUMENTS, answer(401, {"code": 401, "message": "expired"}), answer(200, good))
    client_of.upload_document(request, BytesIO(PDF), "application/pdf")
    assert talker.times(DOCUMENTS) == 2
    assert PDF in talker.last(DOCUMENTS).body
    assert b'name="metadata"\r\nContent-Type: text/plain' in talker.last(DOCUMENTS).body


def test_a_media_type_cannot_leave_its_header() -> None:
    with pytest.raises(ValueError, match="media type"):
        Upload("document", "image/png\r\nX: y", BytesIO(PDF))


def test_a_settlement_change_may_fail_with_a_good_answer(talker: Talker, client_of: CryptoClient) -> None:
    path = "/apex-crypto/api/v2/accounts/settlementMethod/update"
    echo = {"accountId": "ACC-000123", "settlementMethod": "NET_SETTLEMENT"}
    other = echo | {"accountId": "ACC-9"}
    talker.then(
        path,
        answer(200, {"request": echo, "status": "FAILED"}),
        answer(200, {"request": echo, "status": "COMPLETE"}),
        answer(200, {"request": other, "status": "COMPLETE"}),
    )
    assert not client_of.update_settlement("ACC-000123", SettlementMethod.NET_SETTLEMENT).complete
    assert talker.last(path).json == echo
    assert client_of.update_settlement("ACC-000123", SettlementMethod.NET_SETTLEMENT).complete
    with pytest.raises(OutcomeUnknown):
        client_of.update_settlement("ACC-000123", SettlementMethod.NET_SETTLEMENT)


def test_a_shared_check_is_imported_again(talker: Talker, client_of: CryptoClient) -> None:
    path = "/apex-crypto/api/v2/accounts/kycTransferRecovery/ACC-000123"
    talker.then(path, answer(200, "success"))
    assert client_of.recover_kyc_transfer("ACC-000123", "share-1") == "success"
    assert talker.last(path).json == {"shareToken": "share-1"}


def test_what_we_send_is_what_the_contract_publishes() -> None:
    def published(name: str) -> dict[str, str]:
        return {"$ref": f"#/components/schemas/{name}"}

    assert contract.violations(published("AccountRequest"), account_request().to_wire()) == []
    for kind in DocumentType:
        assert contract.violations(published("DocumentRequest"), paper(document_type=kind).to_wire()) == []
    assert contract.violations(published("DocumentRequest"), paper(document_type="NONSENSE").to_wire())
