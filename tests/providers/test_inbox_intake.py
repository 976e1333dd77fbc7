"""What an acknowledged webhook means: it is stored, whatever it holds and whatever else is broken."""

import io
import threading
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test import Client, RequestFactory
from prometheus_client import REGISTRY

from portal import clock
from portal.context import acting
from providers import inbox, intake
from providers.models import InboundEvent
from providers.verify import VERIFIERS, ApiKeyHeader, timestamp
from providers.views.webhooks import LARGEST_BODY
from tests.providers.inbox_support import Renamer, handling, path, post

pytestmark = pytest.mark.django_db


def counted(result: str, provider: str = "bakkt") -> float:
    labels = {"provider": provider, "result": result}
    return REGISTRY.get_sample_value("portal_webhooks_total", labels) or 0


# --- Stored -------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_one_statement_stores_it(settings: Any, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        response = post(settings, b'{"verificationURL": "https://check.example/secret"}')
    assert response.status_code == 200
    event = InboundEvent.objects.get()
    assert event.body.reveal() == '{"verificationURL": "https://check.example/secret"}'
    with connection.cursor() as cursor:
        cursor.execute("SELECT body::text FROM providers_inboundevent")
        assert "check.example" not in cursor.fetchone()[0]


def test_headers_are_kept_without_credentials(settings: Any) -> None:
    post(
        settings,
        b"{}",
        headers={
            "Authorization": "API-Key hush",
            "Cookie": "a=hush",
            "User-Agent": "Bakkt/1",
            "X-Other": "hush",
        },
    )
    headers = InboundEvent.objects.get().headers
    assert headers == {"Content-Type": "application/json", "User-Agent": "Bakkt/1"}


def test_repeats_are_counted_on_the_one_row(settings: Any) -> None:
    with time_machine.travel(clock.now(), tick=False) as moving:
        first = clock.now()
        for _ in range(3):
            assert post(settings, b'{"requestId": "1"}').status_code == 200
            moving.shift(timedelta(seconds=10))
    event = InboundEvent.objects.get()
    assert (event.deliveries, event.received_at) == (3, first)
    assert event.last_received_at == first + timedelta(seconds=20)


def test_the_same_request_id_with_another_body_is_another_event(settings: Any) -> None:
    post(settings, b'{"requestId": "1", "partyStatus": "ACTIVE"}')
    post(settings, b'{"requestId": "1", "partyStatus": "CLOSED"}')
    assert InboundEvent.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"not json", "not json"),
        (b"", ""),
        (b"a\x00b", "a\\x00b"),
        (b"\xff\xfe{", "\\xff\\xfe{"),
        (b'{"a": "\\u0000\\ud800"}', '{"a": "\\u0000\\ud800"}'),
        (b"[" * 50_000, "[" * 50_000),
    ],
)
def test_any_bytes_are_kept_and_end_in_quarantine(settings: Any, body: bytes, kept: str) -> None:
    assert post(settings, body).status_code == 200
    assert InboundEvent.objects.get().body.reveal() == kept
    inbox.process_due()
    assert InboundEvent.objects.get().status == "quarantined"


def test_a_reference_no_column_can_hold_is_quarantined_not_failed(settings: Any) -> None:
    post(
        settings,
        b'{"partnerWebhookType": "PARTY_EVENT", "partnerPartyRef": "\\ud800", "requestId": "\\ud800"}',
    )
    inbox.process_due()
    event = InboundEvent.objects.get()
    assert (event.status, event.attempts) == ("quarantined", 1)


