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
#: `customer.view_as` shows the customer's own pages as they see them, to read only; `person.search` finds people by
#: what staff know of them, `person.search_number` also by their tax number or the last four of it.
FIND = frozenset({"customer.view_as", "person.search"})
#: `account.hold` stops an account's money and lets it go, `document.request` asks customers for papers,
#: `document.upload` uploads on their behalf, `document.view` looks at pictures of papers with one's own name written
#: across them, `document.decide` accepts and rejects, `document.original` gets a file without that name.
DECIDE = frozenset(
    {
        "application.decide",
        "webhook.apply",
        "account.hold",
        "pii.reveal",
        "document.request",
        "document.upload",
        "document.view",
        "document.decide",
        "person.search_number",
    }
)
#: `privacy.ask` asks for a copy or an erasure on a customer's behalf, `privacy.decide` decides it, `hold.manage`
#: forbids every erasure, `retention.manage` sets how long data is kept, `pii.retained` opens what is shut away,
#: `pii.review` looks through what was revealed.
PRIVACY = frozenset({"privacy.ask", "privacy.decide", "hold.manage", "retention.view", "retention.manage"})
#: `provider.read` reads the provider's copy now, to compare; `change.request` asks in a customer's stead for what the
#: provider's operations alone can change.
READ = frozenset({"provider.read"})
ASK = frozenset({"provider.read", "change.request"})
IMPORTS = frozenset({"import.view", "import.manage"})
#: `case.view_own` is for the cases one opened or was given; `case.manage` gives cases to others and decides
#: what is escalated; `case.export` takes case files away, papers and all, which an examination cannot do without;
#: `queue.view` sees every queue and its rules, whomever a queue leaves out; `dashboard.view` sees everybody's numbers,
#: `dashboard.view_own` one's own.
CASES = frozenset({"case.view", "case.work", "case.decide", "dashboard.view_own"})
QUEUES = frozenset({"queue.view", "queue.manage"})
#: `transfer.create` moves a customer's money on their behalf, `transfer.approve` lets go what a colleague asked for,
#: `transfer.limits` says how much may be moved.
TRANSFERS = frozenset({"transfer.view", "transfer.create", "transfer.approve"})

#: role -> permission words. A customer has none: customers reach their own rows through their own selectors.
TABLE: dict[str, frozenset[str]] = {
    "customer": frozenset(),
    "onboarding_agent": VIEW
    | FIND
    | ASK
    | {
        "application.start",
        "document.request",
        "document.upload",
        "webhook.view",
        "case.view_own",
        "privacy.ask",
    },
    "compliance_analyst": VIEW
    | FIND
    | ASK
    | DECIDE
    | CASES
    | {"webhook.view", "privacy.ask", "transfer.view"},
    "compliance_manager": VIEW
    | FIND
    | ASK
    | OPERATE
    | DECIDE
    | AGREEMENTS
    | IMPORTS
    | CASES
    | QUEUES
    | PRIVACY
    | {
        "case.manage",
        "case.export",
        "dashboard.view",
        "audit.view",
        "identity.override",
        "document.quarantine",
        "document.original",
        "pii.retained",
        "pii.review",
        "transfer.view",
        "transfer.approve",
        "transfer.limits",
    },
    "funding_operator": VIEW | READ | OPERATE | TRANSFERS | {"person.search"},
    "auditor": VIEW
    | FIND
    | {
        "agreement.view",
        "import.view",
        "document.view",
        "case.view",
        "case.export",
        "dashboard.view",
        "dashboard.view_own",
        "queue.view",
        "webhook.view",
        "outbox.view",
        "audit.view",
        "user.view",
        "pii.retained",
        "pii.review",
        "retention.view",
        "transfer.view",
    },
    "administrator": VIEW
    | READ
    | OPERATE
    | AGREEMENTS
    | IMPORTS
    | {
        "audit.view",
        "user.view",
        "user.manage",
        "identity.deliver",
        "person.search",
        "retention.view",
        "retention.manage",
    },
}


def can_do(actor: "User | None", permission: str) -> bool:
    """Whether the actor's role holds the permission word; False for anonymous and switched-off users."""
    return actor is not None and actor.is_active and permission in TABLE.get(actor.role, frozenset())


def require(actor: "User | None", permission: str) -> None:
    """Raise Forbidden unless `can_do`."""
    if not can_do(actor, permission):
        raise Forbidden("Your role does not allow this. Ask an administrator if you need it for your work.")


#: What each word lets people do, for the page that shows who may do what. Every word of TABLE stands here.
WORDS: dict[str, str] = {
    "account.hold": "Hold an account's money, and release it",
    "agreement.manage": "Write, publish and retire agreements",
    "agreement.view": "See agreements and who accepted them",
    "application.decide": "Settle differences with the provider and how accounts settle trades",
    "application.start": "Start applications for customers and fill them in with them",
    "application.view": "See applications, accounts and papers, masked",
    "audit.view": "Search the audit trail, download it, have it checked",
    "case.decide": "Decide cases",
    "case.export": "Take case files away for examiners, with the customers' papers",
    "case.manage": "Give cases to others, decide what is escalated, decide in every queue",
    "case.view": "See the cases of the queues their role sees",
    "case.view_own": "See the cases they opened or were given",
    "case.work": "Take cases, note, tick, wait, escalate, reopen",
    "change.request": "Ask in a customer's stead for changes that only the provider makes",
    "customer.view_as": "See the customer's own pages as they see them, to read",
    "dashboard.view": "See everybody's numbers on the dashboard",
    "dashboard.view_own": "See their own numbers on the dashboard",
    "document.decide": "Accept and reject papers",
    "document.original": "Open papers without a watermark",
    "document.quarantine": "Open what the malware scan held back, and let it go on",
    "document.request": "Ask customers for papers",
    "document.upload": "Upload papers for customers",
    "document.view": "Look at papers, with their name written across them",
    "hold.manage": "Put a legal hold on a customer's data, which forbids every erasure",
    "identity.deliver": "Choose how the link of the identity check is delivered",
    "identity.override": "Give another link of the identity check after a refusal of consent",
    "import.manage": "Bring existing customers over, hand them in, undo it",
    "import.view": "See imports and the migration",
    "operations.view": "See whether everything runs",
    "outage.note": "Write notes on outages of the provider",
    "outbox.retry": "Send calls to the provider again",
    "outbox.view": "See calls to the provider",
    "person.search": "Find people by what staff know of them",
    "person.search_number": "Find people by their tax number or the last four of it",
    "pii.retained": "Open what is shut away until its time to be kept is over",
    "pii.reveal": "See what is masked, with a reason, for some minutes",
    "pii.review": "Look through what was revealed to whom",
    "privacy.ask": "Ask for a copy or an erasure of data on a customer's behalf",
    "privacy.decide": "Decide requests for a copy or an erasure",
    "provider.read": "Read the provider's copy, to compare",
    "queue.manage": "Change queues, rules, calendars and who sees which queue",
    "queue.view": "See every queue and its rules",
    "reconciliation.run": "Begin the comparison of all accounts, upload lists",
    "retention.manage": "Set how long data is kept",
    "retention.view": "See how long data is kept",
    "transfer.approve": "Approve transfers that a colleague asked for",
    "transfer.create": "Move customers' money on their behalf",
    "transfer.limits": "Say how much may be moved",
    "transfer.view": "See transfers, linked banks and balances, masked",
    "user.manage": "Invite staff, change roles, switch access off",
    "user.view": "See staff and their roles",
    "webhook.apply": "Apply a webhook that was held back",
    "webhook.replay": "Process webhooks again",
    "webhook.view": "See webhooks",
}
