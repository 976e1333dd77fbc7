"""Gauges of money: transfers that wait for a person or whose outcome is late, and banks stuck on their way."""

from collections.abc import Mapping

from django.db.models import Min

from funding import on_way
from funding import staff_selectors as selectors
from funding.models import LinkedBank, Transfer
from funding.operations import FIAT_STATUS
from portal.gauges import seconds_since
from portal.metrics import register_gauge
from providers.models import ExpectedEvent


def _transfers() -> Mapping[str, float]:
    found = {name: float(Transfer.objects.filter(where).count()) for name, where in selectors.WAITS.items()}
    late = ExpectedEvent.objects.filter(kind=FIAT_STATUS, state=ExpectedEvent.State.LATE)
    return found | {"late": float(late.count())}


def _oldest() -> Mapping[str, float]:
    held = Transfer.objects.filter(selectors.WAITS["held"]).aggregate(Min("status_at"))["status_at__min"]
    stuck = Transfer.objects.filter(selectors.WAITS["stuck"]).aggregate(Min("stuck_at"))["stuck_at__min"]
    return {"held": seconds_since(held), "stuck": seconds_since(stuck)}


def _banks() -> Mapping[str, float]:
    return {
        "stuck": float(on_way.stuck().count()),
        "slow_link": float(on_way.slow(*on_way.LINKING).count()),
        "slow_unlink": float(on_way.slow(LinkedBank.Status.UNLINKING).count()),
    }


def _oldest_bank() -> Mapping[str, float]:
    stuck = on_way.stuck().aggregate(since=Min("stuck_at"))["since"]
    slow = on_way.slow().aggregate(since=Min("status_at"))["since"]
    return {"stuck": seconds_since(stuck), "slow": seconds_since(slow)}


def register() -> None:
    """Make the gauges known; called once, when the app starts."""
    register_gauge(
        "portal_transfers_waiting", "Transfers held, stuck, or late at the provider", "why", _transfers
    )
    register_gauge(
        "portal_transfers_oldest_seconds", "Age of the oldest held or stuck transfer", "why", _oldest
    )
    register_gauge("portal_banks_waiting", "Banks stuck, or longer than an hour on their way", "why", _banks)
    register_gauge("portal_banks_oldest_seconds", "Age of the oldest stuck or slow bank", "why", _oldest_bank)
