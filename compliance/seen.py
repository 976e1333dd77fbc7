"""What somebody saw of a case when they decided it: kept with the decision, and read back for a second reviewer.

Evidence is read from the subject as it is now, and a decision changes the subject. So the sections, masked as the page
showed them, are kept sealed beside the decision. Links are kept to papers alone: other pages tell what came of it.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from compliance import kinds
from compliance.models import Case, CaseDecision, Proposal, SeenEvidence
from compliance.models.approvals import FORGOTTEN


def keep(decision: CaseDecision, sections: list[dict[str, Any]]) -> None:
    """Keep what was taken by `taken`, once the decision's row is there."""
    if sections:
        SeenEvidence.objects.create(decision=decision, sections=sections)


def taken(kind: kinds.CaseKind, case: Case) -> list[dict[str, Any]]:
    """The evidence as the page shows it now, as JSON. Sealed values go in as their mask."""
    return [
        {
            "title": section.title,
            "rows": [[row.label, str(row.value), row.url if row.is_paper else ""] for row in section.rows],
            "comparison": _comparison(section.comparison),
        }
        for section in kind.evidence(case)
    ]


def sections(decision: CaseDecision) -> list[kinds.Section]:
    """The evidence as the first saw it; nothing for a decision from before it was kept."""
    found = SeenEvidence.objects.filter(decision=decision).first()
    return [_section(each) for each in found.sections.reveal()] if found else []


def forget(subjects: Iterable[UUID]) -> int:
    """Remove what was seen of these subjects, for whoever erases them; how many decisions it was of.

    That something was proposed, by whom, and who answered stays; the lines that its maker saw go.
    """
    keys = list(subjects)
    proposals = Proposal.objects.filter(case__subject_id__in=keys).exclude(seen_evidence__in=[[], FORGOTTEN])
    proposals.update(seen_evidence=FORGOTTEN)
    return SeenEvidence.objects.filter(decision__case__subject_id__in=keys).delete()[0]


def _comparison(comparison: kinds.Comparison | None) -> dict[str, Any] | None:
    if comparison is None:
        return None
    rows = [[str(value) for value in row] for row in comparison.rows]
    return {"columns": list(comparison.columns), "rows": rows, "differs": sorted(comparison.differs)}


def _section(kept: dict[str, Any]) -> kinds.Section:
    rows = tuple(kinds.Row(label, value, url, is_paper=bool(url)) for label, value, url in kept["rows"])
    beside = kept["comparison"]
    comparison = beside and kinds.Comparison(
        tuple(beside["columns"]), tuple(tuple(row) for row in beside["rows"]), frozenset(beside["differs"])
    )
    return kinds.Section(kept["title"], rows, comparison or None)
