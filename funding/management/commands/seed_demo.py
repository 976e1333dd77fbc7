"""Seeds the demo data of a development portal."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from funding import demo


class Command(BaseCommand):
    """manage.py seed_demo [--json]"""

    help = "Make the demo staff, customers, applications and money (development only; safe to repeat)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the logins as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Demo data is never made in production.")
        logins = demo.seed()
        if options["json"]:
            rows = [
                {
                    **asdict(login),
                    "totp_url": f"{settings.PORTAL_URL}{login.totp_path}" if login.totp_path else "",
                }
                for login in logins
            ]
            self.stdout.write(json.dumps({"logins": rows}))
            return
        for login in logins:
            self.stdout.write(f"{login.role:<20} {login.email:<36} {login.password} {login.totp_path}")
