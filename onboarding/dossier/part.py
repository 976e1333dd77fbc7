"""Onboarding's part of the dossier: registered once, the same for every kind of case about an application."""

from functools import partial
from uuid import UUID

from django.urls import reverse

from compliance import selectors as cases
from compliance.dossier import MOST_LINKS, Happenings, Link, Look, Paper, Part, Picture, Summary
from compliance.kinds import Row
from onboarding import files, papers, shut_away, standing, timeline
from onboarding.dossier import anchors, known, sharing, signals
from onboarding.dossier.known import Known
from onboarding.dossier.sharing import Shared
from onboarding.models import Application, Document, Entity, Owner
from onboarding.words_documents import Verdict
from portal.composed import Composed, Question, ahead
from portal.permissions import can_do
from portal.ui.addresses import address
from portal.ui.time import moment_words

#: Files that are shown at most; older ones are on the page of papers.
MOST_PAPERS = 40


def of_application(application_id: UUID, look: Look) -> Part:
    """All that is known of the application and its customer, masked as everywhere."""
    found = known.of(look.case, application_id)
    if found is None:
        return Part()
    if reason := shut_away.why_shut(look.viewer, found.application.customer):
        return _shut(found, reason)
    shared = sharing.find(found, look.viewer)
    return Part(
        summary=_summary(found),
        signals=tuple(signals.of(found, shared)),
        papers=tuple(_papers(found, look)),
        links=tuple(_links(found, shared, look)),
        more_links=max(0, len(shared.by_application) - MOST_LINKS),
        common=tuple(shared.common),
        pages=tuple(_pages(found, look)),
        about=tuple(anchors.subjects_of(application_id)),
    )


def further(application_id: UUID, look: Look) -> list[Question]:
    """What `of_application` asks once the application with all that belongs to it is read."""
    found = known.of(look.case, application_id)
    if found is None or shut_away.why_shut(look.viewer, found.application.customer):
        return []
    return [sharing.question(found)]


def happenings(application_id: UUID, look: Look) -> Happenings:
    """What happened to the application, by the names of the filters; nothing of what is shut away."""
    application = known.application(look.case, application_id)
    if application is None or shut_away.why_shut(look.viewer, application.customer):
        return {}
    return {name: partial(timeline.PARTS[name], application) for name in timeline.PARTS}


def _shut(found: Known, reason: str) -> Part:
    """Of a customer who had their data erased nothing shows but that, and why it is still there."""
    application = found.application
    rows = (Row("Application", application.reference), Row("Shut away", reason))
    summary = Summary("Erased", signals.page_of(found), rows, standing.ball(application))
    return Part(summary=summary, about=tuple(anchors.subjects_of(application.pk)))


def _summary(found: Known) -> Summary:
    application, account = found.application, found.account
    status = standing.shown_status(application)
    kind = application.get_account_type_display()
    entity = application.get_entity_type_display()
    rows = [
        Row("Account", f"{kind}, {entity}" if entity else kind),
        Row("Where", _where(found)),
        Row("Customer since", moment_words(application.customer.created_at)),
        Row("Application", f"{application.reference}, {status[0].lower()}"),
    ]
    if account is not None:
        words = f"{account.get_status_display()}, {account.client_account_id}"
        rows.append(Row("At the provider", words))
    if found.entity is not None:
        rows.insert(0, Row("Applicant", found.applicant.full_name))
    if len(found.owners) > 1:
        rows.append(Row("People", str(len(found.owners))))
    return Summary(found.title, signals.page_of(found), tuple(rows), standing.ball(application))


def _where(found: Known) -> str:
    address = found.address_of(None) if found.entity else found.address_of(found.applicant)
    if address is None:
        return str(found.applicant.country.name)
    return ", ".join(part for part in (address.city, address.state, str(address.country.name)) if part)


def _pages(found: Known, look: Look) -> list[Row]:
    key = found.application.pk
    rows = [
        Row("Application", "All answers, and the whole timeline", signals.page_of(found)),
        Row("Papers", "Everything asked for and handed in", address("staff_documents:papers", key)),
    ]
    if can_do(look.viewer, "customer.view_as"):
        url = address("staff:as_customer", key)
        rows.append(Row("As the customer sees it", "Their own page, to read only", url))
    return rows


# --- Papers -------------------------------------------------------------------------------------------------


def _papers(found: Known, look: Look) -> list[Paper]:
    """The files there are, those of the applicant first; the pictures of the one chosen, which is recorded."""
    rows = [row for row in found.documents if row.status != Document.Status.REPLACED][:MOST_PAPERS]
    places: dict[UUID | None, int] = {owner.pk: at for at, owner in enumerate(found.owners)}
    rows.sort(key=lambda row: (places.get(row.owner_id, -1), row.type, row.side))
    return [_paper(found, row, look) for row in rows]


