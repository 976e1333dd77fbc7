"""What customers authorised is never changed, and goes with an account whose time is over: not before, and never alone."""

from django.db import migrations

SQL = [
    """CREATE FUNCTION funding_authorisation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' AND EXISTS (
            SELECT FROM funding_transfer transfer
            JOIN onboarding_provideraccount account ON account.id = transfer.account_id
            JOIN onboarding_application application ON application.id = account.application_id
            WHERE transfer.id = OLD.transfer_id AND application.erased_at IS NOT NULL
        ) THEN
            RETURN OLD;
        END IF;
        RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END $$""",
    "DROP TRIGGER append_only_rows ON funding_authorisation",
    "CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON funding_authorisation"
    " FOR EACH ROW EXECUTE FUNCTION funding_authorisation_stays()",
]
BACK = [
    "DROP TRIGGER append_only_rows ON funding_authorisation",
    "CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON funding_authorisation"
    " FOR EACH ROW EXECUTE FUNCTION portal_append_only()",
    "DROP FUNCTION funding_authorisation_stays()",
]


class Migration(migrations.Migration):
    dependencies = [("funding", "0007_notice_title"), ("onboarding", "0030_privacy")]

    operations = [migrations.RunSQL(sql=SQL, reverse_sql=BACK)]
