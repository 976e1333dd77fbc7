"""Papers of an account, as Bakkt takes and shows them. Contract bakkt-partner.md, section 4.5."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from providers.bakkt import assumptions
from providers.wire import Wire


class DocumentType(StrEnum):
    DRIVERS_LICENSE = "DRIVERS_LICENSE"
    IDENTIFICATION_CARD = assumptions.IDENTIFICATION_CARD
    PASSPORT = "PASSPORT"
    SOCIAL_SECURITY_CARD = "SOCIAL_SECURITY_CARD"
    RAW_CIP_DATA = "RAW_CIP_DATA"
    TRUST_CERTIFICATION = "TRUST_CERTIFICATION"
    ENTITY_DUE_DILIGENCE = "ENTITY_DUE_DILIGENCE"
    RAW_CDD_DATA = "RAW_CDD_DATA"
    VISA = "VISA"
    W_8BEN_FORM = "W_8BEN_FORM"
    PASSPORT_CARD = "PASSPORT_CARD"
    CERTIFICATE_OF_INCORPORATION = "CERTIFICATE_OF_INCORPORATION"
    CERTIFICATE_OF_BENEFICIAL_OWNERS = "CERTIFICATE_OF_BENEFICIAL_OWNERS"
    PROOF_OF_ENTITY_ADDRESS = "PROOF_OF_ENTITY_ADDRESS"
    PROOF_OF_ENTITY_EIN_TAX_ID = "PROOF_OF_ENTITY_EIN_TAX_ID"
    PROOF_OF_RESIDENTIAL_ADDRESS = "PROOF_OF_RESIDENTIAL_ADDRESS"
    PROOF_OF_PERSONAL_TAX_ID = "PROOF_OF_PERSONAL_TAX_ID"
    SOURCE_OF_FUNDS = "SOURCE_OF_FUNDS"
    TRANSFER_ON_DEATH = "TRANSFER_ON_DEATH"


class DocumentSide(StrEnum):
    """Papers of an entity itself use FRONT; a paper with two sides is uploaded twice."""

    FRONT = "FRONT"
    BACK = "BACK"
    UNSPECIFIED = "UNSPECIFIED"


@dataclass(frozen=True, repr=False)
class DocumentMetadata(Wire):
    """What goes with an upload and comes back from lists. `account` is the clientAccountId.

    An entity account needs the side and the issuing country (alpha-3); `client_owner_id` names the owner a
    paper is about and is absent for papers of the entity itself. `description` says so when an account was
    approved by hand on the strength of this paper.
    """

    SHOWN = frozenset({"client_document_id", "account", "document_type", "document_side"})

    client_document_id: str
    account: str
    document_type: str
    document_side: str | None = None
    issue_country: str | None = None
    client_owner_id: str | None = None
    description: str | None = None
    document_expiration: datetime | None = None


@dataclass(frozen=True, repr=False)
class Document(Wire):
    """A stored paper: Bakkt's own id, when it arrived, and the metadata it came with."""

    SHOWN = frozenset({"id", "created_at", "request"})

    id: str
    created_at: datetime | None = None
    request: DocumentMetadata | None = None
