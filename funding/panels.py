"""The dashboard's panel of returned ACH transfers, against Nacha's thresholds."""

from urllib.parse import urlencode

from django.urls import reverse

from compliance.measures import Word
from compliance.panels import Asked, Cell, Content, Panel, Stat, Table
from funding import returns
from funding.returns import LIMITS, Rates
from portal.ui.chart import Gauge, gauge

WORDS = (
    Word(
        "Rate",
        "Deposits by ACH that came back within the last 60 days, in percent of those sent in that time. Counted over "
        "60 days whatever days are chosen above, since Nacha counts so.",
    ),
    Word("Unauthorized", "R05, R07, R10, R11, R29 and R51: the customer's bank says nobody allowed it."),
    Word("Administrative", "R02, R03 and R04: the account is closed or cannot be found."),
)


def gauges(rates: Rates) -> tuple[Gauge, ...]:
    """Each group's rate against its threshold."""
    return tuple(
        gauge(label, rates.percent(group), [(f"Nacha's threshold, {label.lower()}", limit, warn)])
        for group, (label, limit, warn) in LIMITS.items()
    )


def build(asked: Asked) -> Content | None:
    """Rates, and how often each code came; nothing where nothing was ever sent."""
    rates = returns.rates()
    if not rates.debits and not rates.codes:
        return None
    rows = tuple(
        (
            Cell(row.code.code or "No code"),
            Cell(row.code.category),
            Cell(f"{row.number:,}", behind(row.code.code)),
        )
        for row in rates.codes
    )
    stats = (
        Stat("Deposits by ACH, 60 days", f"{rates.debits:,}"),
        Stat(
            "Came back",
            f"{rates.number('overall'):,}",
            tone="warning" if rates.warnings else "neutral",
            url=reverse("funding_staff:returns"),
        ),
    )
    return Content(
        Table(("Code", "Counts as", "Came back"), rows, texts=2),
        stats,
        gauges=gauges(rates),
        note=" ".join(rates.warnings),
    )


def behind(code: str) -> str:
    """The list of what came back with the code."""
    return f"{reverse('funding_staff:transfers')}?{urlencode({'status': 'returned', 'code': code})}"


PANEL = Panel("ach_returns", "Returned ACH transfers", build, WORDS, order=60)
