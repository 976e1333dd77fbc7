"""The audit tables take new rows only: a trigger refuses UPDATE, DELETE and TRUNCATE."""

from django.db import migrations

TABLES = ("portal_auditentry", "portal_auditseal", "portal_auditsealedentry", "portal_statuschange")

FUNCTION = """
CREATE FUNCTION portal_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$
"""
TRIGGERS = [
    statement
    for table in TABLES
    for statement in (
        f"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}"
        " FOR EACH ROW EXECUTE FUNCTION portal_append_only()",
        f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
        " FOR EACH STATEMENT EXECUTE FUNCTION portal_append_only()",
    )
]
DROP = [
    *(f"DROP TRIGGER append_only_{part} ON {table}" for table in TABLES for part in ("rows", "table")),
    "DROP FUNCTION portal_append_only()",
]


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    operations = [migrations.RunSQL(sql=[FUNCTION, *TRIGGERS], reverse_sql=DROP)]
