"""What funding registers for staff: kinds of cases, parts of pages, the menu's count, gauges."""

from compliance import dossier, kinds, panels
from compliance import selectors as find_cases
from compliance.casefile import hooks
from funding import (
    bank_dossier,
    contradictions,
    customers_pages,
    events,
    gauges,
    look_up,
    on_way,
    operations,
    privacy,
    records,
    shared_bank,
    staff_selectors,
)
from funding.cases import bank_given_up, bank_owner, given_up, held, lost_login, returns, unusual
from funding.dossier import of_application
from funding.dossier import questions as money_questions
from funding.models import BankLogin, LinkedBank, Transfer
from funding.panels import PANEL
from funding.reconciliation import case
from funding.subjects import page
from onboarding import as_customer
from onboarding.dossier import anchors, sharing
from onboarding.privacy import elsewhere, policy
from onboarding.privacy.requests import register_obstacle
from portal import audit_search, outbox, revealing
from portal.ui import nav
from providers import inbox, operations_lines


def register() -> None:
    """Called once, when the app starts."""
    for kind in (
        held.kind,
        held.enhanced,
        given_up.kind,
        bank_owner.kind,
        bank_given_up.kind,
        lost_login.kind,
        returns.kind,
        unusual.unusual,
        unusual.contradiction,
        case.kind,
    ):
        kinds.register(kind)
    outbox.register(operations.LOOK_UP, look_up.LookUp())
    inbox.register_put_aside(events.KIND, contradictions.put_aside)
    inbox.register_subject_page(Transfer._meta.label_lower, page)
    dossier.register(anchors.APPLICATION, of_application)
    dossier.register(anchors.APPLICATION, bank_dossier.of_application)
    dossier.register_questions(anchors.APPLICATION, money_questions)
    dossier.register_questions(anchors.APPLICATION, bank_dossier.questions)
    sharing.register(shared_bank.WAY)
    panels.register(PANEL)
    audit_search.register_finder(records.named)
    find_cases.register_subject_search(records.subjects)
    for model, route in records.ROUTES:
        audit_search.register_page(model._meta.label_lower, records.page_of(model, route))
    for subject in (Transfer, LinkedBank, BankLogin):
        hooks.register_subject(subject._meta.label_lower, records.contribution_of(subject))
    register_obstacle(records.obstacles)
    elsewhere.register(privacy.HOLDER)
    policy.register(privacy.DRAFTS)
    for field in records.fields():
        revealing.register(field)
    nav.register_count("transfers", lambda _: sum(staff_selectors.waiting().values()))
    for looked_at in customers_pages.PAGES:
        as_customer.register(looked_at)
    gauges.register()
    operations_lines.register(on_way.lines)
