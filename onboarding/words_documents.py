"""The provider's vocabulary of papers: the wire word and what people read (contract bakkt-partner.md 4.5)."""

from django.db.models import TextChoices


class DocumentType(TextChoices):
    PASSPORT = "PASSPORT", "Passport"
    DRIVERS_LICENSE = "DRIVERS_LICENSE", "Driver's licence"
    IDENTIFICATION_CARD = "IDENTIFICATION_CARD", "Identity card"
    PASSPORT_CARD = "PASSPORT_CARD", "Passport card"
    VISA = "VISA", "Visa"
    SOCIAL_SECURITY_CARD = "SOCIAL_SECURITY_CARD", "Social Security card"
    W_8BEN_FORM = "W_8BEN_FORM", "Form W-8BEN"
    PROOF_OF_RESIDENTIAL_ADDRESS = "PROOF_OF_RESIDENTIAL_ADDRESS", "Proof of home address"
    PROOF_OF_PERSONAL_TAX_ID = "PROOF_OF_PERSONAL_TAX_ID", "Proof of personal tax number"
    CERTIFICATE_OF_INCORPORATION = "CERTIFICATE_OF_INCORPORATION", "Certificate of incorporation or formation"
    ENTITY_DUE_DILIGENCE = "ENTITY_DUE_DILIGENCE", "Bylaws, operating or partnership agreement"
    CERTIFICATE_OF_BENEFICIAL_OWNERS = "CERTIFICATE_OF_BENEFICIAL_OWNERS", "Certificate of beneficial owners"
    TRUST_CERTIFICATION = "TRUST_CERTIFICATION", "Trust certification"
    PROOF_OF_ENTITY_ADDRESS = "PROOF_OF_ENTITY_ADDRESS", "Proof of the entity's address"
    PROOF_OF_ENTITY_EIN_TAX_ID = "PROOF_OF_ENTITY_EIN_TAX_ID", "Proof of the entity's tax number"
    SOURCE_OF_FUNDS = "SOURCE_OF_FUNDS", "Source of funds"
    TRANSFER_ON_DEATH = "TRANSFER_ON_DEATH", "Transfer on death"
    RAW_CIP_DATA = "RAW_CIP_DATA", "Results of an identity check"
    RAW_CDD_DATA = "RAW_CDD_DATA", "Results of due diligence"


class DocumentSide(TextChoices):
    FRONT = "FRONT", "Front"
    BACK = "BACK", "Back"
    UNSPECIFIED = "UNSPECIFIED", "Both sides in one file"


class Verdict(TextChoices):
    """What our own staff say of a file, whatever the provider does with it."""

    ACCEPTED = "accepted", "Accepted by us"
    REJECTED = "rejected", "Not accepted by us"


class RejectReason(TextChoices):
    UNREADABLE = "unreadable", "It cannot be read"
    EXPIRED = "expired", "It has expired"
    WRONG_PAPER = "wrong_paper", "It is another paper"
    CUT_OFF = "cut_off", "A part of it is cut off"
    NAME_DIFFERS = "name_differs", "The name on it differs"
    OTHER = "other", "Something else"


#: What the customer reads of each reason.
REJECTED_BECAUSE: dict[str, str] = {
    RejectReason.UNREADABLE: "We cannot read it. Take a new photo in good light, without glare.",
    RejectReason.EXPIRED: "It has expired. Send one that is valid.",
    RejectReason.WRONG_PAPER: "It is not the paper we asked for.",
    RejectReason.CUT_OFF: "A part of it is cut off. All four corners must be in the picture.",
    RejectReason.NAME_DIFFERS: "The name on it is not the one in your application.",
    RejectReason.OTHER: "We could not accept it.",
}
