"""Circuits in the database, so that what one worker learns about a host all workers know."""

from datetime import timedelta

import structlog
from django.db import Error, transaction
from django.db.models import Q

from portal import clock
from providers.errors import CircuitOpen
from providers.http import Admission
from providers.http.circuit import COOL_DOWN, LONGEST, PROBE_LEASE, THRESHOLD, WINDOW
from providers.models.calls import HostCircuit

log = structlog.get_logger(__name__)


class SharedCircuits:
    """A CircuitStore over HostCircuit.

    A healthy host costs one read per call and no write. Failures of calls already under way when the
    circuit opened change nothing; only the probe decides. When the database cannot say, calls are let
    through: the circuit spares time, it guards no promise.
    """

    def admit(self, host: str) -> Admission:
        """Leave to call `host`. Raises CircuitOpen with the seconds to wait."""
        try:
            with transaction.atomic():
                return _admit(host)
        except Error as error:
            log.error("circuit_unreadable", host=host, error=type(error).__name__)
            return Admission(host)

    def succeeded(self, admission: Admission) -> None:
        """The host answered: the probe closes its circuit, another call forgets failures before it."""
        if not admission.probe and not admission.failures:
            return
        mine = Q(host=admission.host) if admission.probe else Q(host=admission.host, open_until=None)
        self._write(
            admission.host,
            mine,
            failures=0,
            first_failure_at=None,
            opened_at=None,
            open_until=None,
            probe_until=None,
            failed_probes=0,
        )
        if admission.probe:
            log.warning("circuit_closed", host=admission.host)

    def failed(self, admission: Admission) -> None:
        """One more unknown outcome: the circuit may open, or stay open for longer after a failed probe."""
        try:
            with transaction.atomic():
                _count_failure(admission)
        except Error as error:
            log.error("circuit_not_written", host=admission.host, error=type(error).__name__)

    def _write(self, host: str, which: Q, **values: object) -> None:
        try:
            with transaction.atomic():
                HostCircuit.objects.filter(which).update(changed_at=clock.now(), **values)
        except Error as error:
            log.error("circuit_not_written", host=host, error=type(error).__name__)


def _admit(host: str) -> Admission:
    row = HostCircuit.objects.filter(host=host).first()
    if row is None or row.open_until is None:
        return Admission(host, failures=row.failures if row else 0)
    moment = clock.now()
    if row.open_until <= moment:
        free = Q(probe_until=None) | Q(probe_until__lte=moment)
        claim = HostCircuit.objects.filter(free, host=host, open_until__lte=moment)
        if claim.update(probe_until=moment + PROBE_LEASE, changed_at=moment):
            return Admission(host, probe=True, failures=row.failures)
        # Another caller probes: its answer is a matter of seconds.
        wait = COOL_DOWN / 3
    else:
        wait = row.open_until - moment
    raise CircuitOpen(
        "Calls to this host are held back", code="circuit_open", retry_after=wait.total_seconds()
    )


def _count_failure(admission: Admission) -> None:
    HostCircuit.objects.bulk_create([HostCircuit(host=admission.host)], ignore_conflicts=True)
    row = HostCircuit.objects.select_for_update().get(host=admission.host)
    moment = clock.now()
    if admission.probe:
        row.failed_probes += 1
        row.open_until = moment + _cool_down(row.failed_probes)
        row.probe_until = None
    elif row.open_until is None:
        if row.first_failure_at is None or moment - row.first_failure_at > WINDOW:
            row.failures, row.first_failure_at = 0, moment
        row.failures += 1
        if row.failures >= THRESHOLD:
            row.opened_at, row.open_until = moment, moment + COOL_DOWN
            log.warning("circuit_opened", host=row.host, failures=row.failures)
    row.changed_at = moment
    row.save()


def _cool_down(failed_probes: int) -> timedelta:
    return min(COOL_DOWN * (1 << min(failed_probes, 10)), LONGEST)
