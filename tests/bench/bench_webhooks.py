"""How fast webhooks are taken in, beside a view that answers after one raw INSERT, in the same run.

Both pass the same middleware and commit to the same server, so the ratio is what the intake itself costs: checking
the secret, sealing the body, the conflict clause and waking a worker. No time is asserted: only ratios travel between
machines. Run with `make bench`, or `pytest -m bench -s tests/bench/bench_webhooks.py`.
"""

import io
import json
import logging
import statistics
import time
from collections.abc import Callable, Iterator
from operator import truediv
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from portal.ids import new_id
from portal.waker import Waker
from providers import inbox
from providers.models import InboundEvent

pytestmark = [pytest.mark.bench, pytest.mark.django_db(transaction=True)]
#: Short turns, so that what else the machine does meets all of them alike.
ROUNDS, PER_ROUND = 100, 12


@csrf_exempt
def nothing(request: HttpRequest) -> HttpResponse:
    return JsonResponse({"received": True})


@csrf_exempt
def one_insert(request: HttpRequest) -> HttpResponse:
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO bench_raw (id, body) VALUES (%s, %s)", [new_id(), request.body])
    return JsonResponse({"received": True})


urlpatterns = [
    path("nothing/", nothing),
    path("one-insert/", one_insert),
    path("webhooks/", include("providers.urls")),
]


@pytest.fixture
def server(settings: Any) -> Iterator[WSGIHandler]:
    settings.ROOT_URLCONF = __name__
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bench_raw (id uuid PRIMARY KEY, body bytea NOT NULL)")
    logging.disable(logging.WARNING)
    yield WSGIHandler()
    logging.disable(logging.NOTSET)
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE bench_raw")


def body(number: int) -> bytes:
    return json.dumps(
        {
            "requestId": f"request-{number}",
            "partnerPartyRef": "PA-1234-5678",
            "partnerWebhookType": "PARTY_EVENT",
            "partyStatus": "UNDER_REVIEW",
            "reasonCode": "DOCUMENT_VERIFICATION",
            "verificationURL": "https://verify.example/start?session=4f1c",
            "verificationURLExpiry": "2030-05-04T12:00:00.000Z",
        }
    ).encode()


def call(server: WSGIHandler, address: str, raw: bytes) -> None:
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": address,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.1",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "wsgi.input": io.BytesIO(raw),
        "wsgi.url_scheme": "http",
    }
    statuses: list[str] = []
    for _ in server(environ, lambda status, headers, exc_info=None: statuses.append(status)):  # noqa: ARG005
        pass
    assert statuses[0].startswith("200"), statuses


def rate(make_call: Callable[[int], None], first: int) -> float:
    started = time.perf_counter()
    for number in range(first, first + PER_ROUND):
        make_call(number)
    return PER_ROUND / (time.perf_counter() - started)


def test_intake_beside_one_raw_insert(server: WSGIHandler, monkeypatch: pytest.MonkeyPatch) -> None:
    address = f"/webhooks/bakkt/{django_settings.BAKKT_WEBHOOK_SECRET}/"
    waker, silence = inbox._waker, Waker(lambda: None)
    same = body(-1)

    def quiet_intake(number: int) -> None:
        monkeypatch.setattr(inbox, "_waker", silence)
        call(server, address, body(number))
        monkeypatch.setattr(inbox, "_waker", waker)

    work: dict[str, Callable[[int], None]] = {
        "a view that does nothing": lambda number: call(server, "/nothing/", body(number)),
        "a view with one raw INSERT (baseline)": lambda number: call(server, "/one-insert/", body(number)),
        "intake, without waking a worker": quiet_intake,
        f"intake, with the broker {django_settings.BROKER_URL.partition(':')[0]}": lambda number: call(
            server, address, body(1_000_000 + number)
        ),
        "intake of a repeat": lambda number: call(server, address, same),  # noqa: ARG005
    }
    baseline = "a view with one raw INSERT (baseline)"
    rates: dict[str, list[float]] = {name: [] for name in work}
    for make_call in work.values():
        rate(make_call, 900_000)
    for number in range(ROUNDS):
        for name, make_call in work.items():
            rates[name].append(rate(make_call, number * PER_ROUND))
    print(f"\n{'webhook intake, one thread':<44}{'requests/s':>12}{'of baseline':>13}")
    for name, found in rates.items():
        ratio = statistics.median(map(truediv, found, rates[baseline]))
        print(f"{name:<44}{statistics.median(found):>12.0f}{ratio:>13.2f}")
    # What was measured is what was acknowledged: every body once, the repeat once with all its deliveries.
    assert InboundEvent.objects.count() == 2 * (ROUNDS + 1) * PER_ROUND + 1
    assert InboundEvent.objects.get(deliveries__gt=1).deliveries == (ROUNDS + 1) * PER_ROUND
