"""kombu's transport over PostgreSQL, with a closed channel told as what it is: a lost connection.

kombu's own (kombu.transport.pgmq: Channel.pgmq) asks None for its client then, an AttributeError that nobody retries.
As an error of the connection it is: a message to be sent goes over a new connection, and a receipt that was lost with
the old one is a line of information. Its message becomes visible again after its time: the task runs once more and
finds nothing to do, since the rows say what is done.
"""

import logging
from typing import Any

import psycopg
from kombu.transport import TRANSPORT_ALIASES
from kombu.transport import pgmq as kombu_pgmq


class ChannelClosed(psycopg.OperationalError):
    """The channel's connection is gone; kombu opens another for whatever can be repeated."""


class Channel(kombu_pgmq.Channel):
    def _must_be_open(self) -> None:
        if self.connection is None:
            raise ChannelClosed("the channel was closed with its connection")

    @property
    def pgmq(self) -> Any:
        """The client. Raises ChannelClosed once the channel is closed."""
        self._must_be_open()
        return super().pgmq

    @property
    def transport_options(self) -> Any:
        """The options. Raises ChannelClosed once the channel is closed."""
        self._must_be_open()
        return super().transport_options


class Transport(kombu_pgmq.Transport):
    Channel = Channel


class LostReceipt(logging.Filter):
    """Turns the error of a receipt that came too late into a line of information; all else passes as it is."""

    #: Who may confirm a task, and say that it did not go.
    LOGGERS = ("celery.worker.consumer.consumer", "celery.worker.request")

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], ChannelClosed):
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.msg = "A task's receipt was lost with its connection; the message comes again"
            record.args, record.exc_info, record.exc_text = (), None, None
        return True


def install() -> None:
    """Let `pgmq://` mean this transport."""
    TRANSPORT_ALIASES["pgmq"] = f"{__name__}:Transport"
