"""What happened to a version, as the timeline shows it."""

from onboarding.models.agreements import Agreement
from onboarding.timeline import Item
from portal import audit
from portal.models import AuditEntry

#: How the history names what happened. Changes of state show as what caused them.
WORDS = {
    "agreement.draft": ("Draft started", "plus", "info"),
    "agreement.edit": ("Draft edited", "pencil", "neutral"),
    "agreement.publish": ("Published", "check", "success"),
}
#: Enough for any version; the audit page has all.
MOST = 100


def history_of(agreement: Agreement) -> list[Item]:
    """Drafting, publishing and retiring, newest first."""
    entries = audit.entries_for(agreement).select_related("actor").reverse()[:MOST]
    return [item for entry in entries if (item := _item(entry)) is not None]


def _item(entry: AuditEntry) -> Item | None:
    title, icon, tone = WORDS.get(entry.action, ("", "", ""))
    if entry.action == "agreement.status" and (entry.after or {}).get("status") == Agreement.Status.RETIRED:
        title, icon, tone = "Retired", "archive", "warning"
    if not title:
        return None
    digest = str((entry.after or {}).get("text_sha256", ""))
    return Item(
        at=entry.at,
        icon=icon,
        title=title,
        actor=entry.actor_label,
        body=entry.reason or (f"Text {digest[:12]}…" if digest else ""),
        tone=tone,
    )
