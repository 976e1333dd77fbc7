"""Which papers an account asks for: one table that pages, the API and the check before KYB screening read.

The contract publishes the types (4.5) and the wanted papers in words (4.4): what formed the company, its bylaws or
operating agreement, who owns it, and an identity paper of its people. Which type meets which wish is ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from onboarding.words import AccountType, EntityType, OwnerRole
from onboarding.words_documents import DocumentSide, DocumentType

_COMPANIES = frozenset({EntityType.CORPORATE, EntityType.LLC, EntityType.LIMITED_PARTNERSHIP})
_OF_COMPANY = _COMPANIES | {EntityType.PARTNERSHIP}
_ENTITIES = frozenset({AccountType.ENTITY, AccountType.ENTITY_PERSONAL_TRUST})

#: One of these proves who a person is.
IDENTITY = (
    DocumentType.PASSPORT,
    DocumentType.DRIVERS_LICENSE,
    DocumentType.IDENTIFICATION_CARD,
    DocumentType.PASSPORT_CARD,
)
#: Papers with something on their back; each side is a file of its own, or one file shows both.
TWO_SIDED = frozenset(
    {DocumentType.DRIVERS_LICENSE, DocumentType.IDENTIFICATION_CARD, DocumentType.PASSPORT_CARD}
)
#: Papers on which a last day is printed. Identity cards of some countries have none.
EXPIRING = frozenset({DocumentType.PASSPORT, DocumentType.DRIVERS_LICENSE, DocumentType.PASSPORT_CARD})
#: Papers of a person, and papers of a company or trust. What is in neither may be of both.
PERSONAL = frozenset(
    {
        *IDENTITY,
        DocumentType.VISA,
        DocumentType.SOCIAL_SECURITY_CARD,
        DocumentType.W_8BEN_FORM,
        DocumentType.PROOF_OF_RESIDENTIAL_ADDRESS,
        DocumentType.PROOF_OF_PERSONAL_TAX_ID,
    }
)
OF_ENTITY = frozenset(
    {
        DocumentType.CERTIFICATE_OF_INCORPORATION,
        DocumentType.ENTITY_DUE_DILIGENCE,
        DocumentType.CERTIFICATE_OF_BENEFICIAL_OWNERS,
        DocumentType.TRUST_CERTIFICATION,
        DocumentType.PROOF_OF_ENTITY_ADDRESS,
        DocumentType.PROOF_OF_ENTITY_EIN_TAX_ID,
    }
)


@dataclass(frozen=True)
class PaperRule:
    """A paper asked for, met by any one of `types`. Of the entity itself, or `of_each` person in `roles`.

    `account_types` and `entity_types` say where it is asked for; `abroad` that it is asked only of who lives
    outside the US.
    """

    name: str
    title: str
    hint: str
    types: tuple[DocumentType, ...]
    account_types: frozenset[AccountType]
    entity_types: frozenset[EntityType] | None = None
    of_each: bool = False
    roles: frozenset[OwnerRole] | None = None
    abroad: bool = False

    def asked_of_account(self, account_type: str, entity_type: str) -> bool:
        """Whether accounts of this kind are asked for it."""
        return account_type in self.account_types and (
            self.entity_types is None or entity_type in self.entity_types
        )

    def asked_of_person(self, role: str, country: str) -> bool:
        """Whether a person of such an account is asked for it."""
        return (
            self.of_each
            and (self.roles is None or role in self.roles)
            and not (self.abroad and country == "US")
        )


RULES: tuple[PaperRule, ...] = (
    PaperRule(
        "formation",
        "Certificate of incorporation or formation",
        "What the state issued when the company was formed.",
        (DocumentType.CERTIFICATE_OF_INCORPORATION,),
        frozenset({AccountType.ENTITY}),
        _COMPANIES,
    ),
    PaperRule(
        "governing",
        "Bylaws, operating or partnership agreement",
        "The signed rules by which it is run.",
        (DocumentType.ENTITY_DUE_DILIGENCE,),
        frozenset({AccountType.ENTITY}),
        _OF_COMPANY,
    ),
    PaperRule(
        "ownership",
        "Certificate of beneficial owners",
        "A register or chart of who owns it, with their shares.",
        (DocumentType.CERTIFICATE_OF_BENEFICIAL_OWNERS,),
        frozenset({AccountType.ENTITY}),
        _OF_COMPANY,
    ),
    PaperRule(
        "trust",
        "Trust certification",
        "The pages that name the trust, its trustees and their powers, signed.",
        (DocumentType.TRUST_CERTIFICATION,),
        _ENTITIES,
        frozenset({EntityType.TRUST}),
    ),
    PaperRule(
        "identity",
        "Passport, driver's licence or identity card",
        "Not expired. Of a card we need both sides.",
        IDENTITY,
        _ENTITIES,
        of_each=True,
    ),
    PaperRule(
        "identity_abroad",
        "Passport, driver's licence or identity card",
        "Not expired. Of a card we need both sides.",
        IDENTITY,
        frozenset({AccountType.INDIVIDUAL, AccountType.CUSTODIAL}),
        of_each=True,
        roles=frozenset({OwnerRole.PRIMARY_OWNER, OwnerRole.CUSTODIAN}),
        abroad=True,
    ),
)


def rules_of_entity(account_type: str, entity_type: str) -> tuple[PaperRule, ...]:
    """The papers of the company or trust itself."""
    return tuple(
        rule for rule in RULES if not rule.of_each and rule.asked_of_account(account_type, entity_type)
    )


def rules_of_person(account_type: str, entity_type: str, role: str, country: str) -> tuple[PaperRule, ...]:
    """The papers of one of its people; `country` (alpha-2) is where they live."""
    return tuple(
        rule
        for rule in RULES
        if rule.asked_of_account(account_type, entity_type) and rule.asked_of_person(role, country)
    )


def sides_of(kind: str) -> tuple[DocumentSide, ...]:
    """The sides a paper of this type may be uploaded by. A paper without a back is its front (contract 4.5)."""
    if kind in TWO_SIDED:
        return (DocumentSide.FRONT, DocumentSide.BACK, DocumentSide.UNSPECIFIED)
    return (DocumentSide.FRONT,)


def missing_sides(kind: str, there: Iterable[str]) -> tuple[DocumentSide, ...]:
    """The sides still to come when those are there."""
    seen = set(there)
    if kind not in TWO_SIDED:
        return () if seen else (DocumentSide.FRONT,)
    if DocumentSide.UNSPECIFIED in seen:
        return ()
    return tuple(side for side in (DocumentSide.FRONT, DocumentSide.BACK) if side not in seen)
