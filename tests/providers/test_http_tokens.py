"""One log-in serves all; a token is renewed before it ends and once on 401."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings
from django.db import connection

from portal import clock
from providers.bakkt.crypto import CryptoClient
from providers.errors import Busy, Misconfigured, NotSent
from providers.http import Token
from providers.models import CallLog, ProviderToken
from providers.tokens import SharedTokens
from tests.providers.bakkt_samples import account_reply, account_request
from tests.providers.talker import Talker, answer, reset, silent

LOGIN = "/apex-crypto/api/v2/login"
ACCOUNTS = "/apex-crypto/api/v2/accounts"
READ = "/apex-crypto/api/v2/accounts/ACC-000123"

Make = Callable[..., CryptoClient]


@pytest.mark.django_db
def test_the_token_is_fetched_once_and_kept_sealed(talker: Talker, make_client: Make) -> None:
    talker.then(ACCOUNTS, answer(200, account_reply()))
    make_client().save_account(account_request())
    make_client().save_account(account_request())
    assert talker.times(LOGIN) == 1
    assert talker.last(LOGIN).json == {"logonId": "portal_ptr", "password": "hunter2-password"}
    assert talker.last(ACCOUNTS).headers["authorization"] == "Bearer T0KEN-ONE"
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM providers_providertoken")
        (stored,) = cursor.fetchone()
    assert b"T0KEN-ONE" not in bytes(stored)


@pytest.mark.django_db
def test_a_401_renews_the_token_and_repeats_the_call_once(talker: Talker, make_client: Make) -> None:
    client = make_client()
    talker.then(LOGIN, answer(body={"token": "T0KEN-ONE"}), answer(body={"token": "T0KEN-TWO"}))
    talker.then(ACCOUNTS, answer(200, account_reply()), answer(401, {}), answer(200, account_reply()))
    client.save_account(account_request())
    client.save_account(account_request())
    assert talker.times(LOGIN) == 2
    assert talker.times(ACCOUNTS) == 3
    assert talker.last(ACCOUNTS).headers["authorization"] == "Bearer T0KEN-TWO"


@pytest.mark.django_db
def test_a_second_401_is_our_fault(talker: Talker, make_client: Make) -> None:
    talker.then(ACCOUNTS, answer(401, {"code": 401, "message": "no"}))
    with pytest.raises(Misconfigured):
        make_client().save_account(account_request())
    assert talker.times(ACCOUNTS) == 2
    assert talker.times(LOGIN) == 2


@pytest.mark.django_db
def test_a_403_renews_nothing(talker: Talker, make_client: Make) -> None:
    talker.then(ACCOUNTS, answer(403, {"code": 403, "message": "no"}))
    with pytest.raises(Misconfigured):
        make_client().save_account(account_request())
    assert (talker.times(ACCOUNTS), talker.times(LOGIN)) == (1, 1)


@pytest.mark.django_db
@pytest.mark.parametrize("failure", [reset, silent(1), answer(500, {}), answer(200, {"nothing": 1})])
def test_a_write_behind_a_failed_log_in_was_not_sent(
    talker: Talker, make_client: Make, failure: object
) -> None:
    client = make_client()
    talker.then(LOGIN, failure)  # type: ignore[arg-type]
    with pytest.raises(NotSent):
        client.save_account(account_request())
    assert talker.times(ACCOUNTS) == 0
    assert CallLog.objects.get().operation == "bakkt.login"


@pytest.mark.django_db
def test_a_busy_log_in_passes_its_wait_on(talker: Talker, make_client: Make) -> None:
    client = make_client()
    talker.then(LOGIN, answer(429, {}, Retry_After="30"))
    with pytest.raises(Busy) as caught:
        client.save_account(account_request())
    assert caught.value.retry_after == 30


@pytest.mark.django_db
def test_refused_credentials_are_not_hammered(talker: Talker, make_client: Make) -> None:
    client = make_client()
    talker.then(LOGIN, answer(401, {"code": 401, "message": "no"}), answer(body={"token": "T0KEN-ONE"}))
    talker.then(ACCOUNTS, answer(200, account_reply()))
    for _ in range(3):
        with pytest.raises(Misconfigured):
            client.save_account(account_request())
    assert talker.times(LOGIN) == 1
    with time_machine.travel(clock.now() + timedelta(seconds=61)):
        client.save_account(account_request())
    assert talker.times(LOGIN) == 2


@pytest.mark.django_db
def test_a_token_is_renewed_before_it_ends() -> None:
    fetched: list[Token] = []

    def fetch() -> Token:
        fetched.append(Token(f"token-{len(fetched)}", clock.now() + timedelta(seconds=600)))
        return fetched[-1]

    store = SharedTokens()
    assert store.current("one", fetch).value == "token-0"
    with time_machine.travel(clock.now() + timedelta(seconds=530)):
        assert store.current("one", fetch).value == "token-0"
    with time_machine.travel(clock.now() + timedelta(seconds=545)):
        assert store.current("one", fetch).value == "token-1"


@pytest.mark.django_db
def test_a_refused_token_is_replaced_by_the_one_another_process_got() -> None:
    store = SharedTokens()
    old = store.current("one", lambda: Token("old"))
    assert store.replacement("one", old, lambda: Token("new")).value == "new"

    def no_log_in() -> Token:
        raise AssertionError("logged in again")

    assert store.replacement("one", old, no_log_in).value == "new"


@pytest.mark.django_db
def test_a_token_sealed_under_a_lost_key_is_fetched_anew(settings: object) -> None:
    store = SharedTokens()
    store.current("one", lambda: Token("old"))
    settings.SEAL_KEYS = "other:" + "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="  # type: ignore[attr-defined]
    assert store.current("one", lambda: Token("new")).value == "new"


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["", "two words", "line\nbreak", "naïve"])
def test_a_token_that_cannot_be_a_header_is_no_token(talker: Talker, make_client: Make, value: str) -> None:
    client = make_client()
    talker.then(LOGIN, answer(body={"token": value}))
    with pytest.raises(NotSent):
        client.read_account("ACC-000123")
    assert not ProviderToken.objects.filter(token__isnull=False).exists()


def in_threads(count: int, work: Callable[[], object]) -> list[object]:
    """What each thread's work returned or raised; every thread has its own database connection."""
    results: list[object] = []
    ready = threading.Barrier(count)

    def run() -> None:
        ready.wait()
        try:
            results.append(work())
        except Exception as error:
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_many_callers_at_once_log_in_once(talker: Talker, make_client: Make) -> None:
    talker.then(READ, answer(200, account_reply()))
    clients = [make_client() for _ in range(8)]
    results = in_threads(8, lambda: clients.pop().read_account("ACC-000123").id)
    assert results == ["84421907"] * 8
    assert talker.times(LOGIN) == 1


