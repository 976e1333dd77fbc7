"""The Plaid client against scripted answers: what is sent, what is read, what each refusal comes to."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from portal.money import Money
from providers.errors import Busy, Misconfigured, NotFound, OutcomeUnknown, ProviderError, Rejected
from providers.http import Transport
from providers.models import CallLog
from providers.plaid.client import PlaidClient
from providers.plaid.problems import PlaidProblem, problem_of, problem_of_code
from providers.plaid.types import OwnerMatch, PlaidCredentials
from tests.providers.talker import Talker, answer, reset

pytestmark = pytest.mark.django_db
ACCESS, PUBLIC, SECRET = "access-sandbox-41d2", "public-sandbox-77c1", "keep-me-quiet"


@pytest.fixture
def plaid(talker: Talker, make_transport: Callable[..., Transport]) -> PlaidClient:
    return PlaidClient(
        base_url=f"{talker.url}/plaid",
        credentials=PlaidCredentials("client-1", SECRET),
        client_name="A partner whose name is much too long for Link",
        transport=make_transport(read_attempts=1),
        slow=make_transport(read_attempts=1),
    )


def refusal(code: str, kind: str = "ITEM_ERROR", status: int = 400, **more: Any) -> Any:
    said = {"error_type": kind, "error_code": code, "error_message": f"see {ACCESS}", "display_message": None}
    return answer(status, said | {"request_id": "rq-9"} | more)


def account(**changes: Any) -> dict[str, Any]:
    balances = {"available": 110.1, "current": 1.2345e2, "limit": None, "iso_currency_code": "USD"}
    return {
        "account_id": "AcC1",
        "balances": balances,
        "mask": None,
        "name": "Checking",
        "official_name": None,
        "type": "depository",
        "subtype": "checking",
    } | changes


def test_a_link_token_asks_for_checking_and_savings_accounts_alone(
    talker: Talker, plaid: PlaidClient
) -> None:
    link = {"link_token": "link-1", "expiration": "2026-11-21T20:00:00Z", "request_id": "rq-1"}
    talker.then(
        "/plaid/link/token/create", answer(200, link | {"hosted_link_url": "https://hosted.example/1"})
    )
    made = plaid.link_token_create(
        user_ref="u1", webhook="https://w.example/", hosted=True, completion_redirect="https://w.example/done"
    )
    assert (made.token, made.hosted_url, made.expires_at.hour) == ("link-1", "https://hosted.example/1", 20)
    heard = talker.last("/plaid/link/token/create")
    assert heard.json == {
        "client_name": "A partner whose name is much t",
        "language": "en",
        "country_codes": ["US"],
        "user": {"client_user_id": "u1"},
        "products": ["auth"],
        "required_if_supported_products": ["identity"],
        "account_filters": {"depository": {"account_subtypes": ["checking", "savings"]}},
        "webhook": "https://w.example/",
        "hosted_link": {"url_lifetime_seconds": 14400, "completion_redirect_uri": "https://w.example/done"},
    }
    assert (heard.headers["plaid-client-id"], heard.headers["plaid-secret"]) == ("client-1", SECRET)
    assert heard.headers["plaid-version"] == "2020-09-14"
    # Update mode: no products, no webhook.
    plaid.link_token_create(
        user_ref="u1", webhook="https://w.example/", access_token=ACCESS, account_selection=True
    )
    assert sorted(talker.last("/plaid/link/token/create").json) == [
        "access_token", "client_name", "country_codes", "language", "update", "user",
    ]  # fmt: skip


def test_amounts_are_exact_and_unknown_words_pass(talker: Talker, plaid: PlaidClient) -> None:
    odd = {"available": None, "current": 9.99, "iso_currency_code": None, "unofficial_currency_code": "BTC"}
    listed = [
        account(),
        account(account_id="acC1", subtype="hsa", balances=odd, persistent_account_id="p1"),
        account(account_id="AcC2", verification_status="pending_manual_verification"),
    ]
    talker.then("/plaid/accounts/get", answer(200, {"accounts": listed, "request_id": "rq-2"}))
    first, second, third = plaid.accounts(ACCESS)
    assert first.available == Money(11010, "USD") and first.current == Money(12345, "USD")
    assert (first.mask, first.offered) == ("", True)
    assert (second.account_id, second.persistent_id, second.available, second.current) == (
        "acC1",
        "p1",
        None,
        None,
    )
    assert not second.offered and not third.offered
    assert CallLog.objects.get().provider_request_id == "rq-2"
    assert "Checking" not in repr(first) and "110" not in repr(first)


@pytest.mark.parametrize(
    ("reply", "raised", "means"),
    [
        (refusal("ITEM_LOGIN_REQUIRED"), Rejected, PlaidProblem.LOGIN),
        (refusal("ITEM_NOT_FOUND"), NotFound, PlaidProblem.GONE),
        (refusal("NO_AUTH_ACCOUNTS"), Rejected, PlaidProblem.OTHER_ACCOUNT),
        (refusal("INVALID_PUBLIC_TOKEN", "INVALID_INPUT"), Rejected, PlaidProblem.RELINK),
        (refusal("INSTITUTION_DOWN", "INSTITUTION_ERROR"), Busy, PlaidProblem.RETRY),
        (refusal("RATE_LIMIT_EXCEEDED", "RATE_LIMIT_EXCEEDED", 429), Busy, PlaidProblem.RETRY),
        (refusal("INTERNAL_SERVER_ERROR", "API_ERROR", 500), OutcomeUnknown, PlaidProblem.RETRY),
        (refusal("INVALID_API_KEYS", "INVALID_INPUT"), Misconfigured, PlaidProblem.OURS),
        (refusal("SOMETHING_NEW", "NEW_ERROR"), Rejected, PlaidProblem.OTHER),
        (reset, OutcomeUnknown, PlaidProblem.RETRY),
        (answer(200, {"request_id": "rq"}), OutcomeUnknown, PlaidProblem.RETRY),
    ],
)  # fmt: skip
def test_each_code_says_what_to_do(
    talker: Talker, plaid: PlaidClient, reply: Any, raised: type[ProviderError], means: PlaidProblem
) -> None:
    talker.then("/plaid/item/get", reply)
    with pytest.raises(ProviderError) as caught:
        plaid.item(ACCESS)
    assert type(caught.value) is raised and problem_of(caught.value) is means
    assert ACCESS not in f"{caught.value} {caught.value!r}"


def test_an_owner_nobody_can_compare_is_unknown_and_no_mismatch(talker: Talker, plaid: PlaidClient) -> None:
    def owner(score: int | None) -> Any:
        return answer(
            200, {"accounts": [{"account_id": "a", "legal_name": {"score": score}}], "request_id": "r"}
        )

    scores = [85, 84, 70, 69, 0, None]
    missing = [refusal("PRODUCTS_NOT_SUPPORTED"), refusal("INVALID_PRODUCT", "INVALID_INPUT")]
    talker.then(
        "/plaid/identity/match", *[owner(score) for score in scores], *missing, refusal("ITEM_LOCKED")
    )
    found = [plaid.identity_match(ACCESS, "a", legal_name="Ann Lee") for _ in (*scores, *missing)]
    words = ["match", "close", "close", "mismatch", "mismatch", "unknown", "unknown", "unknown"]
    assert [one.verdict for one in found] == words
    assert found[-1] == OwnerMatch(unavailable="INVALID_PRODUCT")
    assert talker.last("/plaid/identity/match").json["user"] == {"legal_name": "Ann Lee"}
    with pytest.raises(Rejected):
        plaid.identity_match(ACCESS, "a", legal_name="Ann Lee")


def test_tokens_stay_out_of_logs_and_printed_values(
    talker: Talker, plaid: PlaidClient, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    talker.then("/plaid/item/public_token/exchange", answer(200, {"access_token": ACCESS, "item_id": "It1"}))
    with caplog.at_level(logging.DEBUG, logger="providers"):
        item = plaid.exchange(PUBLIC)
    assert item.access_token == ACCESS
    row = CallLog.objects.get()
    assert (row.operation, row.method, row.template, row.status) == (
        "plaid.exchange", "POST", "/item/public_token/exchange", 200,
    )  # fmt: skip
    told = f"{caplog.text} {item!r} {vars(row)} {plaid!r} {vars(plaid._api.api_client)}"
    assert not [secret for secret in (ACCESS, PUBLIC) if secret in told]
    # Their client turns urllib3's warnings on, which quote addresses.
    assert logging.getLogger("urllib3").level == logging.ERROR


def test_an_item_tells_what_is_wrong_with_it(talker: Talker, plaid: PlaidClient) -> None:
    wrong = {"error_type": "ITEM_ERROR", "error_code": "ITEM_LOGIN_REQUIRED"}
    item = {"item_id": "It1", "institution_id": "ins_1", "institution_name": "First", "products": ["auth"]}
    talker.then(
        "/plaid/item/get",
        answer(200, {"item": item | {"error": wrong}, "request_id": "r"}),
        answer(200, {"item": item | {"error": None, "webhook": None}, "request_id": "r"}),
    )
    assert plaid.item(ACCESS).problem is PlaidProblem.LOGIN
    assert plaid.item(ACCESS).problem is None
    assert problem_of_code("NEVER_HEARD") is PlaidProblem.OTHER
