"""The audit trail: what is written, what is masked, what the database refuses."""

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from onboarding.models import Application, Customer, Owner
from portal import audit
from portal.context import acting
from portal.models import AuditEntry, AuditSeal, AuditSealedEntry, Role, User
from tests.people import make_staff

pytestmark = pytest.mark.django_db


def test_an_entry_tells_who_what_where(customer_user: User) -> None:
    analyst = make_staff(Role.COMPLIANCE_ANALYST)
    with acting(ip="192.0.2.7", request_id="req-1"):
        audit.record(
            "user.deactivated",
            subject=customer_user,
            actor=analyst,
            before={"is_active": True},
            after={"is_active": False},
            reason="Left the company",
            source="page",
        )
    entry = audit.entries_for(customer_user).get(action="user.deactivated")
    assert (entry.actor, entry.actor_label) == (analyst, analyst.label)
    assert (entry.subject_type, entry.subject_id) == ("portal.user", customer_user.pk)
    assert (entry.before, entry.after) == ({"is_active": True}, {"is_active": False})
    assert (entry.reason, entry.source) == ("Left the company", "page")
    assert (entry.ip, entry.request_id) == ("192.0.2.7", "req-1")


def test_the_entry_goes_with_its_transaction(customer_user: User) -> None:
    class Undone(Exception):
        pass

    with pytest.raises(Undone), transaction.atomic():
        audit.record("user.tried", subject=customer_user)
        raise Undone
    assert not AuditEntry.objects.filter(action="user.tried").exists()


def test_nothing_personal_enters(customer_user: User) -> None:
    application = Application.objects.create(customer=Customer.objects.create(user=customer_user))
    owner = Owner.objects.create(application=application, tax_id="536-22-1234")
    entry = audit.record(
        "owner.edit",
        subject=owner,
        before={"tax_id": owner.tax_id, "date_of_birth": "1988-04-17", "tax_id_index": ""},
        after={
            "tax_id": "900-70-5678",
            "new_email": "ana@example.com",
            "email_verified": True,
            "nested": {"accountNumber": 123456789, "words": ["call ana@example.com", owner.tax_id]},
            "count": 3,
            "token": None,
        },
        reason="Says her number is 536-22-1234\x00",
    )
    entry.refresh_from_db()
    assert entry.before == {"tax_id": "•••-••-1234", "date_of_birth": "••••", "tax_id_index": ""}
    assert entry.after == {
        "tax_id": "••••",
        "new_email": "••••",
        "email_verified": True,
        "nested": {"accountNumber": "••••", "words": ["call [redacted]", "•••-••-1234"]},
        "count": 3,
        "token": None,
    }
    assert entry.reason == "Says her number is [redacted]"


def test_the_subjects_own_entries_come_oldest_first(customer_user: User) -> None:
    other = make_staff(Role.AUDITOR)
    for number in range(3):
        audit.record("thing.done", subject=customer_user, after={"n": number})
        audit.record("thing.done", subject=other)
    found = audit.entries_for(customer_user).filter(action="thing.done")
    assert [entry.after for entry in found] == [{"n": 0}, {"n": 1}, {"n": 2}]


@pytest.mark.parametrize("model", [AuditEntry, AuditSeal, AuditSealedEntry])
@pytest.mark.parametrize("change", ["update", "delete"])
def test_the_database_refuses_changes(customer_user: User, model: Any, change: str) -> None:
    audit.record("thing.done", subject=customer_user)
    audit.seal_pending()
    before = list(model.objects.values())
    statement = {
        "update": f"UPDATE {model._meta.db_table} SET {model._meta.fields[-1].column} = NULL",
        "delete": f"DELETE FROM {model._meta.db_table}",
    }[change]
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)
    assert list(model.objects.values()) == before


@pytest.mark.parametrize("table", ["portal_auditentry", "portal_auditseal", "portal_auditsealedentry"])
def test_truncate_is_refused_where_the_trigger_stands(table: str) -> None:
    """The fixtures switch this trigger off for the tests' own flush; here it is on."""
    with (
        pytest.raises(DatabaseError, match="append-only"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER append_only_table")
        cursor.execute(f"TRUNCATE {table} CASCADE")
