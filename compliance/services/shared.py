"""What the services share: the locked row, the counted change, clean text."""

from datetime import datetime
from typing import Any
from uuid import UUID

from compliance import permissions, selectors, sla
from compliance.models import Case
from portal.errors import Invalid, NotFound
from portal.models import User

LONGEST_TEXT = 4000


def invalid(**fields: str) -> Invalid:
    """The refusal of a form, with a sentence per field."""
    return Invalid("Some answers need attention.", fields={name: [words] for name, words in fields.items()})


def locked(case_id: UUID) -> Case:
    """The case with its row lock. Raises NotFound."""
    rows = Case.objects.select_for_update(of=("self",)).select_related("assignee", "queue", "calendar")
    case = rows.filter(pk=case_id).first()
    if case is None:
        raise NotFound("There is no such case.")
    return case


def visible(actor: User, case_id: UUID) -> Case:
    """The case, locked; NotFound when it is not the actor's to see."""
    selectors.cases_visible_to(actor)  # a role without any case is told so, whatever the id
    case = locked(case_id)
    if not permissions.may_see(actor, case):
        raise NotFound("There is no such case.")
    return case


def changed(case: Case, **fields: Any) -> None:
    """Save fields of a locked case and count the change."""
    for name, value in fields.items():
        setattr(case, name, value)
    case.version += 1
    case.save(update_fields=[*fields, "version"])


#: On whom a case may wait, and the status it has then.
WAITS_ON = {"customer": Case.Status.WAITING_CUSTOMER, "provider": Case.Status.WAITING_PROVIDER}


def wait(
    case: Case, *, on: str, until: datetime, actor: User | None, reason: str, source: str, **fields: Any
) -> None:
    """A locked case waits on the "customer" or the "provider" until a moment; its clock stands still."""
    sla.stop(case)
    changed(case, waiting_until=until, **sla.values(case), **fields)
    if case.status != WAITS_ON[on]:
        case.move_to(WAITS_ON[on], actor=actor, reason=reason, source=source)


def clean(text: str) -> str:
    """The text without NUL, which PostgreSQL does not store, and without blanks around it."""
    return text.replace("\x00", "").strip()


def checked_text(text: str, field: str, sentence: str) -> str:
    """The clean text. Raises Invalid with `sentence` when nothing is left, or when it is too long."""
    text = clean(text)
    if not text or len(text) > LONGEST_TEXT:
        words = sentence if not text else f"Use at most {LONGEST_TEXT} characters."
        raise invalid(**{field: words})
    return text
