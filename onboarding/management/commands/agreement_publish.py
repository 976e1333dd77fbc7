"""Publishes a version of an agreement; the version in force before is retired in the same moment."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from onboarding.agreements import agreement_publish
from portal.errors import Conflict


class Command(BaseCommand):
    """manage.py agreement_publish --name N --agreement-version 2026-01 --title "..." --file text.txt"""

    help = "Publish a version of an agreement. Customers accept it from then on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True, help="the provider's name of the agreement")
        parser.add_argument("--agreement-version", required=True)
        parser.add_argument("--title", required=True, help="what customers read")
        parser.add_argument("--file", required=True, type=Path, help="UTF-8 text in Markdown")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            text = options["file"].read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read as UTF-8 text.") from error
        try:
            agreement = agreement_publish(
                name=options["name"], version=options["agreement_version"], title=options["title"], text=text
            )
        except Conflict as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Published: {agreement}")
