"""Every type of account: its owners, its entity, and what is refused (contract bakkt-partner.md, 4.2 and 4.4)."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from sandbox import people
from tests.sandbox.conftest import V2, Caller, request_body
from tests.sandbox.test_accounts import Change, change_at, identity

OPENED_BY = {"cora": "CUSTODIAL", "ella": "ENTITY", "tess": "ENTITY_PERSONAL_TRUST", "stella": "INDIVIDUAL"}


def body_of(person: str, ref: str = "acc-1") -> dict[str, Any]:
    """What the built-in person opens."""
    return deepcopy(people.account_request(person, ref))


def problems(caller: Caller, body: dict[str, Any]) -> list[tuple[int, str]]:
    """Code and field of each failure; empty when the body was taken."""
    answer = caller.save(body)
    assert answer.status_code in (200, 422), answer.text
    return [(p["code"], p["field"]) for p in answer.json().get("validationErrors", [])]


@pytest.mark.parametrize(("person", "kind"), OPENED_BY.items())
def test_every_type_is_opened_and_echoed(caller: Caller, person: str, kind: str) -> None:
    body = body_of(person)
    assert body["accountType"] == kind
    assert problems(caller, body) == []
    assert caller.get(f"{V2}/accounts/acc-1").json()["request"] == body


@pytest.mark.parametrize("kind", ["CORPORATE", "PARTNERSHIP", "LLC", "LIMITED_PARTNERSHIP", "TRUST"])
def test_every_kind_of_entity_is_taken(caller: Caller, kind: str) -> None:
    body = body_of("ella")
    body["entity"]["entityType"] = kind
    assert problems(caller, body) == []


def _second_owner(body: dict[str, Any]) -> None:
    body["owners"].append(deepcopy(body["owners"][0]))


def _same_key(body: dict[str, Any]) -> None:
    body["owners"][1]["clientOwnerId"] = body["owners"][0]["clientOwnerId"]


@pytest.mark.parametrize(
    ("person", "change", "expected"),
    [
        ("stella", _second_owner, (606, "owners")),
        ("stella", _second_owner, (602, "owners[1].clientOwnerId")),
        ("stella", change_at("entity", body_of("ella")["entity"]), (606, "entity")),
        ("cora", change_at("owners.1.clientOwnerId", None), (602, "owners[1].clientOwnerId")),
        ("cora", _same_key, (606, "owners[1].clientOwnerId")),
        ("cora", change_at("owners.1.agreements", []), (602, "owners[1].agreements")),
        ("cora", change_at("owners.1.agreements.0.version", None), (602, "owners[1].agreements[0].version")),
        ("ella", change_at("entity", None), (602, "entity")),
        ("tess", change_at("entity", None), (602, "entity")),
        ("ella", change_at("entity.entityLegalName", "x" * 101), (601, "entity.entityLegalName")),
        ("ella", change_at("entity.entityLegalName", ""), (602, "entity.entityLegalName")),
        ("ella", change_at("entity.entityPhoneNumber", "+0123"), (601, "entity.entityPhoneNumber")),
        ("ella", change_at("entity.entityPhoneNumber", "+123"), (601, "entity.entityPhoneNumber")),
        ("ella", change_at("entity.entityType", "CHARITY"), (603, "entity.entityType")),
        (
            "ella",
            change_at("entity.entityRegistrationStatus", "YES"),
            (603, "entity.entityRegistrationStatus"),
        ),
        ("ella", change_at("entity.firmAnnualNetIncome", "UNDER_25K"), (603, "entity.firmAnnualNetIncome")),
        (
            "ella",
            change_at("entity.operatingCountries", ["USA", "UK"]),
            (603, "entity.operatingCountries[1]"),
        ),
        ("ella", change_at("entity.subjectToAMLRegulations", "yes"), (601, "entity.subjectToAMLRegulations")),
        ("ella", change_at("entity.activeWalletAddress", "0xabc"), (601, "entity.activeWalletAddress")),
        ("ella", change_at("entity.entityFormationDate", "2020"), (601, "entity.entityFormationDate")),
        ("ella", change_at("entity.entityTaxId", None), (602, "entity.entityTaxId")),
        (
            "ella",
            change_at("entity.operatingAddress.postalCode", None),
            (602, "entity.operatingAddress.postalCode"),
        ),
        ("stella", change_at("settlementMethod", "APEX_TPJ"), (603, "settlementMethod")),
        (
            "stella",
            change_at("trustedContacts", [{"givenName": "A"}]),
            (602, "trustedContacts[0].familyName"),
        ),
        ("stella", change_at("owners.0.ownerId", "1"), (601, "owners[0].ownerId")),
        (
            "stella",
            change_at("owners.0.agreements.0.eSignedDate", "2025-01-02T03:04:05"),
            (601, "owners[0].agreements[0].eSignedDate"),
        ),
        (
            "stella",
            change_at("investmentProfile.customerProfile.federalTaxBracket", "24"),
            (601, "investmentProfile.customerProfile.federalTaxBracket"),
        ),
    ],
)
def test_what_breaks_a_rule_is_named(
    caller: Caller, person: str, change: Change, expected: tuple[int, str]
) -> None:
    body = body_of(person)
    change(body)
    assert expected in problems(caller, body)
    assert caller.get(f"{V2}/accounts/acc-1").status_code == 404, "nothing was stored"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, []),
        ({"taxId": "QQ123456C", "taxIdType": "NATIONAL_ID", "taxIdCountry": "GBR"}, []),
        ({"taxId": "900-70-0001", "taxIdType": "ITIN"}, []),
        ({"taxId": "QQ123456C", "taxIdType": "NATIONAL_ID"}, [(602, "taxIdCountry")]),
        ({"taxId": "QQ1", "taxIdType": "NATIONAL_ID", "taxIdCountry": "GB"}, [(603, "taxIdCountry")]),
        ({"taxIdCountry": "GBR"}, [(602, "taxId"), (602, "taxIdType")]),
        ({"taxIdType": "NATIONAL_ID", "taxIdCountry": "GBR"}, [(602, "taxId")]),
        ({"taxId": "900700001", "taxIdType": "SSN", "taxIdCountry": "GBR"}, [(606, "taxIdCountry")]),
        ({"taxId": "900700001", "taxIdType": "NATIONALID", "taxIdCountry": "GBR"}, [(603, "taxIdType")]),
    ],
)
def test_tax_ids_of_customers_abroad(
    caller: Caller, given: dict[str, str], expected: list[tuple[int, str]]
) -> None:
    body = request_body()
    body["owners"][0]["clientOwnerId"] = "own-1"
    for name in ("taxId", "taxIdType"):
        del identity(body)[name]
    identity(body)["personalAddress"] = {"streetAddress": ["1 Low Road"], "city": "London", "country": "GBR"}
    identity(body).update(given)
    assert problems(caller, body) == [(code, f"owners[0].identity.{name}") for code, name in expected]


def test_a_national_id_is_no_tax_id_of_a_us_customer_and_needs_the_owners_key(caller: Caller) -> None:
    body = request_body()
    identity(body).update({"taxIdType": "NATIONAL_ID", "taxIdCountry": "GBR"})
    assert set(problems(caller, body)) == {
        (606, "owners[0].identity.taxIdType"),
        (602, "owners[0].clientOwnerId"),
    }


def _deprecated(body: dict[str, Any]) -> None:
    body |= {"id": "1", "enrollments": {"a": 1}}
    body["owners"][0]["identityId"] = "2"
    identity(body).update(
        {
            "citizenshipCountry": "USA",
            "verificationResults": {"ofacSanctioned": "NO_MATCH"},
            "disclosures": {"politicallyExposed": None},
        }
    )


def test_deprecated_fields_are_taken_but_not_changed(caller: Caller) -> None:
    body = request_body()
    _deprecated(body)
    assert problems(caller, body) == []
    body["enrollments"], body["id"] = {"a": 2}, "9"
    identity(body)["citizenshipCountry"] = "GBR"
    assert set(problems(caller, body)) == {
        (605, "id"),
        (605, "enrollments"),
        (605, "owners[0].identity.citizenshipCountry"),
    }


@pytest.mark.parametrize(
    ("field", "value"), [("id", 7), ("enrollments", "x"), ("owners.0.identity.disclosures", "x")]
)
def test_deprecated_fields_of_another_type_are_refused(caller: Caller, field: str, value: object) -> None:
    body = request_body()
    _deprecated(body)
    change_at(field, value)(body)
    assert [code for code, _ in problems(caller, body)] == [601]


@pytest.mark.parametrize(
    ("person", "path", "value"),
    [
        ("cora", "owners.1.identity.dateOfBirth", "2016-06-21"),
        ("cora", "owners.0.identity.taxId", "900-70-0099"),
        ("cora", "owners.0.identity.taxIdType", "ITIN"),
        ("ella", "entity.entityTaxId", "12-3456780"),
        ("ella", "accountType", "ENTITY_PERSONAL_TRUST"),
    ],
)
def test_restricted_fields_of_every_type_stay(caller: Caller, person: str, path: str, value: str) -> None:
    body = body_of(person)
    assert problems(caller, body) == []
    changed = deepcopy(body)
    change_at(path, value)(changed)
    assert [code for code, _ in problems(caller, changed)] == [605]
    assert caller.get(f"{V2}/accounts/acc-1").json()["request"] == body


CHANGES: list[Callable[[dict[str, Any]], None]] = [
    change_at("owners.0.phoneNumber", "+15125550199"),
    change_at("owners.0.mailingAddress.city", "Sparks"),
    change_at("entity.entityLegalName", "Another Name LLC"),
    change_at("entity.operatingAddress.streetAddress", ["10 Quay Street"]),
]


@pytest.mark.parametrize("change", CHANGES)
def test_phones_addresses_and_names_change(caller: Caller, change: Change) -> None:
    body = body_of("ella")
    assert problems(caller, body) == []
    change(body)
    assert problems(caller, body) == []
    shown = caller.get(f"{V2}/accounts/acc-1").json()
    assert shown["request"] == body
    assert len(shown["pendingUpdateIds"]) == 1
