"""Which parts a case has. Most have few: one brief question spares its page the reading of what is not there."""

from typing import NamedTuple
from uuid import UUID

from compliance.models import Case
from portal.composed import Question, Written
from portal.models import User


class Parts(NamedTuple):
    """Whether there are any: of the case itself, of notes that name the reader unseen, and of rules for two persons."""

    ticks: bool
    decisions: bool
    proposals: bool
    notes: bool
    files: bool
    unseen_mentions: bool
    approval_rules: bool


def of(case: Case, reader: User) -> Parts:
    """What there is of the case for its reader, in one query."""
    return Parts(*_PARTS(*_keys(case, reader))[0])


def question(case: Case, reader: User) -> Question:
    """What `of` asks."""
    return _PARTS.of(*_keys(case, reader))


def _keys(case: Case, reader: User) -> tuple[UUID, ...]:
    return (*[case.pk] * 6, reader.pk)


_PARTS = Written("""
SELECT EXISTS (SELECT FROM compliance_casetick WHERE case_id = %s),
 EXISTS (SELECT FROM compliance_casedecision WHERE case_id = %s),
 EXISTS (SELECT FROM compliance_proposal WHERE case_id = %s),
 EXISTS (SELECT FROM compliance_casenote WHERE case_id = %s),
 EXISTS (SELECT FROM compliance_casefile WHERE case_id = %s),
 EXISTS (SELECT FROM compliance_casemention WHERE case_id = %s AND person_id = %s AND seen_at IS NULL),
 EXISTS (SELECT FROM compliance_approvalrule)""")
