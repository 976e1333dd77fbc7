"""A seal names the key it was made under. Those there are name none: AUDIT_KEY, the one key until now, made them."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0003_audit_entry_digest")]

    operations = [
        migrations.AddField(
            model_name="auditseal",
            name="key_id",
            # The database's own default lets sealers of the release before go on until they are replaced.
            field=models.CharField(blank=True, db_default="", default="", max_length=16),
        ),
    ]
