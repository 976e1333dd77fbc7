"""The call log in the database: what the transport records, for timelines and operators."""

import structlog
from django.db import Error, transaction

from providers.http import CallRecord
from providers.models.calls import CallLog

log = structlog.get_logger(__name__)


class CallLogRecorder:
    """Writes CallLog rows.

    On the caller's connection: outside a transaction the row is committed at once; inside one it shares the
    caller's fate, in a savepoint so that its failure does not break the caller's work. Provider calls are
    not made inside transactions, so in practice rows stay. A row that cannot be written is told to the log
    and dropped, because what the call came to matters more.
    """

    def record(self, call: CallRecord) -> None:
        try:
            with transaction.atomic():
                CallLog.objects.create(
                    at=call.at,
                    operation=call.operation,
                    method=call.method,
                    template=call.template,
                    host=call.host,
                    attempt=call.attempt,
                    outcome=call.outcome,
                    status=call.status,
                    code=call.code,
                    error=call.error,
                    provider_request_id=call.provider_request_id,
                    request_id=call.request_id[:64],
                    duration_ms=call.duration_ms,
                    bytes_out=call.bytes_out,
                    bytes_in=call.bytes_in,
                    subject_type=call.about.subject_type,
                    subject_id=call.about.subject_id,
                    outbound_call_id=call.about.outbound_call_id,
                )
        except Error as error:
            log.error("call_log_not_written", operation=call.operation, error=type(error).__name__)
