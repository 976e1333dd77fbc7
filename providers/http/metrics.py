"""Counters of provider calls, by operation and outcome."""

from prometheus_client import Counter, Histogram

CALLS = Counter(
    "portal_provider_calls_total",
    "Attempts of calls to providers, by what they came to.",
    ["operation", "outcome"],
)
SECONDS = Histogram(
    "portal_provider_call_seconds",
    "Duration of one attempt of a call to a provider.",
    ["operation", "outcome"],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60),
)
HELD_BACK = Counter(
    "portal_provider_held_back_total", "Calls not made because the circuit is open.", ["host"]
)
