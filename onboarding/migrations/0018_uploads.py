import django.db.models.deletion
import django_countries.fields
from django.conf import settings
from django.db import migrations, models

import onboarding.models.uploads
import portal.clock
import portal.ids
import portal.sealed


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0017_document_checks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Upload",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=portal.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "type",
                    models.CharField(
                        choices=[
                            ("PASSPORT", "Passport"),
                            ("DRIVERS_LICENSE", "Driver's licence"),
                            ("IDENTIFICATION_CARD", "Identity card"),
                            ("PASSPORT_CARD", "Passport card"),
                            ("VISA", "Visa"),
                            ("SOCIAL_SECURITY_CARD", "Social Security card"),
                            ("W_8BEN_FORM", "Form W-8BEN"),
                            ("PROOF_OF_RESIDENTIAL_ADDRESS", "Proof of home address"),
                            ("PROOF_OF_PERSONAL_TAX_ID", "Proof of personal tax number"),
                            ("CERTIFICATE_OF_INCORPORATION", "Certificate of incorporation or formation"),
                            ("ENTITY_DUE_DILIGENCE", "Bylaws, operating or partnership agreement"),
                            ("CERTIFICATE_OF_BENEFICIAL_OWNERS", "Certificate of beneficial owners"),
                            ("TRUST_CERTIFICATION", "Trust certification"),
                            ("PROOF_OF_ENTITY_ADDRESS", "Proof of the entity's address"),
                            ("PROOF_OF_ENTITY_EIN_TAX_ID", "Proof of the entity's tax number"),
                            ("SOURCE_OF_FUNDS", "Source of funds"),
                            ("TRANSFER_ON_DEATH", "Transfer on death"),
                            ("RAW_CIP_DATA", "Results of an identity check"),
                            ("RAW_CDD_DATA", "Results of due diligence"),
                        ],
                        max_length=32,
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[
                            ("FRONT", "Front"),
                            ("BACK", "Back"),
                            ("UNSPECIFIED", "Both sides in one file"),
                        ],
                        max_length=12,
                    ),
                ),
                ("country", django_countries.fields.CountryField(max_length=2)),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("description", models.CharField(blank=True, max_length=300)),
                ("by_hand", models.BooleanField(default=False)),
                ("source", models.CharField(max_length=20)),
                ("size", models.PositiveIntegerField()),
                ("offset", models.PositiveIntegerField(default=0)),
                ("problems", models.JSONField(default=dict)),
                ("created_at", models.DateTimeField(default=portal.clock.now, editable=False)),
                ("moved_at", models.DateTimeField(default=portal.clock.now, editable=False)),
                (
                    "expires_at",
                    models.DateTimeField(
                        db_index=True, default=onboarding.models.uploads.upload_end, editable=False
                    ),
                ),
                (
                    "application",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="onboarding.application",
                    ),
                ),
                (
                    "document",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="onboarding.document",
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="onboarding.owner",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UploadPart",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=portal.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("start", models.PositiveIntegerField()),
                ("size", models.PositiveIntegerField()),
                ("file_key", portal.sealed.SealedTextField()),
                (
                    "upload",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="parts",
                        to="onboarding.upload",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="upload",
            index=models.Index(fields=["user", "expires_at"], name="upload_of_user"),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(condition=models.Q(("size__gt", 0)), name="upload_not_empty"),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(("offset__lte", models.F("size"))), name="upload_within_its_size"
            ),
        ),
        migrations.AddConstraint(
            model_name="uploadpart",
            constraint=models.UniqueConstraint(fields=("upload", "start"), name="upload_part_once"),
        ),
        migrations.AddConstraint(
            model_name="uploadpart",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__gt", 0)), name="upload_part_not_empty"
            ),
        ),
    ]
