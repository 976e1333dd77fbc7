"""Two data sets of one account, field by field."""

from dataclasses import replace
from datetime import date

from providers.bakkt.compare import differences
from providers.bakkt.types import AccountRequest, Address, Agreement, Identity, Owner

HOME = Address(("1 A Street", "Apt 4"), "Austin", "USA", "TX", "78701")


def owner(key: str | None, given: str = "Ana", **more: object) -> Owner:
    identity = Identity(given, "Ortiz", date(1988, 4, 17), HOME, tax_id="536221234", tax_id_type="SSN")
    made = Owner(
        "PRIMARY_OWNER", "ana@example.test", HOME, identity, (Agreement("terms", "1"),), "+15125550142", key
    )
    return replace(made, **more)  # type: ignore[arg-type]


def account(*owners: Owner, **more: object) -> AccountRequest:
    return replace(AccountRequest("PA-1", owners, "INDIVIDUAL"), **more)  # type: ignore[arg-type]


def test_the_same_is_the_same_whatever_the_order() -> None:
    one, two = owner("a"), owner("b", "Bo")
    assert differences(account(one, two), account(two, one)) == []


def test_what_only_an_answer_carries_says_nothing() -> None:
    assert differences(account(owner("a")), account(owner("a", owner_id="0e5b"))) == []


def test_a_difference_names_the_owner_and_the_field() -> None:
    found = differences(account(owner("a"), owner("b", "Bo")), account(owner("a"), owner("b", "Bob")))
    assert [(row.path, row.ours, row.theirs) for row in found] == [
        ("owners[b].identity.givenName", "Bo", "Bob")
    ]
    assert not found[0].blanks


def test_what_ours_lacks_would_be_blanked() -> None:
    theirs = account(owner("a"), settlement_method="BAKKT_TPJ")
    (row,) = differences(account(owner("a", phone_number=None)), account(owner("a")))
    assert (row.leaf, row.blanks) == ("phoneNumber", True)
    (row,) = differences(account(owner("a")), theirs)
    assert (row.path, row.blanks) == ("settlementMethod", True)


def test_sensitive_and_restricted_are_marked_and_not_printed() -> None:
    other = owner("a")
    other = replace(other, identity=replace(other.identity, tax_id="536229999"))
    (row,) = differences(account(owner("a")), account(other))
    assert (row.sensitive, row.restricted) == (True, True)
    assert "9999" not in repr(row)


def test_a_copy_that_echoes_no_key_is_matched_by_what_is_left() -> None:
    assert differences(account(owner("a")), account(owner(None))) == []
    (row,) = differences(account(owner("a"), owner("b", "Bo")), account(owner("a"), owner(None, "Bob")))
    assert row.path == "owners[b].identity.givenName"


def test_agreements_are_a_set() -> None:
    more = (Agreement("terms", "2"), Agreement("terms", "1"))
    (row,) = differences(account(owner("a", agreements=more)), account(owner("a")))
    assert (row.leaf, row.theirs) == ("agreements", None)
