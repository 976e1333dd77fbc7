"""Agreements get states, a scope, PDFs and reminders; what was published and what was accepted is fixed by triggers.

Versions in force before this migration get no reminder plan: nobody is to be written to about an old text.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import onboarding.models.agreements
import portal.clock
import portal.ids
from django.conf import settings
from django.db import migrations, models


STATES = """
UPDATE onboarding_agreement SET
    status = CASE WHEN retired_at IS NOT NULL THEN 'retired' WHEN published_at IS NOT NULL THEN 'published'
        ELSE 'draft' END,
    status_at = COALESCE(retired_at, published_at, created_at),
    remind_after_days = CASE WHEN published_at IS NULL THEN remind_after_days ELSE '{}' END
"""

FIXED = """
CREATE FUNCTION onboarding_agreement_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'draft' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE'
        AND (NEW.status, OLD.status) IN (('published', 'published'), ('retired', 'published'), ('retired', 'retired'))
        AND (OLD.retired_at IS NULL OR NEW.retired_at = OLD.retired_at)
        AND (to_jsonb(NEW) - '{status,status_at,retired_at}'::text[])
            = (to_jsonb(OLD) - '{status,status_at,retired_at}'::text[])
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a published agreement never changes' USING ERRCODE = 'restrict_violation';
END $$
"""
DOCUMENT = """
CREATE FUNCTION onboarding_agreement_document_fixed() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    stands text;
BEGIN
    -- FOR SHARE waits for a publication under way.
    SELECT status INTO stands FROM onboarding_agreement
        WHERE id = CASE WHEN TG_OP = 'DELETE' THEN OLD.agreement_id ELSE NEW.agreement_id END FOR SHARE;
    IF stands IS DISTINCT FROM 'draft' AND stands IS NOT NULL THEN
        RAISE EXCEPTION 'a published agreement never changes' USING ERRCODE = 'restrict_violation';
    END IF;
    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
    RETURN NEW;
END $$
"""
TRIGGERS = [
    FIXED,
    DOCUMENT,
    "CREATE TRIGGER agreement_fixed BEFORE UPDATE OR DELETE ON onboarding_agreement"
    " FOR EACH ROW EXECUTE FUNCTION onboarding_agreement_fixed()",
    "CREATE TRIGGER agreement_document_fixed BEFORE INSERT OR UPDATE OR DELETE ON onboarding_agreementdocument"
    " FOR EACH ROW EXECUTE FUNCTION onboarding_agreement_document_fixed()",
    "CREATE TRIGGER acceptance_fixed BEFORE UPDATE ON onboarding_agreementacceptance"
    " FOR EACH ROW EXECUTE FUNCTION portal_append_only()",
]
DROP = [
    "DROP TRIGGER acceptance_fixed ON onboarding_agreementacceptance",
    "DROP TRIGGER agreement_document_fixed ON onboarding_agreementdocument",
    "DROP TRIGGER agreement_fixed ON onboarding_agreement",
    "DROP FUNCTION onboarding_agreement_document_fixed()",
    "DROP FUNCTION onboarding_agreement_fixed()",
]


class Migration(migrations.Migration):

    dependencies = [
        ('onboarding', '0001_initial'),
        ('portal', '0002_audit_append_only'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='AgreementDocument',
            fields=[
                ('agreement', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='document', serialize=False, to='onboarding.agreement')),
                ('content', models.BinaryField()),
                ('size', models.PositiveIntegerField()),
                ('pages', models.PositiveIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name='AgreementReminder',
            fields=[
                ('id', models.UUIDField(default=portal.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('day', models.PositiveSmallIntegerField()),
                ('written_at', models.DateTimeField(default=portal.clock.now)),
            ],
        ),
        migrations.AddField(
            model_name='agreement',
            name='account_types',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='agreement',
            name='countries',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=2), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='agreement',
            name='format',
            field=models.CharField(choices=[('markdown', 'Text'), ('pdf', 'PDF')], default='markdown', max_length=10),
        ),
        migrations.AddField(
            model_name='agreement',
            name='remind_after_days',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.PositiveSmallIntegerField(), blank=True, default=onboarding.models.agreements.usual_reminders, size=None),
        ),
        migrations.AddField(
            model_name='agreement',
            name='revision',
            field=models.PositiveIntegerField(default=1),
        ),
        migrations.AddField(
            model_name='agreement',
            name='roles',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=24), blank=True, default=list, size=None),
        ),
        migrations.AddField(
            model_name='agreement',
            name='status',
            field=models.CharField(choices=[('draft', 'Draft'), ('published', 'In force'), ('retired', 'Retired')], default='draft', max_length=10),
        ),
        migrations.AddField(
            model_name='agreement',
            name='status_at',
            field=models.DateTimeField(default=portal.clock.now, editable=False),
        ),
        migrations.AlterField(
            model_name='agreement',
            name='text',
            field=models.TextField(blank=True),
        ),
        migrations.RunSQL(STATES, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('retired_at', None), ('status', 'draft')), models.Q(('published_at__isnull', False), ('status', 'published')), models.Q(('published_at__isnull', False), ('retired_at__isnull', False), ('status', 'retired')), _connector='OR'), name='agreement_status_has_times'),
        ),
        migrations.AddConstraint(
            model_name='agreement',
            constraint=models.CheckConstraint(condition=models.Q(('format', 'markdown'), models.Q(('format', 'pdf'), ('text', '')), _connector='OR'), name='agreement_format_known'),
        ),
        migrations.AddConstraint(
            model_name='agreementdocument',
            constraint=models.CheckConstraint(condition=models.Q(('size__gte', 1), ('size__lte', 5242880)), name='agreement_document_size'),
        ),
        migrations.AddField(
            model_name='agreementreminder',
            name='agreement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reminders', to='onboarding.agreement'),
        ),
        migrations.AddField(
            model_name='agreementreminder',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='agreementreminder',
            constraint=models.UniqueConstraint(fields=('agreement', 'user', 'day'), name='agreement_reminder_once'),
        ),
        migrations.AddField(
            model_name='agreementacceptance',
            name='accepted_by',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.RunSQL(TRIGGERS, DROP),
    ]
