"""A customer whose request waits because its case was put aside is told that it takes longer, until when, and that
there is nothing to do. Never why: for some causes may not be told.

Only kinds of which the customer knows that they wait have it (`CaseKind.tell_held`): of others nobody may learn.
"""

from collections.abc import Callable
from datetime import datetime

from compliance import kinds
from compliance.models import Case
from onboarding import notices
from onboarding.dossier import known


def tells(matter: str) -> Callable[[Case, datetime], None]:
    """What a kind does when its case is put aside; `matter` begins the letter, such as "Your application"."""

    def tell(case: Case, until: datetime) -> None:
        anchor = kinds.get(case.kind).anchor(case)
        application = known.application(case, anchor.id) if anchor else None
        if application is not None and application.customer.restricted_at is None:
            notices.matter_waits(application, matter, until)

    return tell
