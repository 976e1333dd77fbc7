"""Files of existing customers for tests, and a worker that takes a batch to its end."""

import csv
import io
from datetime import date, timedelta
from typing import Any

from onboarding.imports import jobs, services
from onboarding.models import ImportBatch
from portal.models import User

#: The columns of another system, some named as it would name them.
COLUMNS = {
    "Account Number": "client_account_id",
    "First Name": "given_name",
    "Last Name": "family_name",
    "DOB": "date_of_birth",
    "tax_id_type": "tax_id_type",
    "SSN": "tax_id",
    "Email": "email",
    "Mobile": "phone",
    "Street": "home_line1",
    "City": "home_city",
    "State": "home_state",
    "Zip": "home_postal_code",
    "Country": "home_country",
    "Situation": "situation",
    "investment_objective": "investment_objective",
    "annual_income_range": "annual_income_range",
}
LETTERS = "abcdefghij"


def person(number: int, **changes: Any) -> dict[str, Any]:
    """A row nobody else has."""
    word = "".join(LETTERS[int(digit)] for digit in str(number))
    return {
        "Account Number": f"OLD-{number:06d}",
        "First Name": "Ana",
        "Last Name": f"Ortiz {word}",
        "DOB": (date(1950, 1, 1) + timedelta(days=number % 15_000)).isoformat(),
        "tax_id_type": "SSN",
        "SSN": f"{501 + number // 90_000:03d}-{10 + number // 1000 % 90:02d}-{1000 + number % 1000}",
        "Email": f"ana{number}@import.example",
        "Mobile": "512 555 0142",
        "Street": "100 Sample Street",
        "City": "Austin",
        "State": "TX",
        "Zip": "78701",
        "Country": "US",
        "Situation": "RETIRED",
        "investment_objective": "GROWTH",
        "annual_income_range": "FROM_50K_TO_100K",
    } | changes


def as_csv(rows: list[dict[str, Any]], delimiter: str = ",") -> bytes:
    """The rows as a file with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def upload(actor: User, content: bytes, **changes: Any) -> ImportBatch:
    """The file taken in."""
    given = {"name": "Wave 1", "country": "US", "file_name": "customers.csv", "source": "page"} | changes
    return services.batch_upload(actor=actor, file=io.BytesIO(content), size=len(content), **given)


def checked(actor: User, batch: ImportBatch, grace_until: date | None = None, **mapping: str) -> ImportBatch:
    """The batch after its dry run, mapped as guessed."""
    services.batch_check(
        actor=actor,
        batch_id=batch.pk,
        mapping=batch.mapping | mapping,
        grace_until=grace_until,
        source="page",
    )
    return worked(batch)


def imported(actor: User, batch: ImportBatch) -> ImportBatch:
    """The checked batch after its import."""
    services.batch_import(actor=actor, batch_id=batch.pk, source="page")
    return worked(batch)


def worked(batch: ImportBatch) -> ImportBatch:
    """What a worker does until nothing is left."""
    while jobs.advance(batch.pk):
        pass
    return ImportBatch.objects.get(pk=batch.pk)
