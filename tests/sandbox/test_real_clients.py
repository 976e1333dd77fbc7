"""The portal's own clients and the stand-in understand each other, on good days and bad ones."""

import pytest

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.events import PartyEvent, parse_event
from providers.bakkt.partner import PartnerClient, PartnerCredentials
from providers.bakkt.types import CryptoCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.errors import Busy, NotFound, OutcomeUnknown, Rejected
from providers.http import Timeouts, Transport
from providers.tokens import SharedTokens
from sandbox.testing import SandboxProcess
from tests.providers.bakkt_samples import account_request
from tests.sandbox.conftest import PARTNER, Receiver

pytestmark = pytest.mark.django_db
QUICK = Timeouts(connect=1, read=1, total=3)


@pytest.fixture
def transport() -> Transport:
    return Transport(circuits=SharedCircuits(), recorder=CallLogRecorder(), timeouts=QUICK, longest_wait=0.05)


@pytest.fixture
def crypto(box: SandboxProcess, transport: Transport) -> CryptoClient:
    return CryptoClient(
        base_url=box.url,
        credentials=CryptoCredentials("portal", "password"),
        transport=transport,
        tokens=SharedTokens(),
    )


def test_open_read_and_hear_of_an_account(
    crypto: CryptoClient, box: SandboxProcess, receiver: Receiver
) -> None:
    assert crypto.gateway_status() == "ok"
    assert crypto.jurisdictions(country="GBR")
    with pytest.raises(NotFound):
        crypto.read_account("ACC-000123")
    saved = crypto.save_account(account_request())
    assert saved.status == "PENDING"
    assert saved.request == account_request()
    assert crypto.read_status("ACC-000123").can_trade_crypto is False
    box.flush()
    event = parse_event(receiver.wait(1)[0].text.encode())
    assert isinstance(event, PartyEvent)
    assert (event.party_ref, event.status, event.reason) == ("ACC-000123", "ACTIVE", "ENROLLMENT")
    assert crypto.read_status("ACC-000123").can_trade_crypto is True


def test_a_revoked_token_is_renewed_unseen(crypto: CryptoClient, box: SandboxProcess) -> None:
    crypto.save_account(account_request())
    box.api("POST", "tokens/revoke")
    assert crypto.read_account("ACC-000123").status == "PENDING"


@pytest.mark.parametrize("kind", ["500_after", "drop_after", "502_html", "nonsense", "hang"])
def test_unclear_answers_are_outcome_unknown_and_safe_to_repeat(
    crypto: CryptoClient, box: SandboxProcess, receiver: Receiver, kind: str
) -> None:
    crypto.gateway_status()
    box.fault(kind, "save_account", seconds=5 if kind == "hang" else 0)
    with pytest.raises(OutcomeUnknown):
        crypto.save_account(account_request())
    box.api("DELETE", "faults")
    assert crypto.save_account(account_request()).status == "PENDING"
    box.flush()
    assert len(receiver.wait(1)) == len(receiver.got) == 1


def test_refusals_name_their_fields(crypto: CryptoClient, box: SandboxProcess) -> None:
    broken = account_request().to_wire()
    broken["owners"][0]["identity"]["taxId"] = "12"
    with pytest.raises(Rejected) as refused:
        crypto.save_account(type(account_request()).from_wire(broken))
    assert [problem.field for problem in refused.value.fields] == ["owners[0].identity.taxId"]
    box.fault("429", "save_account", count=None, seconds=1)
    with pytest.raises(Busy):
        crypto.save_account(account_request())


def test_the_partner_client_understands_a_refusal(
    crypto: CryptoClient, box: SandboxProcess, transport: Transport
) -> None:
    partner = PartnerClient(
        base_url=box.url,
        credentials=PartnerCredentials("portal", "secret"),
        partner_id=PARTNER,
        transport=transport,
        tokens=SharedTokens(),
    )
    assert "PONG" in partner.heartbeat()
    crypto.save_account(account_request())
    with pytest.raises(Rejected):
        partner.document_verification_details("ACC-000123")
