"""Finding cases for the staff's one search (portal/finding.py): by reference, by label, and about what others found."""

from collections.abc import Sequence

from django.db.models import Q
from django.urls import reverse

from compliance import kinds, selectors, standing
from compliance.models import Case
from portal.finding import MOST, By, Found, Group, Hit, Subject, Term
from portal.models import User
from portal.permissions import can_do


def find(actor: User, term: Term, known: Sequence[Subject]) -> Found:
    """The newest cases that the actor may see: those the term names, and those about what was found already."""
    if not (can_do(actor, "case.view") or can_do(actor, "case.view_own")):
        return Found()
    wanted = Q(pk__isnull=True)
    by_type: dict[str, list[object]] = {}
    for label, key in known:
        by_type.setdefault(label, []).append(key)
    for label, keys in by_type.items():
        wanted |= Q(subject_type=label, subject_id__in=keys)
    if term.by is By.REFERENCE:
        wanted |= Q(reference=term.text.upper())
    elif term.by is By.NAME:
        wanted |= selectors.by_words(term.text)
    rows = selectors.cases_visible_to(actor).filter(wanted).select_related("assignee")
    found = list(rows.order_by("-pk")[: MOST + 1])
    return Found([Group("Cases", [_hit(row, term) for row in found[:MOST]], len(found) > MOST)])


def _hit(case: Case, term: Term) -> Hit:
    return Hit(
        case.reference,
        f"{kinds.get(case.kind).title}: {case.subject_label}",
        reverse("cases:detail", args=[case.pk]),
        standing.ball(case),
        (case.get_status_display(), standing.TONES[case.status]),
        is_named=term.by is By.REFERENCE and case.reference == term.text.upper(),
    )
