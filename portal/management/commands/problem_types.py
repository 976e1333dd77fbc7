"""Write the tables of docs/problems.md from the list of problem types."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from portal.api.problems import as_markdown

BEGIN, END = "<!-- made by: manage.py problem_types -->", "<!-- end -->"


def rewritten(text: str) -> str:
    """The document with the tables as they are now."""
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n{as_markdown()}\n\n{END}{after}"


class Command(BaseCommand):
    """manage.py problem_types"""

    help = "Write the tables of docs/problems.md from the list of problem types."

    def handle(self, *args: Any, **options: Any) -> None:
        path = Path(settings.BASE_DIR) / "docs" / "problems.md"
        path.write_text(rewritten(path.read_text()))
