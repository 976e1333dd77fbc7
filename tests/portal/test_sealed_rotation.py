"""rotate_keys moves every value to the current key, beside writers, and again after an interruption."""

import base64
import os
import threading
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from portal import rotation
from portal.models import MailMessage
from portal.sealed import header

LOST = base64.b64encode(b"l" * 32).decode()


@pytest.fixture
def next_key(settings: Any) -> str:
    settings.SEAL_KEYS = f"next:{base64.b64encode(os.urandom(32)).decode()},{settings.SEAL_KEYS}"
    return "next"


def messages(count: int) -> list[MailMessage]:
    return MailMessage.objects.bulk_create(
        MailMessage(content={"n": number, "text": "sign in here"}) for number in range(count)
    )


def keys_in_use() -> set[bytes]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT content FROM portal_mailmessage")
        return {bytes(content)[: 2 + bytes(content)[1]] for (content,) in cursor.fetchall()}


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *arguments, stdout=out, stderr=out)
    return out.getvalue()


@pytest.mark.django_db
def test_everything_moves_and_stays_readable(settings: Any, request: pytest.FixtureRequest) -> None:
    rows = messages(7)
    request.getfixturevalue("next_key")
    assert "portal.MailMessage (content): 7 to re-encrypt" in run("--dry-run")
    assert keys_in_use() != {header("next")}
    assert "portal.MailMessage (content): 7 re-encrypted, 0 left" in run("--batch", "3")
    assert keys_in_use() == {header("next")}
    settings.SEAL_KEYS = settings.SEAL_KEYS.split(",")[0]
    assert [MailMessage.objects.get(pk=row.pk).content.reveal()["n"] for row in rows] == list(range(7))
    assert "portal.MailMessage (content): 0 re-encrypted, 0 left" in run()


@pytest.mark.django_db
def test_rows_under_a_lost_key_are_named_and_stop_nothing(settings: Any) -> None:
    ring = settings.SEAL_KEYS
    settings.SEAL_KEYS = f"lost:{LOST}"
    lost = messages(1)[0]
    settings.SEAL_KEYS = ring
    messages(2)
    settings.SEAL_KEYS = f"next:{base64.b64encode(os.urandom(32)).decode()},{ring}"
    out = StringIO()
    with pytest.raises(CommandError, match="keep the old keys"):
        call_command("rotate_keys", stdout=out, stderr=out)
    assert f"portal.MailMessage {lost.pk}: the key lost is not in SEAL_KEYS" in out.getvalue()
    assert "2 re-encrypted" in out.getvalue()
    assert keys_in_use() == {header("next"), header("lost")}


@pytest.mark.django_db
def test_a_new_index_key_reaches_every_row(settings: Any, customer_user: Any) -> None:
    from onboarding.models import Application, Customer, Owner

    application = Application.objects.create(customer=Customer.objects.create(user=customer_user))
    owner = Owner.objects.create(application=application, tax_id="536-22-1234")
    settings.BLIND_INDEX_KEY = "another index key of enough length"
    found = Owner.objects.filter(tax_id_index=Owner._meta.get_field("tax_id_index").index_of("536221234"))
    assert not found.exists()
    run("--every-row")
    assert found.get() == owner


@pytest.mark.django_db(transaction=True)
def test_a_row_someone_is_writing_is_left_to_the_next_round(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = messages(3)
    settings.SEAL_KEYS = f"next:{base64.b64encode(os.urandom(32)).decode()},{settings.SEAL_KEYS}"
    held, release = threading.Event(), threading.Event()

    def writer() -> None:
        try:
            with transaction.atomic():
                mine = MailMessage.objects.select_for_update().get(pk=rows[1].pk)
                held.set()
                release.wait(10)
                mine.content = {"n": "written meanwhile"}
                mine.save(update_fields=["content"])
        finally:
            connection.close()

    thread = threading.Thread(target=writer)
    thread.start()
    assert held.wait(10)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        pauses.append(seconds)
        release.set()
        thread.join(10)

    monkeypatch.setattr(rotation.time, "sleep", pause)
    model, columns = next(pair for pair in rotation.sealed_models() if pair[0] is MailMessage)
    outcome = rotation.rotate(model, columns)
    assert (outcome.done, outcome.left, len(pauses)) == (2, 0, 1)
    assert keys_in_use() == {header("next")}
    assert MailMessage.objects.get(pk=rows[1].pk).content.reveal() == {"n": "written meanwhile"}
