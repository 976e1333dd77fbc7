"""Many rows from one: a row made by the services is written again and again by the database itself.

So the seeder knows only the columns that must differ, and whatever a later migration adds comes along.
"""

from hashlib import sha256
from uuid import UUID

from django.db import connection, models


def key(model: type[models.Model], number: str = "n") -> str:
    """SQL for the key of the row of that number."""
    tag = "019" + sha256(model._meta.db_table.encode()).hexdigest()[:5]
    return f"('{tag}-0000-7000-8000-' || lpad(to_hex({number}), 12, '0'))::uuid"


def pick(values: list[str], number: str = "n") -> str:
    """SQL for one of the values by turns; each is SQL itself."""
    return f"(ARRAY[{', '.join(values)}])[1 + ({number}) % {len(values)}]"


def multiply(model: type[models.Model], pattern: UUID, number: int, **columns: str) -> None:
    """Write `number` rows like the one with the key `pattern`, the named columns from SQL over `n`, from 1 up.

    Foreign keys and triggers are not asked: what is written holds by how it is made.
    """
    table = connection.ops.quote_name(model._meta.db_table)
    names = [field.column for field in model._meta.concrete_fields]
    listed = ", ".join(f'"{name}"' for name in names)
    chosen = {model._meta.pk.column: key(model), **columns}
    values = ", ".join(chosen.get(name, f't."{name}"') for name in names)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"INSERT INTO {table} ({listed}) "
            f"SELECT {values} FROM {table} t, generate_series(1, {number}) n "
            f"WHERE t.\"{model._meta.pk.column}\" = '{pattern}'"
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def settle(*tables: type[models.Model]) -> None:
    """What autovacuum would have done by the time a table is that large."""
    with connection.cursor() as cursor:
        for model in tables:
            cursor.execute(f"VACUUM ANALYZE {connection.ops.quote_name(model._meta.db_table)}")
