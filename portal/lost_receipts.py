"""A task's receipt that was lost with its connection, told as what it is.

With the broker in PostgreSQL, a worker whose connection was cut confirms tasks it has just finished on the channel
that is closed by now (kombu.transport.pgmq: Channel.pgmq asks None). Celery logs a traceback. The message becomes
visible again after its time: the task runs once more and finds nothing to do, since the rows say what is done.
"""

import logging


class LostReceipt(logging.Filter):
    """Turns that one error of Celery's consumer into a line of information; everything else passes as it is."""

    LOGGER = "celery.worker.consumer.consumer"

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        if isinstance(error, AttributeError) and error.obj is None and error.name == "_get_pgmq_client":
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg = "A task's receipt was lost with its connection; the message comes again"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True
