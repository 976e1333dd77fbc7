"""The account-opening client: what it sends, what it makes of answers and of the three error bodies."""

from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from providers.bakkt.crypto import CryptoClient
from providers.bakkt.problems import read_problem
from providers.bakkt.types import (
    Account,
    AccountOpeningStatus,
    AccountRequest,
    AccountType,
    Entity,
    Owner,
    OwnerRole,
    TrustedContact,
)
from providers.errors import FieldProblem, NotFound, OutcomeUnknown, Rejected, Unreadable
from providers.wire import instant
from tests.providers.bakkt_samples import HOME, account_reply, account_request
from tests.providers.talker import Talker, answer

ACCOUNTS = "/apex-crypto/api/v2/accounts"
READ = f"{ACCOUNTS}/ACC-000123"


@pytest.mark.django_db
def test_an_account_travels_as_the_contract_writes_it(talker: Talker, client_of: CryptoClient) -> None:
    talker.then(ACCOUNTS, answer(200, account_reply(extra={"new": "field"})))
    account = client_of.save_account(account_request())
    sent = talker.last(ACCOUNTS).json
    home = {
        "streetAddress": ["17 Larkspur Lane", "Apt 4"],
        "city": "Austin",
        "country": "USA",
        "state": "TX",
        "postalCode": "78701",
    }
    assert sent == {
        "clientAccountId": "ACC-000123",
        "accountType": "INDIVIDUAL",
        "owners": [
            {
                "role": "PRIMARY_OWNER",
                "emailAddress": "hortensia@example.test",
                "phoneNumber": "+15125550142",
                "mailingAddress": home,
                "identity": {
                    "givenName": "Hortensia",
                    "familyName": "Quackenbush",
                    "dateOfBirth": "1988-04-17",
                    "personalAddress": home,
                    "taxId": "912345678",
                    "taxIdType": "SSN",
                    "employment": {
                        "employerName": "Sample Works LLC",
                        "position": "Analyst",
                        "yearsEmployed": 4,
                        "employerAddress": home,
                    },
                },
                "agreements": [
                    {
                        "name": "crypto-user-agreement",
                        "version": "2024-01",
                        "eSignedDate": "2025-03-02T15:04:05.000Z",
                    }
                ],
            }
        ],
        "investmentProfile": {
            "accountGoals": {"investmentObjective": "GROWTH", "riskTolerance": "MEDIUM"},
            "customerProfile": {"annualIncomeRangeUsd": "FROM_50K_TO_100K"},
        },
    }
    assert (account.id, account.status, account.mode) == ("84421907", "PENDING", "LOCKED")
    assert account.created_at == datetime(2025, 3, 2, 15, 4, 7, tzinfo=UTC)
    assert account.request == account_request()


def test_an_entity_travels_and_comes_back() -> None:
    person = account_request().owners[0]
    request = AccountRequest(
        client_account_id="ENT-000045",
        account_type=AccountType.ENTITY,
        owners=(
            Owner(
                OwnerRole.BENEFICIAL_OWNER,
                "a@example.test",
                HOME,
                person.identity,
                (),
                client_owner_id="OWN-1",
            ),
        ),
        entity=Entity(
            entity_legal_name="Sample Trading Corp",
            entity_type="CORPORATE",
            entity_tax_id="900000002",
            entity_email_address="office@example.test",
            entity_phone_number="+15125550199",
            operating_address=HOME,
            registered_address=HOME,
            operating_industry="Software",
            entity_formation_date=date(2001, 2, 3),
            operating_countries=("USA", "GBR"),
            subject_to_aml_regulations=False,
        ),
        trusted_contacts=(TrustedContact("Lee", "Park", mailing_address=HOME),),
        settlement_method="BAKKT_TPJ",
    )
    wire = request.to_wire()
    assert wire["entity"]["subjectToAMLRegulations"] is False
    assert wire["entity"]["operatingCountries"] == ["USA", "GBR"]
    assert wire["entity"]["entityFormationDate"] == "2001-02-03"
    assert "entityOfferings" not in wire["entity"]
    # An owner's agreements are required by the schema, so that an empty list is sent and not left out.
    assert wire["owners"][0]["agreements"] == []
    assert AccountRequest.from_wire(wire) == request


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "HALF_DONE"},
        {"mode": "FROZEN_FOR_NOW"},
        {"createdAt": "yesterday"},
        {"createdAt": 1740927847000},
        {"id": 84421907},
        {"request": {"clientAccountId": "ACC-000123", "owners": "none"}},
        {"request": None},
        {"pendingUpdateIds": None},
    ],
)
def test_reading_an_account_is_tolerant(changes: dict[str, object]) -> None:
    account = Account.from_wire(account_reply(**changes))
    assert account.id == "84421907"
    assert account.status == changes.get("status", "PENDING")
    assert account.mode == changes.get("mode", "LOCKED")


