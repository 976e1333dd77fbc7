"""Every write to a case. Apps open and settle cases; people work on them and decide.

Each takes the case's row lock, so that of two at once the second meets what the first left. Code that holds locks on
the subject takes those first (compliance/kinds.py).
"""

from compliance.services.approval_rules import (
    approval_rule_add,
    approval_rule_keep,
    approval_rule_remove,
    rule_of,
)
from compliance.services.approving import (
    Shown,
    case_approve,
    case_send_back,
    case_withdraw,
    cases_approve,
    why_not_withdraw,
)
from compliance.services.deciding import case_decide
from compliance.services.exports import export_ask, export_fetch, export_link
from compliance.services.files import case_file_attach, case_file_read
from compliance.services.lists import (
    Outcome,
    cases_assign,
    cases_note,
    columns_save,
    view_remove,
    view_save,
)
from compliance.services.opening import Rest, Subject, case_close, case_open, case_settle, case_tell
from compliance.services.presence import presence_end, presence_question, presence_show
from compliance.services.queues import RuleWish, calendar_save, queue_save, rule_remove, rule_save
from compliance.services.reviews import (
    review_decide,
    review_policy_save,
    review_put_back,
    review_settle,
    review_take,
)
from compliance.services.workers import away_set, worker_save
from compliance.services.working import (
    case_assign,
    case_check,
    case_escalate,
    case_hold,
    case_note,
    case_reopen,
    case_resume,
    case_take_next,
    case_wait,
    mentions_seen,
)

__all__ = [
    "Outcome",
    "Rest",
    "RuleWish",
    "Shown",
    "Subject",
    "approval_rule_add",
    "approval_rule_keep",
    "approval_rule_remove",
    "away_set",
    "calendar_save",
    "case_approve",
    "case_assign",
    "case_check",
    "case_close",
    "case_decide",
    "case_escalate",
    "case_file_attach",
    "case_file_read",
    "case_hold",
    "case_note",
    "case_open",
    "case_reopen",
    "case_resume",
    "case_send_back",
    "case_settle",
    "case_take_next",
    "case_tell",
    "case_wait",
    "case_withdraw",
    "cases_approve",
    "cases_assign",
    "cases_note",
    "columns_save",
    "export_ask",
    "export_fetch",
    "export_link",
    "mentions_seen",
    "presence_end",
    "presence_question",
    "presence_show",
    "queue_save",
    "review_decide",
    "review_policy_save",
    "review_put_back",
    "review_settle",
    "review_take",
    "rule_of",
    "rule_remove",
    "rule_save",
    "view_remove",
    "view_save",
    "why_not_withdraw",
    "worker_save",
]
