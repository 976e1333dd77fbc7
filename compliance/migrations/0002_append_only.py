"""Facts, notes and decisions take new rows only, as the audit tables do."""

from django.db import migrations

TABLES = ("compliance_casefact", "compliance_casenote", "compliance_casedecision")

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
DROP = [f"DROP TRIGGER append_only_{part} ON {table}" for table in TABLES for part in ("rows", "table")]


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_cases"), ("portal", "0002_audit_append_only")]

    operations = [migrations.RunSQL(sql=TRIGGERS, reverse_sql=DROP)]