@pytest.mark.parametrize("body", [None, [], "ok", {}, {"id": "1"}, {"id": True, "status": "PENDING"}])
def test_a_reply_without_id_or_status_is_none(body: object) -> None:
    with pytest.raises(Unreadable):
        Account.from_wire(body)


@pytest.mark.django_db
def test_a_reply_about_another_account_is_not_believed(talker: Talker, client_of: CryptoClient) -> None:
    talker.then(ACCOUNTS, answer(200, account_reply(request=account_request("ACC-OTHER").to_wire())))
    with pytest.raises(OutcomeUnknown):
        client_of.save_account(account_request())


@pytest.mark.django_db
def test_a_422_names_the_fields_and_not_the_values(talker: Talker, client_of: CryptoClient) -> None:
    complaints = [
        {
            "code": 602,
            "field": "owners[0].identity.personalAddress",
            "message": "personalAddress is required",
        },
        {
            "code": 606,
            "field": "owners[0].role",
            "message": "JOINT_OWNER is wrong",
            "rejectedValue": "JOINT_OWNER",
        },
    ]
    body = {"code": 422, "message": "2 validations failed", "validationErrors": complaints}
    talker.then(ACCOUNTS, answer(422, body))
    with pytest.raises(Rejected) as caught:
        client_of.save_account(account_request())
    assert caught.value.code == "422"
    assert caught.value.fields == (
        FieldProblem("602", "owners[0].identity.personalAddress", "personalAddress is required"),
        FieldProblem("606", "owners[0].role", "… is wrong"),
    )


def test_the_partner_family_and_any_rejected_value() -> None:
    body = {
        "type": "INVALID_FIELD_VALUE",
        "detail": "validation error",
        "details": [
            {
                "type": "VALIDATION_ERROR",
                "field": "x",
                "description": "abcd is bad",
                "rejectedValue": {"a": ["abcd"]},
            },
            "not an object",
        ],
    }
    problem = read_problem(400, body)
    assert (problem.code, problem.message) == ("INVALID_FIELD_VALUE", "validation error")
    assert problem.fields == (FieldProblem("VALIDATION_ERROR", "x", "… is bad"),)


@pytest.mark.parametrize(
    "body", [None, "text", [1], {}, {"code": {"deep": 1}, "details": 5}, {"validationErrors": None}]
)
def test_an_error_body_of_no_known_shape_says_nothing(body: object) -> None:
    problem = read_problem(400, body)
    assert (problem.code, problem.message, problem.fields) == ("", "", ())


@pytest.mark.django_db
def test_reading_an_account(talker: Talker, client_of: CryptoClient) -> None:
    talker.then(READ, answer(200, account_reply(status="COMPLETE", cipClearanceState="ACCEPTED")))
    account = client_of.read_account("ACC-000123")
    assert (account.status, account.cip_clearance_state) == ("COMPLETE", "ACCEPTED")
    talker.then(READ, answer(404, {"code": 404, "message": "none"}))
    with pytest.raises(NotFound):
        client_of.read_account("ACC-000123")


