"""The keys of the audit seals change while the trail stays checkable, from its first seal on."""

import base64
import hashlib
import hmac
import json
import os
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from portal import audit, audit_seals, clock
from portal.keyring import check_keys
from portal.models import AuditSeal

pytestmark = pytest.mark.django_db
OLD_KEY = "one key for all seals, as text, 32+"


def new_key(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


def sealed(count: int = 1) -> AuditSeal:
    for number in range(count):
        audit.record("thing.done", subject=None, after={"n": number})
    assert audit.seal_pending() == count
    return AuditSeal.objects.latest("seq")


def texts() -> list[str]:
    return [problem.text for problem in audit.verify()]


def test_the_first_key_seals_and_all_check(settings: Any) -> None:
    first = new_key("2026a")
    settings.AUDIT_KEYS = first
    assert sealed().key_id == "2026a"
    settings.AUDIT_KEYS = f"{new_key('2026b')},{first}"
    assert sealed().key_id == "2026b"
    assert texts() == []
    out = StringIO()
    call_command("audit_verify", stdout=out)
    lines = out.getvalue().splitlines()
    assert lines[1:3] == ["Under the key 2026a: seals 1 to 1.", "Under the key 2026b: seals 2 to 2."]
    assert lines[-1].startswith("Last seal: 2:")


def test_a_key_taken_out_too_early_is_named(settings: Any) -> None:
    settings.AUDIT_KEYS = new_key("2026a")
    sealed()
    settings.AUDIT_KEYS = new_key("2026b")
    sealed()
    assert texts() == [
        "Seal 1 cannot be checked: it was made under the key 2026a, which is not in AUDIT_KEYS."
    ]


def test_another_key_under_the_same_name_does_not_check(settings: Any) -> None:
    settings.AUDIT_KEYS = new_key("2026a")
    sealed()
    settings.AUDIT_KEYS = new_key("2026a")
    assert [text.partition(":")[0] for text in texts()] == ["Seal 1 does not match its list"]


def test_seals_made_before_keys_had_ids_stay_valid(settings: Any) -> None:
    """A seal as the release before wrote it, which named no key; the new key then goes on from there."""
    settings.AUDIT_KEY, settings.AUDIT_KEYS = OLD_KEY, new_key("2026a")
    entry = audit.record("thing.done", subject=None)
    digest, moment = audit_seals.entry_digest(entry), clock.now()
    facts = json.dumps(["", 1, moment.isoformat(), [digest]], separators=(",", ":"))
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO portal_auditseal (seq, at, count, previous_digest, digest) VALUES (1, %s, 1, '', %s)",
            [moment, hmac.new(OLD_KEY.encode(), facts.encode(), hashlib.sha256).hexdigest()],
        )
        cursor.execute(
            "INSERT INTO portal_auditsealedentry (entry_id, seal_id, position, digest) VALUES (%s, 1, 0, %s)",
            [entry.pk, digest],
        )
    assert (AuditSeal.objects.get(seq=1).key_id, sealed().key_id) == ("", "2026a")
    assert texts() == []
    settings.AUDIT_KEY = ""
    assert texts() == ["Seal 1 cannot be checked: it was made under AUDIT_KEY, which is not set."]


@pytest.mark.parametrize("ring", ["", "2026a", "2026a:c2hvcnQ=", "2026a:not base64"])
def test_a_ring_that_cannot_be_read_is_found_at_the_start(settings: Any, ring: str) -> None:
    settings.AUDIT_KEYS = ring
    (problem,) = check_keys()
    assert "AUDIT_KEYS" in problem.msg
