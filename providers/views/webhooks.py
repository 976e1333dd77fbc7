"""Where the providers' webhooks land: checked, stored, answered; nothing else happens in the request."""

from functools import cache

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from prometheus_client import Counter

from portal.context import current
from providers import intake
from providers.verify import VERIFIERS

LARGEST_BODY = 256 * 1024
RECEIVED = Counter(
    "portal_webhooks_total", "Webhooks by provider and what the intake did", ["provider", "result"]
)
#: Headers worth keeping for the person who looks at an event; never credentials or cookies.
KEPT_HEADERS = ("Content-Type", "User-Agent", "X-Request-Id", "X-Bakkt-Timestamp", "Date")


class Unacceptable(Exception):
    """A body that cannot be taken; `status` is the answer, `result` what is counted."""

    def __init__(self, status: int, result: str) -> None:
        super().__init__(result)
        self.status, self.result = status, result


@csrf_exempt
@require_POST
def receive(request: HttpRequest, provider: str, secret: str = "") -> HttpResponse:
    """Store a webhook. 200 once it is committed, also for a repeat; a stranger gets the verifier's refusal.

    An unknown provider and a wrong path secret look the same, 404. 413 for a body over LARGEST_BODY; 411 when
    its end cannot be told.
    """
    verifier = VERIFIERS.get(provider)
    read = cache(lambda: _body(request))
    try:
        if verifier is None or not verifier.accepts(request, secret, read):
            RECEIVED.labels(provider if verifier else "unknown", "refused").inc()
            return HttpResponse(status=verifier.refusal if verifier else 404)
        body = read()
    except Unacceptable as error:
        RECEIVED.labels(provider, error.result).inc()
        return HttpResponse(status=error.status)
    headers = {name: request.headers[name][:300] for name in KEPT_HEADERS if name in request.headers}
    stored = intake.store(provider=provider, body=body, headers=headers, source_ip=current().ip)
    RECEIVED.labels(provider, "stored" if stored else "repeat").inc()
    return JsonResponse({"received": True})


def _body(request: HttpRequest) -> bytes:
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        return _chunked(request)
    length = request.META.get("CONTENT_LENGTH") or "0"
    if not length.isdigit() or int(length) > LARGEST_BODY:
        raise Unacceptable(413, "too_large")
    return request.body


def _chunked(request: HttpRequest) -> bytes:
    """A body without a stated length: Django reads it as empty, and we would acknowledge what we lost."""
    if not request.META.get("wsgi.input_terminated"):
        raise Unacceptable(411, "no_length")
    body: bytes = request.META["wsgi.input"].read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise Unacceptable(413, "too_large")
    return body
