"""State machines: one table of allowed moves per lifecycle, and one function that writes a status."""

from typing import TYPE_CHECKING, ClassVar

from django.db import models, transaction

from portal import audit, clock
from portal.context import current
from portal.errors import IllegalMove, StaleRow
from portal.models.status import StatusChange

if TYPE_CHECKING:
    from portal.models import User


class Stateful(models.Model):
    """A row with a lifecycle. A subclass gives `status`, `status_at` comes with it, and `MOVES` says what is allowed.

    `MOVES` maps each status to the statuses it may go to; a terminal status maps to nothing. No other code
    writes `status`.
    """

    MOVES: ClassVar[dict[str, frozenset[str]]]
    #: Moves of the table that nothing but a person may make, as (from, to).
    BY_PERSON: ClassVar[frozenset[tuple[str, str]]] = frozenset()

    status: "models.CharField[str, str]"
    status_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True

    def may_move_to(self, new: str) -> bool:
        """Whether the table holds a move from the present status to `new`."""
        return new in self.MOVES[self.status]

    def move_to(self, new: str, *, actor: "User | None", reason: str = "", source: str = "") -> None:
        """Move this row to `new`, with the StatusChange and the audit entry in the same transaction.

        `source` says what caused it (page, api, webhook, poll, task). `reason` is shown on timelines and holds no
        personal data. Raises IllegalMove when the table does not hold the move, or keeps it for a person and
        there is no actor, and StaleRow when the row left its status between read and write.
        """
        old = self.status
        if new not in self.MOVES.get(old, frozenset()):
            raise IllegalMove(
                f"This {self._meta.verbose_name} is {old.replace('_', ' ')} and cannot become {new.replace('_', ' ')}."
            )
        if actor is None and (old, new) in self.BY_PERSON:
            raise IllegalMove(
                f"Only a person can take this {self._meta.verbose_name} "
                f"from {old.replace('_', ' ')} to {new.replace('_', ' ')}."
            )
        moment = clock.now()
        with transaction.atomic():
            mine = type(self)._default_manager.filter(pk=self.pk, **{"status": old})
            # mypy sees the abstract class, whose `status` each subclass brings with its own choices.
            if mine.update(**{"status": new, "status_at": moment}) != 1:
                raise StaleRow(
                    f"This {self._meta.verbose_name} was changed by someone else. Reload and try again."
                )
            StatusChange.objects.create(
                subject_type=self._meta.label_lower,
                subject_id=self.pk,
                old=old,
                new=new,
                actor=actor,
                reason=reason[:300],
                source=source,
                request_id=current().request_id,
                at=moment,
            )
            audit.record(
                f"{self._meta.model_name}.status",
                subject=self,
                actor=actor,
                before={"status": old},
                after={"status": new},
                reason=reason,
                source=source,
            )
        self.status = new
        self.status_at = moment