def _paper(found: Known, row: Document, look: Look) -> Paper:
    owner = next((person for person in found.owners if person.pk == row.owner_id), None)
    is_chosen = look.paper == row.pk
    pages, why = _pictures(row, look) if is_chosen else ([], "")
    title = row.get_type_display()
    return Paper(
        row.pk,
        f"{title}, {row.get_side_display().lower()}",
        (owner.full_name or owner.get_role_display()) if owner else found.title,
        tuple(_state(row)),
        reverse("staff:document", args=[found.application.pk, row.pk]),
        tuple(_facts(found, row, owner)) if is_chosen else (),
        tuple(
            Picture(
                reverse("staff:file", args=[files.token(look.viewer, row, page)]),
                f"Page {page} of the {title.lower()}; opens in full size",
            )
            for page in pages
        ),
        is_chosen,
        why,
    )


def _pictures(row: Document, look: Look) -> tuple[list[int], str]:
    if not can_do(look.viewer, "document.view"):
        return [], "Your role does not look at papers. A compliance analyst does."
    pages = files.pages_of(row)
    if not pages:
        return [], "There is no preview of this file: its own page says why."
    files.read(look.viewer, row, source="case", part="preview")
    return pages, ""


def _state(row: Document) -> list[tuple[str, str]]:
    found = [(str(row.get_status_display()), "danger" if row.status in _BAD else "neutral")]
    if row.verdict:
        found.append(
            (str(row.get_verdict_display()), "success" if row.verdict == Verdict.ACCEPTED else "danger")
        )
    if papers.is_expired(row):
        found.append(("Expired", "danger"))
    return found


_BAD = {Document.Status.QUARANTINED, Document.Status.REFUSED}


def _facts(found: Known, row: Document, owner: Owner | None) -> list[Row]:
    """What is held against the paper: from the application, then what was said of the paper itself."""
    address = found.address_of(owner)
    place = address.one_line if address else ""
    if owner is None:
        entity = found.entity
        facts = [
            Row("Name", entity.legal_name if entity else ""),
            Row("Kind", str(found.application.get_entity_type_display())),
            Row("Tax number", entity.tax_id or "" if entity else ""),
            Row("Registered at", place),
        ]
    else:
        facts = [
            Row("Name", owner.full_name),
            Row("Date of birth", owner.date_of_birth or ""),
            Row("Address", place),
        ]
    return [
        *facts,
        Row("Issued by, as was said", str(row.country.name)),
        Row("Valid until, as was said", f"{row.expires_on:%b} {row.expires_on.day}, {row.expires_on.year}")
        if row.expires_on
        else Row("Valid until, as was said", "No date"),
    ]


# --- Links --------------------------------------------------------------------------------------------------


_OPEN_TO_STAFF = Composed(
    lambda key: Application.objects.filter(customer__restricted_at=None, pk__in=[key]).select_related(
        "account__identity_check", "customer__user", "entity"
    )
)
_APPLICANTS = Composed(
    lambda key: Owner.objects.filter(
        application__in=[key], application__customer__restricted_at=None, is_applicant=True
    ).defer("date_of_birth", "tax_id")
)


def _links(found: Known, shared: Shared, look: Look) -> list[Link]:
    """The people of the account, then those who share something, the most telling first; names of the shown alone."""
    people = [
        Link(
            f"{owner.full_name or 'No name yet'}, {owner.get_role_display().lower()}",
            signals.page_of(found),
            ("This account",),
        )
        for owner in found.owners
        if not owner.is_applicant
    ]
    keys = sharing.in_order(shared)[:MOST_LINKS]
    if not keys:
        return people
    counted = cases.cases_about_question(look.viewer, anchors.APPLICATION, keys)
    with ahead(_OPEN_TO_STAFF.of(keys), _APPLICANTS.of(keys), counted):
        rows = {row.pk: row for row in _OPEN_TO_STAFF(keys)}
        names = {owner.application_id: owner.full_name for owner in _APPLICANTS(keys)}
        counts = cases.cases_about(look.viewer, anchors.APPLICATION, keys)
    for key, row in rows.items():
        entity: Entity | None = getattr(row, "entity", None)
        names[key] = (entity.legal_name if entity else "") or names.get(key, "")
    others = [
        Link(
            f"{names.get(key) or 'No name yet'}, {rows[key].reference}",
            address("staff:application", key),
            tuple(shared.by_application[key].values()),
            standing.ball(rows[key]).line,
            counts.get(key, 0),
        )
        for key in keys
        if key in rows
    ]
    return [*people, *others]