@pytest.mark.django_db
def test_reading_the_trading_status(talker: Talker, client_of: CryptoClient) -> None:
    talker.then(
        f"{READ}/status",
        answer(
            200, {"canTradeCrypto": False, "cipClearanceState": "ODD", "settlementMethod": "NO_SETTLEMENT"}
        ),
    )
    assert client_of.read_status("ACC-000123") == AccountOpeningStatus(False, "ODD", "NO_SETTLEMENT")
    talker.then(f"{READ}/status", answer(200, {"canTradeCrypto": "true"}))
    with pytest.raises(OutcomeUnknown):
        client_of.read_status("ACC-000123")


@pytest.mark.django_db
@pytest.mark.parametrize("raw", [b'"ok"', b"ok", b" ok\n"])
def test_the_gateway_status_is_a_word_and_needs_no_token(
    talker: Talker, client_of: CryptoClient, raw: bytes
) -> None:
    talker.then("/apex-crypto/api/status", answer(200, raw=raw))
    assert client_of.gateway_status() == "ok"
    assert "authorization" not in talker.last("/apex-crypto/api/status").headers


@pytest.mark.django_db
def test_screening_of_an_entity_is_started_without_a_body(talker: Talker, client_of: CryptoClient) -> None:
    path = f"{ACCOUNTS}/triggerKYBScreening/ENT-000045"
    talker.then(path, answer(200, "success"))
    assert client_of.trigger_kyb("ENT-000045") == "success"
    assert talker.last(path).body == b""
    talker.then(path, answer(200, raw=b"<html>welcome</html>"))
    with pytest.raises(OutcomeUnknown):
        client_of.trigger_kyb("ENT-000045")


@pytest.mark.django_db
def test_jurisdictions(talker: Talker, client_of: CryptoClient) -> None:
    path = "/apex-crypto/api/v2/jurisdictions/all"
    place = {
        "countryCode": "USA",
        "stateCode": "TX",
        "domain": {"orders": [{"tradingPair": "BTCUSD", "status": "OPEN"}], "transfers": [], "staking": []},
    }
    talker.then(path, answer(200, {"jurisdictions": [place]}))
    (found,) = client_of.jurisdictions(country="USA", state="TX")
    assert (found.state_code, found.domain.orders[0].trading_pair) == ("TX", "BTCUSD")
    assert talker.last(path).target == f"{path}?country=USA&state=TX"


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "Token "])
def test_the_prefix_of_the_token_can_be_chosen(
    talker: Talker, make_client: Callable[..., CryptoClient], prefix: str
) -> None:
    client = make_client()
    other = CryptoClient(
        base_url=talker.url,
        credentials=client._credentials,
        transport=client._transport,
        tokens=client._bearer.store,
        token_prefix=prefix,
    )
    talker.then(READ, answer(200, account_reply()))
    other.read_account("ACC-000123")
    assert talker.last(READ).headers["authorization"] == f"{prefix}T0KEN-ONE"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-05-04T12:00:00.000Z", datetime(2024, 5, 4, 12, tzinfo=UTC)),
        ("2024-05-04T14:00:00+02:00", datetime(2024, 5, 4, 12, tzinfo=UTC)),
        ("2024-05-04T12:00:00", datetime(2024, 5, 4, 12, tzinfo=UTC)),
        (1714824000, datetime(2024, 5, 4, 12, tzinfo=UTC)),
        ("1714824000", datetime(2024, 5, 4, 12, tzinfo=UTC)),
        (1714824000000, datetime(2024, 5, 4, 12, tzinfo=UTC)),
        ("1712010110123", datetime(2024, 4, 1, 22, 21, 50, 123000, tzinfo=UTC)),
    ],
)
def test_a_moment_in_every_published_form(value: object, expected: datetime) -> None:
    assert instant(value) == expected


@pytest.mark.parametrize(
    "value", ["soon", "", True, None, [], "0001-01-01T00:00:00+14:00", 10**30, "9" * 400]
)
def test_anything_else_is_no_moment(value: object) -> None:
    with pytest.raises(Unreadable):
        instant(value)
