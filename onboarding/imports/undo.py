"""Taking an import back: everything the batch made goes, as long as nobody relies on it."""

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

from django.db.models import Q

from onboarding.models import (
    Application,
    ApplicationStep,
    Customer,
    HandIn,
    ImportBatch,
    InvestmentProfile,
    Owner,
    TrustedContact,
)
from portal.models import User

CHUNK = 500


def why_not(batch: ImportBatch) -> list[str]:
    """Every reason why the import cannot be taken back; empty when it can."""
    reasons = []
    mine = Application.objects.filter(batch=batch)
    # A draft that staff withdrew as somebody's second one was not handed in.
    kept = Q(status=Application.Status.DRAFT) | Q(
        status=Application.Status.WITHDRAWN, submitted_at__isnull=True
    )
    submitted = mine.exclude(kept).count()
    if submitted:
        reasons.append(f"{_people(submitted)} handed in already.")
    present = mine.filter(_touched(), status=Application.Status.DRAFT).count()
    if present:
        reasons.append(f"{_people(present)} signed in or answered something already.")
    if HandIn.objects.filter(batch=batch, status__in=HandIn.OPEN).exists():
        reasons.append("Its customers are being handed in. Stop that first.")
    return reasons


def _touched() -> Q:
    # A draft's version counts every change since it was made.
    return Q(customer__user__last_login__isnull=False) | Q(version__gt=1)


def _people(number: int) -> str:
    return "One customer of this import has" if number == 1 else f"{number:,} customers of this import have"


def undo(batch: ImportBatch) -> None:
    """Delete what the batch made, in the caller's transaction; back to imported where somebody was faster."""
    for _ in _locked(batch):
        pass
    reasons = why_not(batch)
    if reasons:
        batch.problem = "It was not undone. " + " ".join(reasons)
        batch.save(update_fields=["problem"])
        batch.move_to(ImportBatch.Status.IMPORTED, actor=None, source="task", reason=batch.problem)
        return
    # Read once, through a cursor: asked for anew, each chunk would first pass all that is deleted already.
    keys = Application.objects.filter(batch=batch).values_list("pk", flat=True).iterator(chunk_size=CHUNK)
    while some := list(islice(keys, CHUNK)):
        _delete(some)
    batch.rows.update(cells=None)
    batch.rows_imported = 0
    batch.save(update_fields=["rows_imported"])
    batch.move_to(ImportBatch.Status.UNDONE, actor=None, source="task")


def _locked(batch: ImportBatch) -> Iterator[Application]:
    """Nobody hands in while we look."""
    return Application.objects.select_for_update().filter(batch=batch).only("pk").order_by("pk").iterator()


def _delete(keys: list[UUID]) -> None:
    customers = list(Customer.objects.filter(applications__in=keys).values_list("pk", "user"))
    ApplicationStep.objects.filter(application__in=keys).delete()
    InvestmentProfile.objects.filter(application__in=keys).delete()
    TrustedContact.objects.filter(application__in=keys).delete()
    Owner.objects.filter(application__in=keys).delete()
    Application.objects.filter(pk__in=keys).delete()
    Customer.objects.filter(pk__in=[pk for pk, _ in customers]).delete()
    User.objects.filter(pk__in=[user for _, user in customers]).delete()
