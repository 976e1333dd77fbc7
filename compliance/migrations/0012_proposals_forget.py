"""What was proposed stays as it was; of what its maker saw, the lines go when the customer is erased, and nothing else."""

from django.db import migrations

KEPT = "case_id, maker_id, code, label, reason_code, reason_label, text, seen_version, was_escalated, proposed_at"
#: compliance.models.approvals.FORGOTTEN, which is all that may be written in the place of what was seen.
FORGOTTEN = '[["What was seen is erased", ""]]'
ON = "ON compliance_proposal"
DROP = f"DROP TRIGGER append_only_columns {ON}"
STAY = "FOR EACH ROW EXECUTE FUNCTION portal_append_only()"
SQL = [
    DROP,
    f"CREATE TRIGGER append_only_columns BEFORE UPDATE OF {KEPT} {ON} {STAY}",
    f"CREATE TRIGGER append_only_seen BEFORE UPDATE OF seen_evidence {ON} FOR EACH ROW"
    f" WHEN (NEW.seen_evidence <> '{FORGOTTEN}'::jsonb) EXECUTE FUNCTION portal_append_only()",
]
BACK = [
    f"DROP TRIGGER append_only_seen {ON}",
    DROP,
    f"CREATE TRIGGER append_only_columns BEFORE UPDATE OF {KEPT}, seen_evidence {ON} {STAY}",
]


class Migration(migrations.Migration):
    dependencies = [("compliance", "0011_four_eyes"), ("portal", "0002_audit_append_only")]

    operations = [migrations.RunSQL(sql=SQL, reverse_sql=BACK)]
