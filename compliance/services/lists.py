"""What people do to the list of cases: their columns, their views, and one thing done to many cases."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from compliance.models import Case, ListColumns, SavedView
from compliance.services.shared import checked_text, clean, invalid
from compliance.services.working import case_assign, case_note
from portal import audit
from portal.errors import DomainError, NotFound
from portal.models import User
from portal.permissions import can_do, require

#: More than a page of the list is never chosen at once.
MOST_AT_ONCE = 25
MOST_VIEWS = 50


@dataclass(frozen=True)
class Outcome:
    """What came of one case of many."""

    case_id: UUID
    reference: str
    done: bool
    words: str


def columns_save(*, actor: User, columns: Sequence[str]) -> None:
    """Keep the columns the actor wants to see, in their order."""
    ListColumns.objects.update_or_create(user=actor, defaults={"columns": list(columns)})


def view_save(*, actor: User, name: str, query: str, is_shared: bool) -> SavedView:
    """Keep filters and order under a name; the same name again replaces them. Only managers share.

    Raises Forbidden, and Invalid for a name that is empty or one view too many.
    """
    name = clean(name)[:60]
    if not name:
        raise invalid(name="Give the view a name.")
    if is_shared:
        require(actor, "case.manage")
    with transaction.atomic():
        User.objects.select_for_update().get(pk=actor.pk)
        mine = SavedView.objects.filter(owner=actor)
        if not mine.filter(name=name).exists() and mine.count() >= MOST_VIEWS:
            raise invalid(name=f"You keep {MOST_VIEWS} views already. Remove one first.")
        view, _ = SavedView.objects.update_or_create(
            owner=actor, name=name, defaults={"query": query, "is_shared": is_shared}
        )
        if is_shared:
            audit.record("case.view_shared", subject=view, actor=actor, after={"name": name}, source="page")
    return view


def view_remove(*, actor: User, view_id: UUID) -> None:
    """Forget a view: one's own, or as a manager any that is shared. Raises NotFound for all others."""
    with transaction.atomic():
        view = SavedView.objects.select_for_update().filter(pk=view_id).first()
        if view is None or not (
            view.owner_id == actor.pk or (view.is_shared and can_do(actor, "case.manage"))
        ):
            raise NotFound("There is no such view.")
        if view.is_shared:
            audit.record(
                "case.view_removed", subject=view, actor=actor, before={"name": view.name}, source="page"
            )
        view.delete()


def cases_assign(*, actor: User, case_ids: Sequence[UUID], to: User | None) -> list[Outcome]:
    """Give each of the cases to someone, or put it back. Each is its own change; what is refused says why."""
    words = f"Given to {to}." if to else "Put back into the queue."
    return each_of(case_ids, lambda key: case_assign(actor=actor, case_id=key, to=to), words)


def cases_note(*, actor: User, case_ids: Sequence[UUID], text: str) -> list[Outcome]:
    """Write the same note on each of the cases. Raises Invalid for an empty or long one."""
    text = checked_text(text, "text", "Write the note.")
    return each_of(case_ids, lambda key: case_note(actor=actor, case_id=key, text=text), "Note added.")


def each_of(case_ids: Sequence[UUID], change: Callable[[UUID], object], words: str) -> list[Outcome]:
    """Do the same to each of the cases, each its own change; one that is refused says why in its outcome."""
    chosen = list(dict.fromkeys(case_ids))
    if not chosen:
        raise invalid(case="Choose at least one case.")
    if len(chosen) > MOST_AT_ONCE:
        raise invalid(case=f"Choose at most {MOST_AT_ONCE} cases.")
    outcomes = []
    for key in chosen:
        try:
            change(key)
        except NotFound as error:
            # Not theirs to see: not even its reference is said.
            outcomes.append(Outcome(key, "", False, error.message))
        except DomainError as error:
            outcomes.append(Outcome(key, _reference(key), False, error.message))
        else:
            outcomes.append(Outcome(key, _reference(key), True, words))
    return outcomes


def _reference(key: UUID) -> str:
    return str(Case.objects.only("reference").get(pk=key))
