"""Sessions in the database, as Django keeps them; every page reads one, so that query is composed once."""

from datetime import datetime

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session

from portal import clock
from portal.composed import Composed

_SESSION = Composed(
    lambda key, now: Session.objects.filter(session_key=key, expire_date__gt=now), str, datetime
)


class SessionStore(db.SessionStore):
    """Django's, read in another way."""

    def _get_session_from_db(self) -> Session | None:
        found = _SESSION.first(self.session_key, clock.now())
        if found is None:
            self._session_key = None
        return found
