"""Identity checks and their links get rows of their own.

The two columns the account had are read here once, for the few accounts that wait for their check, and stay in the
database for one release: the code before this one still reads and writes them. What that code writes while both run
is not lost: a customer whose link it took asks for the link on our page, and the provider answers with the same one.
The next release drops them.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

import portal.clock
import portal.ids
import portal.sealed


def links_move(apps, schema_editor):
    Account = apps.get_model("onboarding", "ProviderAccount")
    Check = apps.get_model("onboarding", "IdentityCheck")
    Link = apps.get_model("onboarding", "IdentityLink")
    now = portal.clock.now()
    rows = Account.objects.filter(
        status="documents_needed", verification_url__isnull=False, verification_expires_at__gt=now
    ).only("verification_url", "verification_expires_at", "heard_at")
    for account in rows.iterator(500):
        url = account.verification_url.reveal()
        check = Check.objects.create(account=account, expires_at=account.verification_expires_at)
        Link.objects.create(
            identity_check=check,
            round=1,
            number=1,
            url=url,
            url_index=portal.sealed.blind_index("onboarding.identitylink.url", url, "exact"),
            source="webhook",
            issued_at=account.heard_at or now,
            expires_at=account.verification_expires_at,
        )


class Migration(migrations.Migration):
    dependencies = [
        ("onboarding", "0020_settlement_changes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="IdentityDelivery",
            fields=[
                (
                    "id",
                    models.PositiveSmallIntegerField(
                        default=1, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("in_app", models.BooleanField(default=True)),
                ("sms_by_vendor", models.BooleanField(default=False)),
                ("mail_by_provider", models.BooleanField(default=False)),
                ("mail_by_us", models.BooleanField(default=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("id", 1)), name="identity_delivery_one_row"),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("in_app", True),
                            ("sms_by_vendor", True),
                            ("mail_by_provider", True),
                            _connector="OR",
                        ),
                        name="identity_delivery_some_way",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityCheck",
            fields=[
                ("status_at", models.DateTimeField(default=portal.clock.now, editable=False)),
                (
                    "id",
                    models.UUIDField(
                        default=portal.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("awaiting_customer", "Waiting for the customer"),
                            ("expired", "Link expired"),
                            ("exhausted", "Links used up"),
                            ("resolved", "Came to its end"),
                        ],
                        default="awaiting_customer",
                        max_length=20,
                    ),
                ),
                ("round", models.PositiveSmallIntegerField(default=1)),
                ("expirations", models.PositiveSmallIntegerField(default=0)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                ("fetching_until", models.DateTimeField(blank=True, null=True)),
                ("not_before", models.DateTimeField(blank=True, null=True)),
                ("failures", models.PositiveSmallIntegerField(default=0)),
                ("problem", models.CharField(blank=True, max_length=80)),
                ("refused_at", models.DateTimeField(blank=True, null=True)),
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="identity_check",
                        to="onboarding.provideraccount",
                    ),
                ),
            ],
            options={
                "verbose_name": "identity check",
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("status", "exhausted"), ("refused_at__isnull", False), _connector="OR"
                        ),
                        fields=["account"],
                        name="identity_check_with_us",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            ("status__in", ["awaiting_customer", "expired", "exhausted", "resolved"])
                        ),
                        name="identity_check_status_known",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="IdentityLink",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=portal.ids.new_id, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("round", models.PositiveSmallIntegerField()),
                ("number", models.PositiveSmallIntegerField()),
                ("url", portal.sealed.SealedTextField(blank=True, null=True)),
                ("url_index", models.CharField(editable=False, max_length=64)),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("webhook", "Came from the provider"),
                            ("renewal", "Asked for by the customer"),
                            ("override", "Asked for by staff after declined consent"),
                        ],
                        max_length=12,
                    ),
                ),
                ("issued_at", models.DateTimeField(default=portal.clock.now, editable=False)),
                ("expires_at", models.DateTimeField()),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("warned_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "end",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("expired", "Ran out"),
                            ("replaced", "Replaced by another"),
                            ("resolved", "The check came to its end"),
                        ],
                        max_length=10,
                    ),
                ),
                ("handoff_sha256", models.CharField(blank=True, editable=False, max_length=64)),
                ("handoff_until", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "identity_check",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="links",
                        to="onboarding.identitycheck",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("ended_at__isnull", True)),
                        fields=["expires_at"],
                        name="identity_link_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("ended_at", None)),
                        fields=("identity_check",),
                        name="identity_link_one_living",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("handoff_sha256", ""), _negated=True),
                        fields=("handoff_sha256",),
                        name="identity_link_one_handoff",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("end", ""), ("ended_at", None), ("url__isnull", False)),
                            models.Q(
                                ("ended_at__isnull", False),
                                ("url__isnull", True),
                                models.Q(("end", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="identity_link_forgotten_when_ended",
                    ),
                ],
            },
        ),
        migrations.RunPython(links_move, migrations.RunPython.noop, elidable=True),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name="provideraccount", name="verification_url"),
                migrations.RemoveField(model_name="provideraccount", name="verification_expires_at"),
            ],
        ),
    ]
