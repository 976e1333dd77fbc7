"""Many rows into one table at once, by PostgreSQL's COPY."""

from collections.abc import Sequence
from typing import Any

from django.db import connection, models, transaction
from psycopg.errors import UniqueViolation


def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write the rows, each with a value for every one of the columns; the table fills in its key alone.

    What a unique constraint has already is left as it is: a COPY knows no such thing, so where it stumbles the rows
    are inserted one beside the other instead. Nobody checks the values but the database.
    """
    quote = connection.ops.quote_name
    statement = f"COPY {quote(model._meta.db_table)} ({', '.join(map(quote, columns))}) FROM STDIN"
    try:
        with transaction.atomic(), connection.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except UniqueViolation:
        made = [model(**dict(zip(columns, row, strict=True))) for row in rows]
        model._default_manager.bulk_create(made, ignore_conflicts=True)
