"""The links that accounts held are moved into rows of their own; what is not open stays where it is."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from onboarding.models import IdentityLink
from portal import clock
from tests.flow import submitted
from tests.people import make_customer_user

BEFORE, AFTER = ("onboarding", "0020_settlement_changes"), ("onboarding", "0021_identity_checks")


@pytest.mark.django_db
def test_links_that_live_are_moved() -> None:
    executor = MigrationExecutor(connection)
    module: Any = executor.loader.get_migration(*AFTER)
    old = executor.loader.project_state([BEFORE]).apps
    cases = {
        "open": ("documents_needed", timedelta(hours=5)),
        "over": ("documents_needed", -timedelta(hours=5)),
        "active": ("active", timedelta(hours=5)),
    }
    made = {}
    for name, (status, left) in cases.items():
        account = old.get_model("onboarding", "ProviderAccount").objects.get(
            pk=submitted(make_customer_user()).account.pk
        )
        account.status = status
        account.verification_url = f"https://verify.example/{name}"
        account.verification_expires_at = clock.now() + left
        account.save()
        made[name] = account
    move = next(step for step in module.operations if hasattr(step, "code"))
    state = executor.loader.project_state([BEFORE])
    for step in module.operations[: module.operations.index(move)]:
        step.state_forwards("onboarding", state)
    move.code(state.apps, connection.schema_editor())
    link = IdentityLink.objects.get()
    assert link.url is not None
    assert link.url.reveal() == "https://verify.example/open"
    assert link.identity_check.account_id == made["open"].pk
    assert (link.expires_at, link.number) == (made["open"].verification_expires_at, 1)
    assert link.identity_check.expires_at == link.expires_at
