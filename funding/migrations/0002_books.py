"""The database keeps the books: entries balance, balances follow from lines, and nothing written is changed."""

from django.db import migrations

APPEND_ONLY = ("funding_ledgerentry", "funding_ledgerline", "funding_authorisation")
SQL = [
    # At commit, so that the lines of an entry may be written one after the other.
    """CREATE FUNCTION funding_entry_balances() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE entry uuid := CASE TG_TABLE_NAME WHEN 'funding_ledgerentry' THEN NEW.id
                          ELSE (to_jsonb(NEW) ->> 'entry_id')::uuid END;
    BEGIN
        IF NOT EXISTS (SELECT FROM funding_ledgerline WHERE entry_id = entry) THEN
            RAISE EXCEPTION 'ledger entry % has no lines', entry USING ERRCODE = 'check_violation';
        END IF;
        IF EXISTS (SELECT FROM funding_ledgerline WHERE entry_id = entry
                   GROUP BY currency HAVING sum(amount_minor) <> 0) THEN
            RAISE EXCEPTION 'ledger entry % does not balance', entry USING ERRCODE = 'check_violation';
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE CONSTRAINT TRIGGER entry_balances AFTER INSERT ON funding_ledgerentry
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION funding_entry_balances()""",
    """CREATE CONSTRAINT TRIGGER line_balances AFTER INSERT ON funding_ledgerline
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION funding_entry_balances()""",
    """CREATE FUNCTION funding_line_counts() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO funding_ledgerbalance (account_id, book, currency, amount_minor)
        VALUES (NEW.account_id, NEW.book, NEW.currency, NEW.amount_minor)
        ON CONFLICT (account_id, book, currency)
        DO UPDATE SET amount_minor = funding_ledgerbalance.amount_minor + EXCLUDED.amount_minor;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER line_counts AFTER INSERT ON funding_ledgerline
       FOR EACH ROW EXECUTE FUNCTION funding_line_counts()""",
    # Written from within the trigger above, and from nowhere else.
    """CREATE FUNCTION funding_balance_by_lines() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF pg_trigger_depth() < 2 THEN
            RAISE EXCEPTION 'ledger balances follow from ledger lines' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$""",
    """CREATE TRIGGER balance_by_lines BEFORE INSERT OR UPDATE OR DELETE ON funding_ledgerbalance
       FOR EACH ROW EXECUTE FUNCTION funding_balance_by_lines()""",
    *(
        statement
        for table in APPEND_ONLY
        for statement in (
            f"CREATE TRIGGER append_only_rows BEFORE UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION portal_append_only()",
            f"CREATE TRIGGER append_only_table BEFORE TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION portal_append_only()",
        )
    ),
]
DROP = [
    *(f"DROP TRIGGER append_only_{part} ON {table}" for table in APPEND_ONLY for part in ("rows", "table")),
    "DROP TRIGGER balance_by_lines ON funding_ledgerbalance",
    "DROP TRIGGER line_counts ON funding_ledgerline",
    "DROP TRIGGER line_balances ON funding_ledgerline",
    "DROP TRIGGER entry_balances ON funding_ledgerentry",
    "DROP FUNCTION funding_balance_by_lines()",
    "DROP FUNCTION funding_line_counts()",
    "DROP FUNCTION funding_entry_balances()",
]


class Migration(migrations.Migration):
    dependencies = [("funding", "0001_initial"), ("portal", "0002_audit_append_only")]

    operations = [migrations.RunSQL(sql=SQL, reverse_sql=DROP)]
