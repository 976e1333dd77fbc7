"""The intake: a webhook is stored raw, or counted as a repeat, in one statement before anything is done about it."""

import hashlib
from functools import cache
from ipaddress import ip_address
from typing import Any
from uuid import UUID

from django.db import connection
from psycopg import sql

from portal import clock
from portal.context import current
from providers import inbox
from providers.models.inbound import InboundEvent


def store(*, provider: str, body: bytes, headers: dict[str, str], source_ip: str) -> UUID | None:
    """Store a verified webhook and wake a worker; None for a repeat, which is only counted.

    One INSERT ... ON CONFLICT decides between the two, so ten copies at once are one row. Outside a
    transaction the statement commits by itself: three round trips to the database become one.
    """
    # PostgreSQL text takes no NUL; what cannot be decoded is kept readable for the person who looks at it.
    text = body.decode("utf-8", "backslashreplace").replace("\x00", "\\x00")
    moment = clock.now()
    event = InboundEvent(
        provider=provider,
        digest=hashlib.sha256(body).hexdigest(),
        body=text,
        headers={name: value.replace("\x00", "") for name, value in headers.items()},
        source_ip=_address(source_ip),
        request_id=current().request_id[:64],
        received_at=moment,
        last_received_at=moment,
        next_attempt_at=moment,
        status_at=moment,
    )
    if not _insert(event):
        return None
    inbox.wake()
    return event.pk


def _address(text: str) -> str | None:
    """The address, or None: what a proxy wrote wrongly must not cost us the event."""
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


#: What differs from one new event to the next. The other columns hold their defaults.
_GIVEN = frozenset(
    {
        "id", "provider", "digest", "body", "headers", "source_ip", "request_id", "received_at",
        "last_received_at", "next_attempt_at", "status_at",
    }
)  # fmt: skip


def _insert(event: InboundEvent) -> bool:
    values = [
        column.get_db_prep_save(column.pre_save(event, add=True), connection) for column in _given_columns()
    ]
    with connection.cursor() as cursor:
        cursor.execute(_insert_statement(), values)
        return bool(cursor.fetchone()[0])


@cache
def _given_columns() -> list[Any]:
    return [column for column in InboundEvent._meta.concrete_fields if column.name in _GIVEN]


@cache
def _insert_statement() -> str:
    """The defaults are written into the statement: preparing them anew for each webhook took longer than sealing."""
    table, new = InboundEvent._meta.db_table, InboundEvent()
    names, values = [], []
    for column in InboundEvent._meta.concrete_fields:
        names.append(connection.ops.quote_name(str(column.column)))
        if column.name in _GIVEN:
            values.append("%s")
        else:
            default = column.get_db_prep_save(column.value_from_object(new), connection)
            values.append(sql.quote(default).replace("%", "%%"))
    # xmax is zero only on the row this statement inserted.
    return (
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join(values)}) "  # noqa: S608  (from the model)
        f"ON CONFLICT (provider, digest) DO UPDATE SET deliveries = {table}.deliveries + 1, "
        "last_received_at = EXCLUDED.last_received_at RETURNING (xmax = 0)"
    )
