"""What the dashboard counts, in plain words: the one place that says it. Shown beside the charts."""

from dataclasses import dataclass

ARRIVED, TOUCHED, DECIDED, SETTLED = "arrived", "touched", "decided", "settled"
#: Decisions told apart by what they did with what was asked.
APPROVED, REFUSED, OTHER = "approved", "refused", "other"
BACKLOG = "backlog"


@dataclass(frozen=True)
class Word:
    """A word of the dashboard and what it means."""

    word: str
    meaning: str


WORDS = {
    ARRIVED: Word("Arrived", "A case was opened, or reopened after its decision."),
    SETTLED: Word("Settled by itself", "What the case asked was answered without a decision of ours."),
    BACKLOG: Word(
        "Backlog", "Cases that are neither decided nor settled now, by how long ago they were opened."
    ),
    TOUCHED: Word(
        "First touch",
        "The first time one of us takes the case, writes a note, ticks the checklist, lets it wait, escalates or "
        "decides it. Being given a case, by a rule or a manager, is no touch.",
    ),
    DECIDED: Word("Decided", "One of us decided. What was decided may still be on its way."),
    "met": Word(
        "In time",
        "Decided within the time the rules or the kind gave it. The clock runs while the ball is ours, and stands "
        "still while the case waits for others. Cases without a due date are left out.",
    ),
    "time": Word(
        "Time",
        "Counted on the working hours of the queue's calendar where a rule set the hours, else round the clock: to "
        "the first touch since the case arrived, to the decision while the ball was ours. Half of the cases took "
        "no longer than the median, nine of ten no longer than the 90th percentile.",
    ),
    APPROVED: Word("Approved", "A decision that gives what was asked."),
    REFUSED: Word("Refused", "A decision that does not, by the reason that was given."),
}


def words(*names: str) -> tuple[Word, ...]:
    """What these mean."""
    return tuple(WORDS[name] for name in names)
