"""Who is in the file twice, or with us already: by e-mail address, number, name and birth date, account number."""

from collections import defaultdict
from collections.abc import Sequence

from django.db.models.functions import Lower

from onboarding.imports.check import Reading
from onboarding.imports.questions import CLIENT_ACCOUNT_ID
from onboarding.models import Application, ImportBatch, ImportRow, Owner, ProviderAccount
from portal.models import User

#: Applications that are over are no account to be a duplicate of.
_OVER = (Application.Status.REJECTED, Application.Status.WITHDRAWN)
#: Column of the hash -> the question at fault, and what is the same.
_IN_FILE = {
    "email_index": ("email", "e-mail address"),
    "tax_id_index": ("tax_id", "tax number"),
    "account_index": (CLIENT_ACCOUNT_ID, "account number"),
}

Found = tuple[ImportRow, Reading]


def mark(batch: ImportBatch, found: Sequence[Found]) -> None:
    """Write into the rows' errors and doubts who is there already. The rows of `found` carry their hashes.

    The same number, address or account is an error. The same name and birth date is a doubt: it may be a namesake,
    and a person looks at it when the application is handed in.
    """
    _in_file(batch, found)
    _with_us(found)


def _in_file(batch: ImportBatch, found: Sequence[Found]) -> None:
    for column in (*_IN_FILE, "person_index"):
        first = _first_rows(batch, column, {getattr(row, column) for row, _ in found} - {""})
        for row, _ in found:
            number = first.setdefault(getattr(row, column), row.number)
            if not getattr(row, column) or number >= row.number:
                continue
            if column == "person_index":
                row.doubts.append(f"Same name and birth date as row {number}.")
            else:
                question, same = _IN_FILE[column]
                row.errors.setdefault(question, []).append(f"Same {same} as row {number}.")


def _first_rows(batch: ImportBatch, column: str, wanted: set[str]) -> dict[str, int]:
    """The number of the first earlier row of the file with each hash."""
    rows = ImportRow.objects.filter(batch=batch, number__lte=batch.position, **{f"{column}__in": wanted})
    found: dict[str, int] = {}
    for key, number in rows.order_by("-number").values_list(column, "number"):
        found[key] = number
    return found


def _with_us(found: Sequence[Found]) -> None:
    emails = {str(reading.answer("email") or "").lower() for _, reading in found} - {""}
    known = set(
        User.objects.annotate(lower=Lower("email")).filter(lower__in=emails).values_list("lower", flat=True)
    )
    numbers = _references("tax_id_index", {row.tax_id_index for row, _ in found} - {""})
    people = _references("person_index", {row.person_index for row, _ in found} - {""})
    taken = _taken({reading.client_account_id for _, reading in found} - {""})
    for row, reading in found:
        if str(reading.answer("email") or "").lower() in known:
            row.errors.setdefault("email", []).append("Somebody signs in with this address already.")
        if row.tax_id_index in numbers:
            row.errors.setdefault("tax_id", []).append(f"Same tax number as {numbers[row.tax_id_index]}.")
        if reading.client_account_id in taken:
            row.errors.setdefault(CLIENT_ACCOUNT_ID, []).append("Another account has this number already.")
        if row.person_index in people and row.tax_id_index not in numbers:
            row.doubts.append(f"Same name and birth date as {people[row.person_index]}.")


def _references(column: str, wanted: set[str]) -> dict[str, str]:
    """The reference of an application that holds each hash."""
    found: dict[str, list[str]] = defaultdict(list)
    rows = Owner.objects.filter(**{f"{column}__in": wanted}).exclude(application__status__in=_OVER)
    for key, reference in rows.order_by("pk").values_list(column, "application__reference"):
        found[key].append(reference)
    return {key: references[0] for key, references in found.items()}


def _taken(wanted: set[str]) -> set[str]:
    accounts = ProviderAccount.objects.filter(client_account_id__in=wanted)
    named = Application.objects.filter(client_account_id__in=wanted)
    # A reference becomes the key of its account when it is handed in.
    references = Application.objects.filter(reference__in=wanted)
    return {
        *accounts.values_list("client_account_id", flat=True),
        *named.values_list("client_account_id", flat=True),
        *references.values_list("reference", flat=True),
    }
