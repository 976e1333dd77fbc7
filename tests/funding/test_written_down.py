"""Decisions about money that only write down what a person found: they are kept, and nothing else happens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Model

from compliance import kinds
from compliance import services as compliance
from compliance.models import Case
from funding import contradictions, lost_logins, returns, watching
from funding.models import (
    BankLogin,
    LedgerLine,
    LinkedBank,
    LinkSession,
    MoneyRun,
    Notice,
    ReconciliationItem,
    Transfer,
)
from funding.reconciliation import items
from onboarding.models import AccountHold, DocumentRequest, ProviderAccount
from portal import clock
from portal.errors import Forbidden, Invalid, NotFound
from portal.models import AuditEntry, MailMessage, OutboundCall, User
from tests.deciding import decide
from tests.funding.people import link_bank, open_account
from tests.funding.test_returns import bring_back, deposit

pytestmark = pytest.mark.django_db
Staff = Callable[[str], User]
WORDS = "Their bank wrote to us, ticket 4711."
#: The kind, the decision, and where the case is then.
WRITTEN = [
    (returns.KIND, "note", "closed"),
    (watching.KIND, "explained", "closed"),
    (contradictions.KIND, "settled", "closed"),
    (contradictions.KIND, "provider", "waiting_provider"),
    (lost_logins.KIND, "ended", "closed"),
    (lost_logins.KIND, "none", "closed"),
    (items.KIND, "watched", "closed"),
    (items.KIND, "known", "closed"),
]


def a_case(kind: str, user: User) -> Case:
    """A case of the kind, opened as it opens by itself where that is short, with money around it."""
    account = open_account(user)
    transfer = deposit(account, bank=link_bank(account))
    bring_back(transfer, "R10")
    subject: Model = account if kind in {watching.KIND, contradictions.KIND} else transfer
    if kind == lost_logins.KIND:
        session = LinkSession.objects.create(
            account=account, started_by=user, token_hash="h", token="t", expires_at=clock.now()
        )
        subject = BankLogin.objects.create(account=account, session=session, token_hash="h", status="failed")
    if kind == items.KIND:
        run = MoneyRun.objects.create(status="finished", since=clock.now())
        subject = ReconciliationItem.objects.create(
            kind="missing_there", run=run, seen_run=run, key="one", party_ref="one", account=account
        )
    return compliance.case_open(
        kind=kind,
        subject=compliance.Subject.of(subject, "Ana"),
        title="x",
        facts={},
        source="test",
        dedupe="x",
    )


def everything() -> dict[str, Any]:
    """What a decision with an effect would have touched."""
    return {
        "transfers": list(Transfer.objects.order_by("pk").values("status", "stuck_at", "problem")),
        "banks": list(LinkedBank.objects.order_by("pk").values("status", "stopped_for", "extra_hold_days")),
        "accounts": list(ProviderAccount.objects.values("status", "held_at")),
        "differences": list(ReconciliationItem.objects.values("status")),
        "rows": [
            model._default_manager.count()
            for model in (LedgerLine, AccountHold, OutboundCall, MailMessage, Notice, DocumentRequest)
        ],
    }


def test_these_are_all_that_only_write_down() -> None:
    found = {
        (kind.name, one.code)
        for kind in kinds.all_kinds()
        if kind.name.startswith("funding.")
        for one in kind.decisions
        if one.effect is None
    }
    assert found == {(kind, code) for kind, code, _ in WRITTEN}


@pytest.mark.parametrize(("kind", "code", "ends"), WRITTEN)
def test_it_is_written_down_and_nothing_else_happens(
    customer_user: User, staff: Staff, kind: str, code: str, ends: str
) -> None:
    case, analyst = a_case(kind, customer_user), staff("compliance_analyst")
    before = everything()
    with pytest.raises(Invalid) as refused:
        decide(analyst, case, code, text="  ")
    assert "text" in refused.value.fields
    for role in ("onboarding_agent", "auditor"):
        with pytest.raises((Forbidden, NotFound)):
            decide(staff(role), case, code, text=WORDS)
    assert not case.decisions.exists() and everything() == before
    made = decide(analyst, case, code, text=WORDS)
    chosen = kinds.get(kind).decision(code)
    assert chosen is not None
    assert (made.actor, made.label, made.text, made.outcome) == (analyst, chosen.label, WORDS, "")
    assert bool(made.reason_label) == bool(chosen.reasons)
    assert Case.objects.get(pk=case.pk).status == ends
    assert AuditEntry.objects.filter(subject_id=case.pk, action="case.decided", actor=analyst).exists()
    assert everything() == before


def test_an_explained_movement_counts_as_found_in_order(customer_user: User, staff: Staff) -> None:
    """What the dashboard and second reviews read of it; a reason that the kind does not know is refused."""
    case, analyst = a_case(watching.KIND, customer_user), staff("compliance_analyst")
    with pytest.raises(Invalid) as refused:
        decide(analyst, case, "explained", reason="because", text=WORDS)
    assert "reason_code" in refused.value.fields
    decide(analyst, case, "explained", reason="shown", text=WORDS)
    mark = case.marks.get(code="explained")
    assert (mark.verdict, mark.reason) == ("approved", "shown")
