"""A seal's list keeps each entry's own digest, so that a broken seal names the entry that was edited."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_audit_append_only")]

    operations = [
        migrations.AddField(
            model_name="auditsealedentry",
            name="digest",
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
    ]
