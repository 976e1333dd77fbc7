"""Cases, what belongs to them, and the queues they lie in."""

from compliance.models.approvals import ApprovalRule, Proposal
from compliance.models.cases import Case, CaseDecision, CaseFact, CaseNote, CaseTick, new_reference
from compliance.models.colleagues import CaseMention, CasePresence
from compliance.models.exports import CaseExport
from compliance.models.figures import CaseMark, DayCounted, Figure
from compliance.models.files import CaseFile
from compliance.models.lists import ListColumns, SavedView
from compliance.models.queues import DayOff, Queue, Rule, RuleBook, WorkCalendar
from compliance.models.reviews import Review, ReviewDraw, ReviewPolicy, SeenEvidence
from compliance.models.workers import Worker

__all__ = [
    "ApprovalRule",
    "Case",
    "CaseDecision",
    "CaseExport",
    "CaseFact",
    "CaseFile",
    "CaseMark",
    "CaseMention",
    "CaseNote",
    "CasePresence",
    "CaseTick",
    "DayCounted",
    "DayOff",
    "Figure",
    "ListColumns",
    "Proposal",
    "Queue",
    "Review",
    "ReviewDraw",
    "ReviewPolicy",
    "Rule",
    "RuleBook",
    "SavedView",
    "SeenEvidence",
    "WorkCalendar",
    "Worker",
    "new_reference",
]