@pytest.mark.parametrize("forwarded", ["not an address", "192.0.2.1:443", "\x00", "fe80::1%eth0"])
def test_what_a_proxy_or_the_provider_writes_wrongly_costs_no_event(settings: Any, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = 1
    response = post(settings, b"{}", headers={"X-Forwarded-For": forwarded, "X-Request-Id": "r" * 500})
    assert response.status_code == 200
    assert InboundEvent.objects.get().source_ip in {None, "fe80::1"}


def test_a_request_id_longer_than_its_column_costs_no_event() -> None:
    """Ours are short; one taken over from upstream (django-structlog can) need not be."""
    with acting(request_id="r" * 500):
        intake.store(provider="bakkt", body=b"{}", headers={}, source_ip="")
    assert InboundEvent.objects.get().request_id == "r" * 64


# --- Too large, or of no stated length ----------------------------------------------------------------------


def test_the_largest_body_fits_and_one_byte_more_is_refused(settings: Any) -> None:
    before = counted("too_large")
    assert post(settings, b"x" * (LARGEST_BODY + 1)).status_code == 413
    assert not InboundEvent.objects.exists()
    assert counted("too_large") == before + 1
    assert post(settings, b"x" * LARGEST_BODY).status_code == 200


def chunked(settings: Any, body: bytes, *, terminated: bool = True) -> int:
    """Post without a length, as a server that decodes chunks hands it over (wsgi.input_terminated)."""
    environ = {
        "REQUEST_METHOD": "POST",
        "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": terminated,
        "CONTENT_LENGTH": "",
        "CONTENT_TYPE": "application/json",
    }
    return Client().request(PATH_INFO=path(settings), **environ).status_code


def test_a_chunked_body_is_read_whole(settings: Any) -> None:
    assert chunked(settings, b'{"requestId": "7"}') == 200
    assert InboundEvent.objects.get().body.reveal() == '{"requestId": "7"}'


def test_a_chunked_body_is_bounded_and_needs_an_end(settings: Any) -> None:
    assert chunked(settings, b"x" * (LARGEST_BODY + 1)) == 413
    assert chunked(settings, b"{}", terminated=False) == 411
    assert not InboundEvent.objects.exists()


# --- Strangers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/webhooks/bakkt/", "/webhooks/bakkt/wrong/", "/webhooks/nobody/x/"])
def test_strangers_get_404_and_leave_nothing_but_a_count(
    settings: Any, address: str, django_assert_num_queries: Any
) -> None:
    provider = "unknown" if "nobody" in address else "bakkt"
    before = counted("refused", provider)
    with django_assert_num_queries(0):
        assert Client().post(address, b"{}", content_type="application/json").status_code == 404
    assert not InboundEvent.objects.exists()
    assert counted("refused", provider) == before + 1


def test_an_unset_secret_lets_nobody_in(settings: Any) -> None:
    settings.BAKKT_WEBHOOK_SECRET = ""
    assert Client().post("/webhooks/bakkt/", b"{}", content_type="application/json").status_code == 404


def test_only_post(settings: Any) -> None:
    assert Client().get(path(settings)).status_code == 405


@pytest.mark.parametrize(
    ("allowed", "caller", "status"),
    [
        ([], "203.0.113.9", 200),
        (["203.0.113.9"], "203.0.113.9", 200),
        (["198.51.100.0/24", "203.0.113.0/28"], "203.0.113.9", 200),
        (["203.0.113.0/28"], "203.0.113.99", 404),
        (["203.0.113.0/28"], "::ffff:203.0.113.9", 200),
        (["2001:db8::/32"], "2001:db8::1", 200),
        (["203.0.113.0/28"], "2001:db8::1", 404),
        (["203.0.113.0/28"], "not an address", 404),
    ],
)
def test_the_list_of_source_addresses(settings: Any, allowed: list[str], caller: str, status: int) -> None:
    settings.BAKKT_WEBHOOK_ALLOWED_IPS = allowed
    assert post(settings, b"{}", REMOTE_ADDR=caller).status_code == status
    assert InboundEvent.objects.exists() == (status == 200)


# --- The header of the Accounts API -------------------------------------------------------------------------


@pytest.fixture
def api_key(settings: Any) -> ApiKeyHeader:
    settings.LATER_SECRET, settings.LATER_PREVIOUS_SECRET = "present-one", ""
    return ApiKeyHeader("LATER_SECRET", "LATER_PREVIOUS_SECRET")


def accepts(verifier: ApiKeyHeader, **headers: str) -> bool:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return verifier.accepts(RequestFactory().post("/", headers=names), "", bytes)


@pytest.mark.parametrize(
    ("given", "right"),
    [
        ("API-Key present-one", True),
        ("API-Key previous-one", False),
        ("API-Key ", False),
        ("API-Key", False),
        ("Bearer present-one", False),
        ("present-one", False),
        ("", False),
        ("API-Key présent", False),
    ],
)
def test_the_api_key_header(api_key: ApiKeyHeader, given: str, right: bool) -> None:
    assert accepts(api_key, Authorization=given) is right


def test_after_a_rotation_the_previous_secret_still_opens(settings: Any, api_key: ApiKeyHeader) -> None:
    settings.LATER_PREVIOUS_SECRET = "previous-one"
    assert accepts(api_key, Authorization="API-Key previous-one")
    assert accepts(api_key, Authorization="API-Key present-one")


def test_a_wrong_api_key_is_answered_401(
    settings: Any, api_key: ApiKeyHeader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(VERIFIERS, "later", api_key)
    answer = Client().post("/webhooks/later/", b"{}", content_type="application/json")
    assert answer.status_code == 401
    right = {"Authorization": "API-Key present-one"}
    answer = Client().post("/webhooks/later/", b"{}", content_type="application/json", headers=right)
    assert answer.status_code == 200


@pytest.mark.parametrize(("minutes", "right"), [(0, True), (4, True), (-4, True), (6, False), (-6, False)])
def test_with_a_window_the_stamp_must_be_near(
    settings: Any, api_key: ApiKeyHeader, minutes: int, right: bool
) -> None:
    strict = ApiKeyHeader("LATER_SECRET", "LATER_PREVIOUS_SECRET", window=timedelta(minutes=5))
    moment = clock.now() + timedelta(minutes=minutes)
    for stamp in (str(int(moment.timestamp())), str(int(moment.timestamp() * 1000)), moment.isoformat()):
        assert accepts(strict, Authorization="API-Key present-one", X_Bakkt_Timestamp=stamp) is right
    assert not accepts(strict, Authorization="API-Key present-one")


@pytest.mark.parametrize("text", ["", "soon", "9" * 40, "2026-13-01", "-5", "١٢"])
def test_a_stamp_that_is_none(text: str) -> None:
    assert timestamp(text) is None


# --- Broken things ------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_are_one_row_and_one_processing(settings: Any, customer_user: Any) -> None:
    body = b'{"ref": "%s", "name": "Once"}' % customer_user.email.encode()
    barrier = threading.Barrier(10)
    statuses: list[int] = []

    def deliver() -> None:
        barrier.wait()
        statuses.append(post(settings, body).status_code)
        connections.close_all()

    run(deliver, 10)
    event = InboundEvent.objects.get()
    assert statuses == [200] * 10
    assert event.deliveries == 10
    renamer, starting = Renamer(), threading.Barrier(4)

    def work() -> None:
        starting.wait()
        inbox.process(event.pk)
        connections.close_all()

    with handling(renamer):
        run(work, 4)
        inbox.process(event.pk)
    assert renamer.applied == 1
    assert InboundEvent.objects.get().status == "processed"


def run(target: Any, count: int) -> None:
    threads = [threading.Thread(target=target) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
