"""The staff menu: its sections, who may open them, and how much work waits in each.

An app that knows of waiting work calls `register_count` when it starts; the menu shows what is registered.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.core.cache import caches

from portal.models import OutboundCall, User
from portal.permissions import can_do

REMEMBERED_SECONDS = 15


@dataclass(frozen=True)
class Section:
    """One entry of the menu; whoever holds one of `needs` may open it."""

    key: str
    label: str
    icon: str
    url_name: str
    needs: tuple[str, ...]

    def open_to(self, user: User | None) -> bool:
        """Whether the user may open it."""
        return any(can_do(user, word) for word in self.needs)


SECTIONS = (
    Section("applications", "Applications", "files", "staff:applications", ("application.view",)),
    Section("imports", "Imports", "upload", "staff:imports", ("import.view",)),
    Section("agreements", "Agreements", "file-check", "staff:agreements", ("agreement.view",)),
    Section("cases", "Cases", "briefcase", "cases:list", ("case.view", "case.view_own")),
    Section("transfers", "Transfers", "wallet", "funding_staff:transfers", ("transfer.view",)),
    Section("dashboard", "Dashboard", "layout-dashboard", "dashboard:home", ("dashboard.view_own",)),
    Section("webhooks", "Webhooks", "inbox", "inbox:list", ("webhook.view",)),
    Section("outbox", "Outbound calls", "send", "operations:outbox", ("outbox.view",)),
    Section("operations", "Operations", "activity", "operations:home", ("operations.view",)),
    Section("audit", "Audit", "scroll-text", "audit:list", ("audit.view",)),
    Section("reveals", "Reveals", "eye", "cases:reveals", ("pii.review",)),
    Section("retention", "Retention", "archive", "privacy_staff:retention", ("retention.view",)),
    Section("identity_check", "Identity check", "id-card", "identity_staff:delivery", ("identity.deliver",)),
    Section("users", "Users", "users", "users:list", ("user.view", "user.manage")),
)
_counts: dict[str, tuple[Callable[[User], int], str]] = {}


def register_count(key: str, count: Callable[[User], int], *, needs: str = "") -> None:
    """Show `count(user)` beside the section: only work that waits for that person, and cheap enough for every page.

    With `needs` it is shown to those alone who hold that permission, for work that not every reader may do.
    """
    _counts[key] = (count, needs)


def register_common_count(key: str, count: Callable[[], int]) -> None:
    """The same for work that waits for whoever may open the section; each process remembers it for some seconds."""

    def remembered(_: User) -> int:
        found = caches["local"].get(f"waiting_{key}")
        if found is None:
            found = count()
            caches["local"].set(f"waiting_{key}", found, REMEMBERED_SECONDS)
        return int(found)

    register_count(key, remembered)


def waiting(user: User | None) -> dict[str, int]:
    """What waits for a person, by section, where the user may open it; sections without a count are absent."""
    found: dict[str, int] = {}
    for section in SECTIONS:
        if user is not None and section.key in _counts and section.open_to(user):
            count, needs = _counts[section.key]
            if not needs or can_do(user, needs):
                found[section.key] = count(user)
    return found


register_common_count("outbox", lambda: OutboundCall.objects.filter(status="needs_person").count())
