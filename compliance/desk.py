"""What the list of cases says of its reader and of what there is to choose from, in few reads."""

import json
from dataclasses import dataclass
from typing import NamedTuple

from django.core.cache import caches

from compliance import kinds, selectors
from compliance.list_columns import Column, among
from compliance.models import Queue
from portal.composed import Question, Written, asked
from portal.models import User
from portal.permissions import can_do

#: A key and what people read.
Option = tuple[str, str]


class View(NamedTuple):
    """A saved view as the list shows it."""

    key: str
    name: str
    query: str
    is_shared: bool
    owner: str
    is_own: bool


class Options(NamedTuple):
    """What the list's filters offer one reader."""

    kinds: tuple[Option, ...]
    queues: tuple[Option, ...]
    people: tuple[Option, ...]


@dataclass(frozen=True)
class Desk:
    """The reader's own: columns, whether they are away, notes that name them and that they have not seen, and their
    views beside those that are shared, by name."""

    columns: list[Column]
    is_away: bool
    unseen_mentions: int
    views: tuple[View, ...]


def of(actor: User) -> Desk:
    """The desk of the actor. One query, written out: composing four small ones took longer than asking them."""
    ((columns, is_away, mentions, views),) = asked(question(actor))
    return Desk(among(columns), is_away, mentions, tuple(View(*view) for view in json.loads(views)))


def question(actor: User) -> Question:
    """What `of` asks."""
    return _DESK.of(reader=actor.pk)


_DESK = Written("""
SELECT (SELECT columns FROM compliance_listcolumns WHERE user_id = %(reader)s),
 EXISTS (SELECT FROM compliance_worker WHERE user_id = %(reader)s AND is_away),
 (SELECT count(*) FROM compliance_casemention WHERE person_id = %(reader)s AND seen_at IS NULL),
 (SELECT COALESCE(json_agg(json_build_array(v.id, v.name, v.query, v.is_shared,
   COALESCE(NULLIF(u.name, ''), 'a colleague'), v.owner_id = %(reader)s) ORDER BY v.name, v.id), '[]')::text
  FROM compliance_savedview v JOIN portal_user u ON u.id = v.owner_id
  WHERE v.owner_id = %(reader)s OR v.is_shared)""")


def options(actor: User, queues: list[Queue]) -> Options:
    """What the filters offer the actor, who sees these queues; nothing of them to who sees only their own cases."""
    sees_all = can_do(actor, "case.view")
    return Options(
        tuple((kind.name, kind.title) for kind in kinds.all_kinds()),
        tuple((str(queue.pk), queue.name) for queue in queues) if sees_all else (),
        people() if sees_all else (),
    )


def people() -> tuple[Option, ...]:
    """Who may be given a case, by name. For what is offered alone: each process remembers them for some seconds, and
    whoever gives a case to someone is checked against the rows."""
    found = caches["local"].get("people_for_cases")
    if found is None:
        found = tuple((str(person.pk), person.label) for person in selectors.people_for_cases())
        caches["local"].set("people_for_cases", found, selectors.REMEMBERED_SECONDS)
    return tuple(found)
