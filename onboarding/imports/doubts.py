"""Rows that look like another customer, by name and birth date: side by side with the other, and what a person says."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet

from onboarding.imports.check import read_row
from onboarding.models import Address, Application, ImportBatch, ImportRow, Owner
from portal import audit, clock, permissions
from portal.errors import Conflict, Invalid, NotFound
from portal.models import User
from portal.pages import Page, keyset
from portal.sealed_value import MASKS

MANAGE, VIEW = "import.manage", "import.view"
State = ImportRow.State
Verdict = ImportRow.Verdict
Status = ImportBatch.Status
#: While a worker is busy with the rows nobody decides about them.
DECIDED_IN = frozenset({Status.CHECKED, Status.IMPORTED})
#: So many others are shown of one row; more say nothing more.
MOST = 5
SENTENCES = {
    Verdict.SAME: "Left out by staff: the same person is there already.",
    Verdict.LEFT_OUT: "Left out by staff.",
}
_OVER = (Application.Status.REJECTED, Application.Status.WITHDRAWN)


@dataclass(frozen=True)
class Face:
    """What is shown of somebody: masked, and the values themselves only to tell whether two are the same."""

    name: str
    where: str
    application_id: UUID | None
    shown: dict[str, str]
    values: dict[str, str] = field(repr=False)

    def rows_beside(self, other: "Face") -> list[tuple[str, str, str, str]]:
        """(label, ours, theirs, "same", "differs" or "unknown") of each thing that tells two people apart."""
        found = []
        for label, ours in self.values.items():
            theirs = other.values[label]
            word = "unknown" if not (ours and theirs) else "same" if ours == theirs else "differs"
            found.append((label, self.shown[label], other.shown[label], word))
        return found


@dataclass(frozen=True)
class Doubt:
    """A row, who it is, and whom it looks like."""

    row: ImportRow
    face: Face
    others: Sequence[Face]


def doubtful(batch: ImportBatch) -> QuerySet[ImportRow]:
    """Rows that look like another customer and are imported, or would be, or were left out for that."""
    in_play = Q(state__in=[State.READY, State.IMPORTED]) | ~Q(verdict="")
    return ImportRow.objects.filter(in_play, batch=batch).exclude(doubts=[])


def undecided(batch: ImportBatch) -> int:
    """How many rows nobody decided about."""
    return doubtful(batch).filter(verdict="").count()


def doubts_for_staff(
    viewer: User, batch: ImportBatch, *, open_only: bool, after: str = "", before: str = ""
) -> Page[ImportRow]:
    """The rows in the order of the file. `compared` puts faces to them."""
    permissions.require(viewer, VIEW)
    rows = doubtful(batch).select_related("application", "verdict_by")
    if open_only:
        rows = rows.filter(verdict="")
    return keyset(rows, after=after, before=before, oldest_first=True)


def compared(batch: ImportBatch, rows: Sequence[ImportRow]) -> list[Doubt]:
    """Each row with whom it looks like today: rows of the same file, and applications. Three queries."""
    wanted = {row.person_index for row in rows} - {""}
    owners: dict[str, list[Owner]] = defaultdict(list)
    homes = Prefetch("addresses", Address.objects.filter(kind=Address.Kind.RESIDENTIAL))
    people = Owner.objects.filter(person_index__in=wanted).exclude(application__status__in=_OVER)
    for owner in people.select_related("application").prefetch_related(homes).order_by("pk"):
        owners[owner.person_index].append(owner)
    in_file: dict[str, list[ImportRow]] = defaultdict(list)
    unmade = ImportRow.objects.filter(
        batch=batch, person_index__in=wanted, application=None, cells__isnull=False
    )
    for other in unmade.order_by("number"):
        in_file[other.person_index].append(other)
    found = []
    for row in rows:
        mine = next(
            (one for one in owners[row.person_index] if one.application_id == row.application_id), None
        )
        face = _of_owner(mine, batch, row) if mine else _of_row(batch, row)
        others = [
            *(_of_row(batch, other) for other in in_file[row.person_index] if other.pk != row.pk),
            *(_of_owner(one, batch) for one in owners[row.person_index] if one is not mine),
        ]
        found.append(Doubt(row, face, others[:MOST]))
    return found


def _of_row(batch: ImportBatch, row: ImportRow) -> Face:
    if row.cells is None:
        return _face("", f"Row {row.number:,}", None, {})
    reading = read_row(
        row.cells.reveal(), batch.columns, batch.mapping, str(batch.country), in_grace=batch.in_grace
    )
    given = {
        "Tax number": row.tax_id_index,
        "E-mail": str(reading.answer("email") or "").lower(),
        "Phone": str(reading.answer("phone") or ""),
        "Street": str(reading.answer("home_line1") or ""),
        "Place": str(reading.answer("home_city") or ""),
    }
    name = f"{reading.answer('given_name') or ''} {reading.answer('family_name') or ''}".strip()
    return _face(name, f"Row {row.number:,}", None, given, str(reading.answer("tax_id") or ""))


def _of_owner(owner: Owner, batch: ImportBatch, row: ImportRow | None = None) -> Face:
    home = next(iter(owner.addresses.all()), None)
    given = {
        "Tax number": owner.tax_id_index,
        "E-mail": owner.email.lower(),
        "Phone": owner.phone,
        "Street": home.street_lines[0] if home and home.street_lines else "",
        "Place": home.city if home else "",
    }
    where = f"Row {row.number:,}, {owner.application.reference}" if row else owner.application.reference
    number = str(owner.tax_id) if owner.tax_id else ""
    return _face(owner.full_name, where, owner.application_id, given, number, masked=True)


def _face(
    name: str,
    where: str,
    application_id: UUID | None,
    given: dict[str, str],
    number: str = "",
    *,
    masked: bool = False,
) -> Face:
    values = {label: given.get(label, "") for label in ("Tax number", "E-mail", "Phone", "Street", "Place")}
    masks = {
        "Tax number": number if masked or not number else MASKS["tax_id"](number),
        "E-mail": MASKS["email"](values["E-mail"]) if values["E-mail"] else "",
        "Phone": MASKS["phone"](values["Phone"]) if values["Phone"] else "",
        "Street": f"{values['Street'][:2]}•••" if values["Street"] else "",
        "Place": values["Place"],
    }
    return Face(_initials(name), where, application_id, masks, values)


def _initials(name: str) -> str:
    return " ".join(f"{word[:1]}•••" for word in name.split())


# --- Deciding -----------------------------------------------------------------------------------------------


def doubt_decide(*, actor: User, batch_id: UUID, row_id: UUID, verdict: str, source: str) -> ImportRow:
    """Say what a row is: somebody else, the same person as the other, or left out for whatever reason.

    The last two keep it from being imported; a draft made of it already is withdrawn. Somebody else is not asked
    about again when the draft is handed in. Raises Invalid, NotFound, Conflict with the reason why not.
    """
    permissions.require(actor, MANAGE)
    if verdict not in Verdict.values:
        raise Invalid("Say who it is.", fields={"verdict": [f"Choose one of {', '.join(Verdict.values)}."]})
    with transaction.atomic():
        batch = ImportBatch.objects.select_for_update().filter(pk=batch_id).first()
        row = doubtful(batch).select_related("application").filter(pk=row_id).first() if batch else None
        if batch is None or row is None:
            raise NotFound("There is no such row.")
        if batch.status not in DECIDED_IN:
            raise Conflict(f"This import is {batch.get_status_display().lower()}. Decide when that is over.")
        before = row.verdict
        if row.application_id:
            _withdraw(row.application_id, verdict, actor, source)
        else:
            _keep_out(batch, row, verdict)
        row.verdict, row.verdict_by, row.verdict_at = verdict, actor, clock.now()
        row.save(update_fields=["verdict", "verdict_by", "verdict_at", "state", "errors"])
        audit.record(
            "import.doubt",
            subject=row.application or batch,
            actor=actor,
            source=source,
            before={"verdict": before},
            after={"row": row.number, "verdict": verdict},
        )
    return row


def _keep_out(batch: ImportBatch, row: ImportRow, verdict: str) -> None:
    """Before the import: whether the row is among those that may be imported."""
    was_out, is_out = row.verdict in ImportRow.AGAINST, verdict in ImportRow.AGAINST
    if batch.status == Status.IMPORTED and not is_out:
        raise Conflict("This row was left out of the import, which is done. Upload it again in another file.")
    row.state = State.WRONG if is_out else State.READY
    row.errors = {"": [SENTENCES[Verdict(verdict)]]} if is_out else {}
    batch.rows_wrong += int(is_out) - int(was_out)
    batch.save(update_fields=["rows_wrong"])


def _withdraw(application_id: UUID, verdict: str, actor: User, source: str) -> None:
    """After the import: the draft goes, as long as nobody handed it in."""
    application = Application.objects.select_for_update().get(pk=application_id)
    if application.status == Application.Status.WITHDRAWN:
        raise Conflict("The draft of this row was withdrawn already.")
    if verdict not in ImportRow.AGAINST:
        return
    if application.status != Application.Status.DRAFT:
        raise Conflict("This customer was handed in already. Decide on the page of the application.")
    application.move_to(
        Application.Status.WITHDRAWN,
        actor=actor,
        reason=SENTENCES[Verdict(verdict)],
        source=source,
    )
