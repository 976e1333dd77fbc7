"""Built-in persons and what they open, so that stories and demos can open accounts by themselves."""

from dataclasses import dataclass

from sandbox.state import Json


@dataclass(frozen=True)
class Person:
    """Someone invented. The SSN is of the range that is never issued."""

    given: str
    family: str
    born: str
    ssn: str
    street: str
    city: str
    state: str
    postal_code: str

    @property
    def home(self) -> Json:
        return {
            "streetAddress": [self.street],
            "city": self.city,
            "state": self.state,
            "postalCode": self.postal_code,
            "country": "USA",
        }


_PEOPLE = {
    "stella": Person(
        "Stella", "Straight", "1988-04-12", "900-70-0001", "12 Harbor Way", "Austin", "TX", "78701"
    ),
    "frank": Person("Frank", "Flagged", "1979-11-02", "900-70-0002", "7 Mill Lane", "Albany", "NY", "12207"),
    "olga": Person("Olga", "Ofac", "1991-01-30", "900-70-0003", "3 Pine Street", "Fresno", "CA", "93701"),
    "manuel": Person(
        "Manuel", "Manual", "1984-07-19", "900-70-0004", "55 Oak Avenue", "Dallas", "TX", "75201"
    ),
    "ulla": Person("Ulla", "Update", "1986-02-11", "900-70-0005", "8 Elm Street", "Boise", "ID", "83702"),
    "rita": Person("Rita", "Returned", "1990-05-27", "900-70-0011", "5 Bay Street", "Mesa", "AZ", "85201"),
    "cora": Person("Cora", "Custodian", "1982-09-05", "900-70-0006", "4 Lake Road", "Tampa", "FL", "33602"),
    "max": Person("Max", "Minor", "2015-06-21", "900-70-0007", "4 Lake Road", "Tampa", "FL", "33602"),
    "ella": Person("Ella", "Entity", "1975-11-30", "900-70-0008", "9 Quay Street", "Reno", "NV", "89501"),
    "otto": Person("Otto", "Owner", "1971-03-08", "900-70-0009", "2 Hill Street", "Reno", "NV", "89501"),
    "tess": Person("Tess", "Trustee", "1968-12-17", "900-70-0010", "6 Park Place", "Salem", "OR", "97301"),
}
# Who opens which type of account, together with whom in which roles. Everyone else: an individual one, alone.
_ACCOUNTS = {
    "cora": ("CUSTODIAL", (("cora", "CUSTODIAN"), ("max", "MINOR_OWNER"))),
    "ella": ("ENTITY", (("ella", "AUTHORIZED_MEMBER"), ("otto", "BENEFICIAL_OWNER"))),
    "tess": ("ENTITY_PERSONAL_TRUST", (("tess", "TRUSTEE"),)),
}
_ENTITIES = {
    "ella": ("Example Works LLC", "LLC", "12-3456789"),
    "tess": ("The Example Family Trust", "TRUST", "98-7654321"),
}
NAMES = tuple(name for name in _PEOPLE if name not in ("max", "otto"))


def name_of(person: str) -> str:
    return f"{_PEOPLE[person].given} {_PEOPLE[person].family}"


def described(person: str) -> Json:
    """Who opens the account, and of which type it is."""
    found = _PEOPLE[person]
    return {
        "givenName": found.given,
        "familyName": found.family,
        "dateOfBirth": found.born,
        "accountType": _ACCOUNTS[person][0] if person in _ACCOUNTS else "INDIVIDUAL",
    }


def account_request(person: str, ref: str) -> Json:
    """A complete, valid create body for what the person opens, under the account key `ref`."""
    kind, roles = _ACCOUNTS.get(person, ("INDIVIDUAL", ((person, "PRIMARY_OWNER"),)))
    owners = [_owner(_PEOPLE[name], role) for name, role in roles]
    if kind != "INDIVIDUAL":
        # Several owners each need a key, and papers of an entity's owners name them by it.
        for number, owner in enumerate(owners, 1):
            owner["clientOwnerId"] = f"{ref}-{number}"
    body: Json = {
        "clientAccountId": ref,
        "accountType": kind,
        "owners": owners,
        "investmentProfile": {
            "accountGoals": {"investmentObjective": "GROWTH"},
            "customerProfile": {"annualIncomeRangeUsd": "FROM_50K_TO_100K"},
        },
    }
    if person in _ENTITIES:
        body["entity"] = _entity(person)
    return body


def _owner(person: Person, role: str) -> Json:
    identity: Json = {
        "givenName": person.given,
        "familyName": person.family,
        "dateOfBirth": person.born,
        "taxId": person.ssn,
        "taxIdType": "SSN",
        "personalAddress": person.home,
    }
    if role != "MINOR_OWNER":
        identity["employment"] = {
            "employerName": "Example Works",
            "position": "Engineer",
            "yearsEmployed": 4,
            "employerAddress": person.home,
        }
    return {
        "role": role,
        "emailAddress": f"{person.given}.{person.family}@example.com".lower(),
        "phoneNumber": "+15125550142",
        "mailingAddress": person.home,
        "identity": identity,
        "agreements": [{"name": "User agreement", "version": "1", "eSignedDate": "2025-01-02T03:04:05.000Z"}],
    }


def _entity(person: str) -> Json:
    name, kind, number = _ENTITIES[person]
    office = _PEOPLE[person].home
    return {
        "entityLegalName": name,
        "entityType": kind,
        "entityTaxId": number,
        "entityEmailAddress": "office@example.com",
        "entityPhoneNumber": "+15125550100",
        "operatingAddress": office,
        "registeredAddress": office,
        "operatingIndustry": "Software",
        "entityRegistrationStatus": "NOT_APPLICABLE",
        "firmAnnualNetIncome": "UNDER_250K",
    }