@pytest.mark.django_db(transaction=True)
def test_many_callers_share_one_failed_log_in(talker: Talker, make_client: Make) -> None:
    clients = [make_client() for _ in range(4)]
    talker.then(LOGIN, silent(1))
    results = in_threads(4, lambda: clients.pop().save_account(account_request()))
    assert all(isinstance(one, NotSent) for one in results)
    assert talker.times(LOGIN) == 1


@pytest.mark.django_db(transaction=True)
def test_many_callers_with_a_revoked_token_renew_it_once(talker: Talker, make_client: Make) -> None:
    ProviderToken.objects.create(name=make_client()._bearer.name, token="T0KEN-OLD")
    barrier_open = threading.Event()
    clients = [make_client() for _ in range(4)]

    def judge(handler: object) -> None:
        barrier_open.wait(0.2)
        known = handler.headers["Authorization"] == "Bearer T0KEN-ONE"  # type: ignore[attr-defined]
        answer(*((200, account_reply()) if known else (401, {})))(handler)  # type: ignore[arg-type]

    talker.then(ACCOUNTS, judge)
    results = in_threads(4, lambda: clients.pop().save_account(account_request()).id)
    assert results == ["84421907"] * 4
    assert talker.times(LOGIN) == 1


SCRIPT = """
import sys, django
django.setup()
from providers.bakkt.crypto import CryptoClient
from providers.bakkt.types import CryptoCredentials
from providers.calls import CallLogRecorder
from providers.circuits import SharedCircuits
from providers.http import Transport
from providers.tokens import SharedTokens
client = CryptoClient(base_url=sys.argv[1], credentials=CryptoCredentials("portal_ptr", "hunter2-password"),
    transport=Transport(circuits=SharedCircuits(), recorder=CallLogRecorder()), tokens=SharedTokens())
print(client.read_account("ACC-000123").id)
"""


@pytest.mark.django_db(transaction=True)
def test_processes_share_one_log_in(talker: Talker, make_client: Make) -> None:
    make_client()
    talker.then(READ, answer(200, account_reply()))
    database = settings.DATABASES["default"]
    url = os.environ["DATABASE_URL"]
    base, _, query = url.partition("?")
    test_url = base.rpartition("/")[0] + "/" + database["NAME"] + (f"?{query}" if query else "")
    environment = os.environ | {"DATABASE_URL": test_url, "DJANGO_SETTINGS_MODULE": "portal.settings"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", SCRIPT, talker.url],
            env=environment,
            cwd=settings.BASE_DIR,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for one in running:
        out, err = one.communicate(timeout=60)
        assert out.decode().strip().endswith("84421907"), err.decode()[-500:]
    assert talker.times(LOGIN) == 1
    assert talker.times(READ) == 2
