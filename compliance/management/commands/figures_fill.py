"""manage.py figures_fill: the dashboard's numbers of the time before it was there, or counted anew."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from compliance import figures, marking
from portal import clock


class Command(BaseCommand):
    help = (
        "Marks the cases that have no marks yet from their history, and counts every day from --from until "
        "yesterday. Safe beside a running site, and again after an interruption or at any other time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--from",
            dest="first",
            type=date.fromisoformat,
            help="first day to count, as 2026-01-31 (default: as many days as each source follows)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        today = clock.today()
        first = options["first"]
        if first and first >= today:
            raise CommandError("--from must be before today; today is counted when somebody looks.")
        after: UUID | None = None
        while True:
            marked, after = marking.fill(after)
            if marked:
                self.stdout.write(f"{marked} cases marked")
            if after is None:
                break
        for source in figures.all_sources():
            begin = first or today - timedelta(days=source.follow_days)
            for number in range((today - begin).days):
                figures.count_day(source, begin + timedelta(days=number))
            self.stdout.write(f"{source.name}: {(today - begin).days} days counted")
