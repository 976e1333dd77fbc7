"""Cases, what belongs to them, and the queues they lie in."""

from compliance.models.cases import Case, CaseDecision, CaseFact, CaseNote, CaseTick, new_reference
from compliance.models.lists import ListColumns, SavedView
from compliance.models.queues import DayOff, Queue, Rule, RuleBook, WorkCalendar
from compliance.models.workers import Worker

__all__ = [
    "Case",
    "CaseDecision",
    "CaseFact",
    "CaseNote",
    "CaseTick",
    "DayOff",
    "ListColumns",
    "Queue",
    "Rule",
    "RuleBook",
    "SavedView",
    "WorkCalendar",
    "Worker",
    "new_reference",
]
