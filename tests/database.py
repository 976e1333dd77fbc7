"""Emptying the database after tests whose transactions are real."""

from django.db import connection

#: What migrating writes about the models themselves; no test changes it.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
EMPTY = """DO $$ DECLARE name text; found boolean; BEGIN
  -- As TRUNCATE would: not before everybody else's transactions have ended.
  LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE;
  -- Neither foreign keys nor the triggers of the append-only tables hold here.
  SET LOCAL session_replication_role = replica;
  FOREACH name IN ARRAY ARRAY[{names}] LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %I)', name) INTO found;
    IF found THEN EXECUTE format('DELETE FROM %I', name); END IF;
  END LOOP;
END $$"""


def empty_tables() -> None:
    """Delete what stands in any table, as Django's flush would.

    Django truncates every table and looks up all permissions anew, which took longer than most tests.
    """
    tables = sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)
    quoted = ", ".join(connection.ops.quote_name(table) for table in tables)
    names = ", ".join(f"'{table}'" for table in tables)
    with connection.cursor() as cursor:
        cursor.execute(EMPTY.format(tables=quoted, names=names))
