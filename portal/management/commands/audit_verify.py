"""manage.py audit_verify: walk the audit trail and name what was removed, edited, added or reordered."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from portal import audit, audit_seals
from portal.models import AuditSeal


class Command(BaseCommand):
    help = (
        "Checks every seal of the audit trail and names what was changed; exit code 1 when something was. "
        "Keep the last line it prints outside the database and pass it as --anchor the next time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--anchor",
            metavar="SEAL:DIGEST",
            help="a seal noted earlier (printed here, and logged as audit_sealed) that must still be there",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        problems = audit.verify(_anchor(options["anchor"]))
        for problem in problems:
            self.stdout.write(problem.text)
        if problems:
            raise CommandError(f"The audit trail does not hold: {len(problems)} problems.")
        last = AuditSeal.objects.order_by("-seq").first()
        self.stdout.write("The audit trail holds.")
        for use in audit_seals.keys_used():
            name = f"the key {use.key_id}" if use.key_id else "AUDIT_KEY"
            self.stdout.write(f"Under {name}: seals {use.first} to {use.last}.")
        if last:
            self.stdout.write(f"Last seal: {last.seq}:{last.digest}")


def _anchor(text: str | None) -> tuple[int, str] | None:
    if not text:
        return None
    seq, _, digest = text.partition(":")
    if not seq.isdigit() or not digest:
        raise CommandError("--anchor takes SEAL:DIGEST, as this command prints it.")
    return int(seq), digest
