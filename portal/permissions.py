"""Which role may do what. One table; services, pages, API and tasks all ask here."""

from typing import TYPE_CHECKING

from portal.errors import Forbidden

if TYPE_CHECKING:
    from portal.models import User

VIEW = frozenset({"application.view", "operations.view"})
AGREEMENTS = frozenset({"agreement.view", "agreement.manage"})
OPERATE = frozenset(
    {
        "webhook.view",
        "webhook.replay",
        "outbox.view",
        "outbox.retry",
        "outage.note",
        "reconciliation.run",
    }
)
#: `document.request` asks customers for papers, `document.upload` uploads on their behalf, `document.decide` accepts
#: and rejects.
DECIDE = frozenset(
    {
        "application.decide",
        "webhook.apply",
        "pii.reveal",
        "document.request",
        "document.upload",
        "document.decide",
    }
)
IMPORTS = frozenset({"import.view", "import.manage"})
#: `case.view_own` is for the cases one opened or was given; `case.manage` gives cases to others and decides
#: what is escalated; `queue.view` sees every queue and its rules, whomever a queue leaves out.
CASES = frozenset({"case.view", "case.work", "case.decide"})
QUEUES = frozenset({"queue.view", "queue.manage"})

#: role -> permission words. A customer has none: customers reach their own rows through their own selectors.
TABLE: dict[str, frozenset[str]] = {
    "customer": frozenset(),
    "onboarding_agent": VIEW
    | {"application.start", "document.request", "document.upload", "webhook.view", "case.view_own"},
    "compliance_analyst": VIEW | DECIDE | CASES | {"webhook.view"},
    "compliance_manager": VIEW
    | OPERATE
    | DECIDE
    | AGREEMENTS
    | IMPORTS
    | CASES
    | QUEUES
    | {"case.manage", "audit.view", "identity.override", "document.quarantine"},
    "funding_operator": VIEW | OPERATE,
    "auditor": VIEW
    | {
        "agreement.view",
        "import.view",
        "case.view",
        "queue.view",
        "webhook.view",
        "outbox.view",
        "audit.view",
        "user.view",
    },
    "administrator": VIEW
    | OPERATE
    | AGREEMENTS
    | IMPORTS
    | {"audit.view", "user.view", "user.manage", "identity.deliver"},
}


def can_do(actor: "User | None", permission: str) -> bool:
    """Whether the actor's role holds the permission word; False for anonymous and switched-off users."""
    return actor is not None and actor.is_active and permission in TABLE.get(actor.role, frozenset())


def require(actor: "User | None", permission: str) -> None:
    """Raise Forbidden unless `can_do`."""
    if not can_do(actor, permission):
        raise Forbidden("Your role does not allow this. Ask an administrator if you need it for your work.")
