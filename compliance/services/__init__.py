"""Every write to a case. Apps open and settle cases; people work on them and decide.

Each takes the case's row lock, so that of two at once the second meets what the first left. Code that holds locks on
the subject takes those first (compliance/kinds.py).
"""

from compliance.services.deciding import case_decide
from compliance.services.lists import (
    Outcome,
    cases_assign,
    cases_note,
    columns_save,
    view_remove,
    view_save,
)
from compliance.services.opening import Subject, case_close, case_open, case_settle
from compliance.services.queues import RuleWish, calendar_save, queue_save, rule_remove, rule_save
from compliance.services.workers import away_set, worker_save
from compliance.services.working import (
    case_assign,
    case_check,
    case_escalate,
    case_note,
    case_reopen,
    case_resume,
    case_take_next,
    case_wait,
)

__all__ = [
    "Outcome",
    "RuleWish",
    "Subject",
    "away_set",
    "calendar_save",
    "case_assign",
    "case_check",
    "case_close",
    "case_decide",
    "case_escalate",
    "case_note",
    "case_open",
    "case_reopen",
    "case_resume",
    "case_settle",
    "case_take_next",
    "case_wait",
    "cases_assign",
    "cases_note",
    "columns_save",
    "queue_save",
    "rule_remove",
    "rule_save",
    "view_remove",
    "view_save",
    "worker_save",
]
