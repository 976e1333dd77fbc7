"""What each answer, silence and broken connection comes to, over a real socket."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import requests

from portal.context import acting
from providers.errors import (
    Busy,
    Conflict,
    Misconfigured,
    NotFound,
    NotSent,
    OutcomeUnknown,
    ProviderError,
    Rejected,
)
from providers.http import Call, Transport
from providers.http.answers import failure_of, retry_after
from providers.models import CallLog, HostCircuit
from tests.providers.talker import (
    Behaviour,
    Talker,
    answer,
    cut_off,
    dead_url,
    drip,
    nonsense,
    reset,
    silent,
)

pytestmark = pytest.mark.django_db

Make = Callable[..., Transport]


def write(talker: Talker, **changes: Any) -> Call:
    values = {
        "operation": "test.write",
        "method": "POST",
        "base_url": talker.url,
        "template": "/thing",
        "json": {"a": 1},
    }
    return Call(**(values | changes))


def read(talker: Talker, **changes: Any) -> Call:
    return write(talker, operation="test.read", method="GET", json=None, **changes)


def body_of(value: Any) -> Any:
    return value


FAILURES: list[tuple[str, Behaviour, type[ProviderError], str]] = [
    ("400", answer(400, {"type": "PARTY_SUSPENDED"}), Rejected, "rejected"),
    ("401", answer(401, {"code": 401, "message": "no"}), Misconfigured, "misconfigured"),
    ("403", answer(403, raw=b"<html>forbidden</html>"), Misconfigured, "misconfigured"),
    ("404", answer(404, {"code": 404, "message": "no"}), NotFound, "not_found"),
    ("408", answer(408, {}), OutcomeUnknown, "unknown"),
    ("409", answer(409, {"type": "IDEMPOTENCY_KEY_IN_USE"}), Conflict, "conflict"),
    ("418", answer(418, raw=b"teapot"), Rejected, "rejected"),
    ("422", answer(422, {"code": 422, "message": "no"}), Rejected, "rejected"),
    ("429", answer(429, {}, Retry_After="7"), Busy, "busy"),
    ("500", answer(500, {"code": 500, "message": "no"}), OutcomeUnknown, "unknown"),
    ("502 with HTML", answer(502, raw=b"<html>bad gateway</html>"), OutcomeUnknown, "unknown"),
    ("200 with HTML", answer(200, raw=b"<html>ok</html>"), OutcomeUnknown, "unknown"),
    ("200 with NaN", answer(200, raw=b'{"amount": NaN}'), OutcomeUnknown, "unknown"),
    ("200 nested too deep", answer(200, raw=b"[" * 100_000), OutcomeUnknown, "unknown"),
    ("redirect", answer(302, {}, Location="http://127.0.0.1:1/elsewhere"), Misconfigured, "misconfigured"),
    ("reset", reset, OutcomeUnknown, "unknown"),
    ("silence", silent(1), OutcomeUnknown, "unknown"),
    ("drip", drip(3), OutcomeUnknown, "unknown"),
    ("cut off", cut_off, OutcomeUnknown, "unknown"),
    ("not HTTP", nonsense, OutcomeUnknown, "unknown"),
]


@pytest.mark.parametrize(
    ("behaviour", "kind", "word"), [f[1:] for f in FAILURES], ids=[f[0] for f in FAILURES]
)
def test_what_a_write_comes_to_and_that_it_is_sent_once(
    talker: Talker, make_transport: Make, behaviour: Behaviour, kind: type[ProviderError], word: str
) -> None:
    talker.then("/thing", behaviour)
    with pytest.raises(ProviderError) as caught:
        make_transport().call(write(talker), body_of)
    assert type(caught.value) is kind
    assert talker.times("/thing") == 1
    row = CallLog.objects.get()
    assert (row.outcome, row.error, row.attempt) == (word, kind.__name__, 1)
    assert row.template == "/thing"
    assert row.bytes_out == len(b'{"a":1}')


def test_an_answer(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, {"b": 2}, X_Request_Id="their-1"))
    with acting(request_id="ours-1"):
        assert make_transport().call(write(talker), body_of) == {"b": 2}
    heard = talker.last("/thing")
    assert heard.json == {"a": 1}
    assert heard.headers["user-agent"].startswith("partner-portal")
    assert "x-tracking-id" not in heard.headers
    row = CallLog.objects.get()
    assert (row.status, row.outcome, row.provider_request_id, row.request_id) == (
        200,
        "answered",
        "their-1",
        "ours-1",
    )
    assert row.bytes_in == len(b'{"b": 2}')
    assert not HostCircuit.objects.exists()


def test_nothing_was_sent_where_nobody_listens(make_transport: Make) -> None:
    call = Call(operation="test.write", method="POST", base_url=dead_url(), template="/thing", json={})
    with pytest.raises(NotSent) as caught:
        make_transport().call(call, body_of)
    assert caught.value.code == "no_connection"
    assert CallLog.objects.get().outcome == "not_sent"


def test_nothing_was_sent_to_an_unknown_name(make_transport: Make) -> None:
    call = Call(
        operation="t", method="POST", base_url="http://no-such-host.invalid", template="/thing", json={}
    )
    with pytest.raises(NotSent):
        make_transport().call(call, body_of)


def test_a_server_that_speaks_no_tls_is_no_answer(talker: Talker, make_transport: Make) -> None:
    url = talker.url.replace("http://", "https://")
    with pytest.raises(OutcomeUnknown):
        make_transport().call(
            Call(operation="t", method="POST", base_url=url, template="/thing", json={}), body_of
        )
    assert not talker.heard


def test_a_connect_time_out_is_not_sent_and_an_odd_header_is_our_fault() -> None:
    assert type(failure_of(requests.ConnectTimeout())) is NotSent
    assert type(failure_of(requests.exceptions.InvalidHeader())) is Misconfigured
    assert type(failure_of(requests.ReadTimeout())) is OutcomeUnknown


def test_an_answer_over_the_cap_is_not_read(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, raw=b'"' + b"x" * 300_000 + b'"'))
    with pytest.raises(OutcomeUnknown) as caught:
        make_transport(answer_cap_bytes=100_000).call(write(talker), body_of)
    assert caught.value.code == "too_large"


def test_reads_are_repeated_and_writes_are_not(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", reset, answer(503, {}), answer(200, {"b": 2}))
    assert make_transport().call(read(talker), body_of) == {"b": 2}
    assert list(CallLog.objects.order_by("id").values_list("attempt", "outcome")) == [
        (1, "unknown"),
        (2, "unknown"),
        (3, "answered"),
    ]
    talker.then("/thing", reset, answer(200, {}))
    with pytest.raises(OutcomeUnknown):
        make_transport().call(write(talker), body_of)
    assert talker.times("/thing") == 4


def test_reads_are_repeated_a_few_times_only(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(500, {}))
    with pytest.raises(OutcomeUnknown):
        make_transport(read_attempts=3).call(read(talker), body_of)
    assert talker.times("/thing") == 3


def test_a_refused_read_is_final(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(400, {}), answer(200, {}))
    with pytest.raises(Rejected):
        make_transport().call(read(talker), body_of)
    assert talker.times("/thing") == 1


def test_retry_after_is_waited_for_when_short_and_handed_on_when_long(
    talker: Talker, make_transport: Make
) -> None:
    talker.then("/thing", answer(429, {}, Retry_After="0"), answer(200, {}))
    make_transport().call(read(talker), body_of)
    talker.then("/thing", answer(429, {}, Retry_After="90"), answer(200, {}))
    with pytest.raises(Busy) as caught:
        make_transport().call(read(talker), body_of)
    assert caught.value.retry_after == 90
    assert talker.times("/thing") == 3


def test_retry_after_in_every_form() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert retry_after("12") == 12
    assert 50 < (retry_after(in_a_minute) or 0) <= 60
    assert retry_after("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert retry_after("999999999") == 3600
    assert retry_after("-5") == 0
    for senseless in (None, "", "soon", "nan", "inf"):
        assert retry_after(senseless) is None


def test_a_409_gives_its_body(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(409, {"original": {"success": True}}))
    with pytest.raises(Conflict) as caught:
        make_transport().call(write(talker), body_of)
    assert caught.value.body == {"original": {"success": True}}


def test_no_redirect_is_followed(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(307, {}, Location=f"{talker.url}/elsewhere"))
    with pytest.raises(Misconfigured):
        make_transport().call(write(talker), body_of)
    assert talker.times("/elsewhere") == 0


def test_no_cookie_ties_calls_together(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, {}, Set_Cookie="seen=1; Path=/"))
    transport = make_transport()
    transport.call(write(talker), body_of)
    transport.call(write(talker), body_of)
    assert "cookie" not in talker.last("/thing").headers


def test_connections_are_kept(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, {}))
    transport = make_transport()
    for _ in range(3):
        transport.call(write(talker), body_of)
    assert len({one.port for one in talker.heard}) == 1


def test_the_tracking_id_is_a_uuid_made_of_our_request_id(talker: Talker, make_transport: Make) -> None:
    talker.then("/thing", answer(200, {}))
    ours = "0192d1c2-7b1e-7000-8000-000000000001"
    with acting(request_id=ours):
        make_transport().call(write(talker, tracked=True), body_of)
    assert talker.last("/thing").headers["x-tracking-id"] == ours
    with acting(request_id="not a uuid"):
        make_transport().call(write(talker, tracked=True), body_of)
    first = talker.last("/thing").headers["x-tracking-id"]
    with acting(request_id="not a uuid"):
        make_transport().call(write(talker, tracked=True), body_of)
    assert talker.last("/thing").headers["x-tracking-id"] == first


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_a_path_value_cannot_leave_its_place(talker: Talker, value: str) -> None:
    with pytest.raises(ValueError, match="name"):
        write(talker, template="/a/{name}/b", path={"name": value})


def test_a_path_value_is_quoted(talker: Talker, make_transport: Make) -> None:
    talker.then("/a/x%2Fy%3Fz%20%E2%82%AC", answer(200, {}))
    make_transport().call(write(talker, template="/a/{name}", path={"name": "x/y?z €"}), body_of)
    assert CallLog.objects.get().template == "/a/{name}"
