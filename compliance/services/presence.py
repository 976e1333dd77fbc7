"""Who has a case's page open: a sign of life every few seconds, and a good-bye."""

from datetime import timedelta
from uuid import UUID

from compliance.models import CasePresence
from portal import clock, ids
from portal.composed import Question, Written, asked
from portal.models import User

#: A sign of life counts for so long: whoever leaves without a word is gone within a minute.
LASTS = timedelta(seconds=45)
#: Written anew no more often than this.
RENEWED = timedelta(seconds=15)


def presence_show(*, actor: User, case_id: UUID) -> None:
    """The actor looks at the case, which they may see. One statement, which mostly writes nothing."""
    asked(presence_question(actor=actor, case_id=case_id))


def presence_question(*, actor: User, case_id: UUID) -> Question:
    """The same, to be sent with what the case's page asks."""
    now = clock.now()
    return _SHOW.of(
        id=ids.new_id(), case=case_id, reader=actor.pk, now=now, gone=now - LASTS, fresh=now - RENEWED
    )


def presence_end(*, actor: User, case_id: UUID) -> None:
    """The actor has left the case's page."""
    CasePresence.objects.filter(case=case_id, user=actor).delete()


_SHOW = Written("""
INSERT INTO compliance_casepresence AS p (id, case_id, user_id, since, seen_at)
VALUES (%(id)s, %(case)s, %(reader)s, %(now)s, %(now)s)
ON CONFLICT (case_id, user_id) DO UPDATE SET seen_at = EXCLUDED.seen_at,
 since = CASE WHEN p.seen_at < %(gone)s THEN EXCLUDED.seen_at ELSE p.since END
WHERE p.seen_at < %(fresh)s""")
