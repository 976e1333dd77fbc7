"""Prometheus metrics: requests by route, and gauges read from the rows at each scrape."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from portal import metric_files

REQUESTS = Counter(
    "portal_requests_total", "Requests by route, method and status", ["route", "method", "status"]
)
LATENCY = Histogram("portal_request_seconds", "Time to answer by route", ["route"])
#: A label has few values: whatever else callers send as a method counts as one.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: name -> (help, label, function giving {label value: number}).
_gauges: dict[str, tuple[str, str, Callable[[], Mapping[str, float]]]] = {}


def register_gauge(name: str, help_text: str, label: str, read: Callable[[], Mapping[str, float]]) -> None:
    """Add a gauge read at scrape time. `read` gives {label value: number} by a cheap, indexed query."""
    _gauges[name] = (help_text, label, read)


class RowGauges(Collector):
    """Reads the registered gauges when Prometheus asks.

    A gauge whose query fails is left out and counted in portal_gauges_failed, so that the others still arrive
    while the database is away.
    """

    def collect(self) -> Iterable[GaugeMetricFamily]:
        failed = 0
        for name, (help_text, label, read) in _gauges.items():
            family = GaugeMetricFamily(name, help_text, labels=[label])
            try:
                for value, number in read().items():
                    family.add_metric([value], number)
            except DatabaseError:
                failed += 1
                continue
            yield family
        yield GaugeMetricFamily("portal_gauges_failed", "Gauges that could not be read", value=failed)

    def describe(self) -> Iterable[GaugeMetricFamily]:
        return []


REGISTRY.register(RowGauges())


def exposition() -> bytes:
    """The text Prometheus reads.

    With PROMETHEUS_MULTIPROC_DIR set (a folder of this machine, cleaned at each start of the web) counters are
    summed over all processes that have it set; without it, it tells those of the process that was asked.
    """
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if not folder:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    with metric_files.held(Path(folder), to_write=False):
        counted = generate_latest(registry)
    rows = CollectorRegistry()
    rows.register(RowGauges())
    return counted + generate_latest(rows)


class MetricsMiddleware:
    """Counts and times every request by the name of its route, never by its path."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        response = self.get_response(request)
        match = request.resolver_match
        route = match.view_name or match.route if match else "unmatched"
        method = request.method if request.method in METHODS else "other"
        REQUESTS.labels(route, method, response.status_code).inc()
        LATENCY.labels(route).observe(time.perf_counter() - started)
        return response
