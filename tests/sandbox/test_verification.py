"""The partner family: token, heartbeat, and links that live 72 hours and may expire three times."""

import base64
import json
import time
from datetime import UTC, datetime

import pytest
import requests

from sandbox.testing import SandboxProcess
from tests.sandbox.conftest import PARTNER, Caller, Receiver

DAYS_3 = 72 * 3600


class PartnerCaller:
    def __init__(self, box: SandboxProcess) -> None:
        self.box = box
        answer = requests.post(
            f"{box.url}/partner/v1/oauth2/token",
            data={"grant_type": "client_credentials"},
            auth=("client", "secret"),
            timeout=5,
        )
        self.reply = answer.json()
        self.headers = {"Authorization": f"Bearer {self.reply['accessToken']}"}

    def details(
        self, ref: str = "acc-1", partner: str = PARTNER, *, override: bool = False
    ) -> requests.Response:
        path = f"/partner/v1/partner/{partner}/party/{ref}/kyc/documentVerificationDetails"
        query = {"overrideCustomerDeclinedConsent": "true"} if override else {}
        return requests.get(self.box.url + path, params=query, headers=self.headers, timeout=5)


@pytest.fixture
def partner(box: SandboxProcess) -> PartnerCaller:
    return PartnerCaller(box)


def flagged(caller: Caller, box: SandboxProcess, receiver: Receiver) -> str:
    """The first link of a customer who must show papers."""
    caller.create("Verify Document")
    box.flush()
    (hook,) = receiver.wait(1)
    assert hook.words == ("UNDER_REVIEW", "DOCUMENT_VERIFICATION")
    left = datetime.fromisoformat(hook.body["verificationURLExpiry"]) - datetime.now(UTC)
    assert DAYS_3 - 60 < left.total_seconds() <= DAYS_3
    url: str = hook.body["verificationURL"]
    assert url.startswith(f"{box.url}/verify/")
    return url


def press(url: str, result: str) -> requests.Response:
    """What a tester's browser does on the link's page."""
    browser = requests.Session()
    page = browser.get(url, timeout=5)
    token = page.text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    return browser.post(
        url, data={"result": result, "csrfmiddlewaretoken": token}, headers={"Referer": url}, timeout=5
    )


def test_token_reply_is_camel_case_and_says_too_much(partner: PartnerCaller) -> None:
    assert set(partner.reply) == {"accessToken", "expiresIn", "tokenType"}
    middle = partner.reply["accessToken"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert claims["exp"] - claims["iat"] == 3600
    assert partner.reply["expiresIn"] == "3667"
    assert abs(claims["iat"] - time.time()) < 60


def test_token_takes_the_grant_in_the_query_and_refuses_the_rest(box: SandboxProcess) -> None:
    url = f"{box.url}/partner/v1/oauth2/token"
    query = requests.post(url, params={"grant_type": "client_credentials"}, auth=("a", "b"), timeout=5)
    assert query.status_code == 200
    assert requests.post(url, auth=("a", "b"), timeout=5).json()["type"] == "INVALID_FIELD_VALUE"
    assert requests.post(url, data={"grant_type": "client_credentials"}, timeout=5).status_code == 401
    assert requests.post(url, auth=("wrong", "b"), timeout=5).status_code == 401


def test_heartbeat_echoes(box: SandboxProcess, partner: PartnerCaller) -> None:
    url = f"{box.url}/partner/v1/heartbeat"
    assert requests.post(url, json={}, timeout=5).status_code == 401
    answer = requests.post(url, json={"requestId": "r-1"}, headers=partner.headers, timeout=5)
    assert answer.json() == {"requestId": "r-1", "result": "PONG: heartbeat received"}


def test_tokens_of_one_family_do_not_open_the_other(
    box: SandboxProcess, partner: PartnerCaller, caller: Caller
) -> None:
    answer = requests.get(f"{box.url}/apex-crypto/api/v2/config", headers=partner.headers, timeout=5)
    assert answer.status_code == 401
    partner.headers = {"Authorization": str(caller.session.headers["Authorization"])}
    assert partner.details().status_code == 401


def test_three_links_expire_and_then_there_are_no_more(
    caller: Caller, box: SandboxProcess, receiver: Receiver, partner: PartnerCaller
) -> None:
    urls = [flagged(caller, box, receiver)]
    assert partner.details().json()["verificationURL"] == urls[0], "still good: the same link"
    for _ in range(2):
        box.api("POST", "clock/advance", {"seconds": DAYS_3 + 1})
        urls.append(partner.details().json()["verificationURL"])
    assert len(set(urls)) == 3
    box.api("POST", "clock/advance", {"seconds": DAYS_3 + 1})
    for _ in range(2):
        answer = partner.details()
        assert (answer.status_code, answer.json()["type"]) == (400, "MAX_ATTEMPTS_REACHED")
    assert requests.get(urls[0], timeout=5).status_code == 410
    assert requests.get(urls[2], timeout=5).status_code == 410


def test_declined_consent_gives_no_link_until_it_is_overridden(
    caller: Caller, box: SandboxProcess, receiver: Receiver, partner: PartnerCaller
) -> None:
    url = flagged(caller, box, receiver)
    assert press(url, "decline").status_code == 200
    assert "Consent was declined" in requests.get(url, timeout=5).text
    assert partner.details().json()["type"] == "CUSTOMER_DECLINED_CONSENT"
    given = partner.details(override=True).json()["verificationURL"]
    assert given != url
    assert partner.details().json()["verificationURL"] == given
    assert box.account("acc-1")["link"]["number"] == 1, "it spends none"


def test_details_refuses_what_makes_no_sense(caller: Caller, partner: PartnerCaller) -> None:
    caller.create()
    assert partner.details(partner="abc").json()["details"][0]["field"] == "partnerId"
    assert partner.details(ref="nobody").json()["type"] == "PARTY_ACCOUNT_NOT_FOUND"
    assert partner.details().json()["type"] == "PARTY_INVALID_OPERATION"


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ("pass", ("ACTIVE", "ENROLLMENT")),
        ("fail", ("INACTIVE", "RISK_KYC")),
        ("review", ("UNDER_REVIEW", "PENDING_REVIEW")),
    ],
)
def test_the_press_at_the_link_brings_the_outcome(
    caller: Caller,
    box: SandboxProcess,
    receiver: Receiver,
    partner: PartnerCaller,
    result: str,
    words: tuple[str, str],
) -> None:
    url = flagged(caller, box, receiver)
    assert "not Bakkt" in requests.get(url, timeout=5).text
    assert press(url, result).status_code == 200
    box.flush()
    assert receiver.wait(2)[1].words == words
    assert requests.get(url, timeout=5).status_code == 410
    assert partner.details().status_code == 400


def test_a_press_without_the_pages_own_token_is_refused(
    caller: Caller, box: SandboxProcess, receiver: Receiver
) -> None:
    url = flagged(caller, box, receiver)
    assert requests.post(url, data={"result": "pass"}, timeout=5).status_code == 403
    box.flush()
    assert len(receiver.got) == 1
