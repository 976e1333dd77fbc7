"""manage.py rotate_keys: seal everything under the first key of SEAL_KEYS, while the site runs."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import rotation
from portal.auth.adapter import reseal_authenticators
from portal.keyring import current_key_id


class Command(BaseCommand):
    help = (
        "Re-encrypts every sealed field that is not under the current key (the first of SEAL_KEYS). Safe "
        "beside a running site, and again after an interruption. Take an old key out of SEAL_KEYS once none "
        "is left."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count the rows and change nothing")
        parser.add_argument("--batch", type=int, default=200, help="rows per transaction (default 200)")
        parser.add_argument(
            "--every-row",
            action="store_true",
            help="also rows under the current key: renews the blind indexes after BLIND_INDEX_KEY changed",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Current key: {current_key_id()}")
        troubled = False
        for model, columns in rotation.sealed_models():
            label = f"{model._meta.label} ({', '.join(column.name for column in columns)})"
            if options["dry_run"]:
                self.stdout.write(f"{label}: {rotation.stale(model, columns).count()} to re-encrypt")
                continue
            outcome = rotation.rotate(
                model,
                columns,
                every_row=options["every_row"],
                batch=options["batch"],
                progress=lambda rows, label=label: self.stdout.write(f"{label}: {rows} more"),  # type: ignore[misc]
            )
            self.stdout.write(f"{label}: {outcome.done} re-encrypted, {outcome.left} left")
            for key, why in outcome.unopenable.items():
                self.stderr.write(f"{model._meta.label} {key}: {why}")
            troubled = troubled or bool(outcome.left or outcome.unopenable)
        # Second factors are allauth's rows: sealed by its adapter, not by a field of ours.
        if options["dry_run"]:
            self.stdout.write("Second factors: looked through on a real run")
        else:
            self.stdout.write(f"Second factors: {reseal_authenticators()} re-encrypted")
        if troubled:
            raise CommandError(
                "Some rows are not under the current key: keep the old keys in SEAL_KEYS and run this again."
            )
