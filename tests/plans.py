"""What the planner would do where the statistics are up to date."""

from django.db import connection


def settle(table: str) -> None:
    """Bring a table to the state autovacuum keeps it in: its statistics true, and no index full of what was undone.

    The tests before have left rows that were rolled back, in every index of the table as many as they happened to
    write: whichever has fewest of them would look cheapest.
    """
    with connection.cursor() as cursor:
        # A table with checks still to come can't have its indexes built.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        name = connection.ops.quote_name(table)
        cursor.execute(f"REINDEX TABLE {name}")
        cursor.execute(f"ANALYZE {name}")


def plan_of(sql: str) -> str:
    """The plan of a statement as the log of queries has it, as PostgreSQL prints it; where it was prepared first
    (portal/composed.py), of what was prepared."""
    if sql.startswith("PREPARE"):
        sql = sql.partition(" AS ")[2].rpartition(";\nEXECUTE")[0]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {sql}")
        return "\n".join(line for (line,) in cursor.fetchall())
