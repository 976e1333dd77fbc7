"""Which parts a case has. Most have few: one brief question spares its page the reading of what is not there."""

from typing import NamedTuple

from compliance.models import Case
from portal.composed import Question, Written, asked
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
    return Parts(*asked(question(case, reader))[0])


def question(case: Case, reader: User) -> Question:
    """What `of` asks."""
    return _PARTS.of(case=case.pk, reader=reader.pk)


_PARTS = Written("""
SELECT EXISTS (SELECT FROM compliance_casetick WHERE case_id = %(case)s),
 EXISTS (SELECT FROM compliance_casedecision WHERE case_id = %(case)s),
 EXISTS (SELECT FROM compliance_proposal WHERE case_id = %(case)s),
 EXISTS (SELECT FROM compliance_casenote WHERE case_id = %(case)s),
 EXISTS (SELECT FROM compliance_casefile WHERE case_id = %(case)s),
 EXISTS (SELECT FROM compliance_casemention WHERE case_id = %(case)s AND person_id = %(reader)s AND seen_at IS NULL),
 EXISTS (SELECT FROM compliance_approvalrule)""")
