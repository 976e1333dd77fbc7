"""Which papers belong to whom, and which an entity needs before its KYB screening.

The contract publishes the types (4.5) and the wanted papers in words (4.4); which type meets which wish is ours
and stands here alone.
"""

from datetime import datetime

from sandbox.state import Account, Document
from sandbox.world import World

# A trust is an entity account by the name of its type; that it brings an entity object is assumed.
ENTITY_ACCOUNTS = frozenset({"ENTITY", "ENTITY_PERSONAL_TRUST"})

# Papers of the entity itself, which name no owner, and papers of one owner, which do. The rest may be either.
OF_ENTITY = frozenset(
    {
        "TRUST_CERTIFICATION",
        "ENTITY_DUE_DILIGENCE",
        "CERTIFICATE_OF_INCORPORATION",
        "CERTIFICATE_OF_BENEFICIAL_OWNERS",
        "PROOF_OF_ENTITY_ADDRESS",
        "PROOF_OF_ENTITY_EIN_TAX_ID",
    }
)
OF_OWNER = frozenset(
    {
        "DRIVERS_LICENSE",
        "IDENTIFICATION_CARD",
        "PASSPORT",
        "PASSPORT_CARD",
        "SOCIAL_SECURITY_CARD",
        "VISA",
        "W_8BEN_FORM",
        "PROOF_OF_RESIDENTIAL_ADDRESS",
        "PROOF_OF_PERSONAL_TAX_ID",
    }
)
OF_EITHER = frozenset({"RAW_CIP_DATA", "RAW_CDD_DATA", "SOURCE_OF_FUNDS", "TRANSFER_ON_DEATH"})
TYPES = OF_ENTITY | OF_OWNER | OF_EITHER

# One paper of each line, unexpired. A trust is formed by its certification and has no certificate of
# beneficial owners. Bylaws and operating agreements have no type of their own but due diligence.
NEEDED_OF_COMPANY = (
    ("CERTIFICATE_OF_INCORPORATION", "ENTITY_DUE_DILIGENCE"),
    ("CERTIFICATE_OF_BENEFICIAL_OWNERS",),
)
NEEDED_OF_TRUST = (("TRUST_CERTIFICATION",),)
# One of each owner.
NEEDED_OF_OWNER = ("PASSPORT", "DRIVERS_LICENSE", "IDENTIFICATION_CARD", "PASSPORT_CARD")
TWO_SIDED = frozenset({"DRIVERS_LICENSE", "IDENTIFICATION_CARD", "PASSPORT_CARD"})


def is_entity(account: Account) -> bool:
    """Whether the account is one of a company or trust, which is screened only when KYB is triggered."""
    return account.request["accountType"] in ENTITY_ACCOUNTS


def of_account(world: World, account: Account) -> list[Document]:
    """The account's documents, oldest first."""
    return [document for document in world.state.documents.values() if document.account == account.ref]


def missing(world: World, account: Account) -> list[str]:
    """What is still to be uploaded before KYB screening, in words; empty when nothing is."""
    now = world.clock.now()
    sides: dict[tuple[str, str], set[str]] = {}
    for document in of_account(world, account):
        paper = document.request
        if not _expired(document, now):
            key = (paper["documentType"], paper.get("clientOwnerId") or "")
            sides.setdefault(key, set()).add(document.side)

    def there(kind: str, owner: str = "") -> bool:
        seen = sides.get((kind, owner), set())
        return seen >= {"FRONT", "BACK"} or "UNSPECIFIED" in seen if kind in TWO_SIDED else bool(seen)

    request = account.request
    trust = request["accountType"] == "ENTITY_PERSONAL_TRUST" or request["entity"]["entityType"] == "TRUST"
    lacking = [
        " or ".join(kinds)
        for kinds in (NEEDED_OF_TRUST if trust else NEEDED_OF_COMPANY)
        if not any(there(kind) for kind in kinds)
    ]
    for number, owner in enumerate(request["owners"]):
        key = owner.get("clientOwnerId", "")
        if not any(there(kind, key) for kind in NEEDED_OF_OWNER):
            both = "both sides of " if any((kind, key) in sides for kind in TWO_SIDED) else ""
            lacking.append(f"{both}{' or '.join(NEEDED_OF_OWNER)} of owners[{number}]")
    return lacking


def _expired(document: Document, now: float) -> bool:
    until = document.request.get("documentExpiration")
    return until is not None and datetime.fromisoformat(until).timestamp() <= now
