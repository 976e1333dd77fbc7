"""Bearer tokens in the database: one row per log-on, sealed; one process at a time logs in, all others use
its token."""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import transaction

from portal import clock
from portal.sealed import CannotUnseal
from providers.errors import Misconfigured, NotSent, ProviderError
from providers.http import Token
from providers.models.calls import ProviderToken

#: Renewed this long before it expires, so that no call sets out with a token that ends on the way.
MARGIN = timedelta(seconds=60)
#: While another process renews it, a token may be used up to this long before its end.
LAST_USE = timedelta(seconds=10)
#: After refused credentials nobody logs in for this long: repeated refusals could lock the log-on.
REFUSED_PAUSE = timedelta(seconds=60)


class SharedTokens:
    """A TokenStore over ProviderToken.

    The row lock is held while one process logs in: a hundred workers cause one log-in, and a process that
    dies gives the lock back. Those who waited through a failed log-in share its failure instead of trying
    in turn.
    """

    def current(self, name: str, fetch: Callable[[], Token]) -> Token:
        """The token in use, renewed when it ends within MARGIN. Raises what logging in raises."""
        row = ProviderToken.objects.filter(name=name).first()
        token = _token(row)
        if token and _lasts(token, MARGIN):
            return token
        still_good = token if token and _lasts(token, LAST_USE) else None
        return self._renewed(name, fetch, lambda found: _lasts(found, MARGIN), still_good)

    def replacement(self, name: str, refused: Token, fetch: Callable[[], Token]) -> Token:
        """A token other than `refused`: what another process got meanwhile, or a new one."""
        return self._renewed(
            name, fetch, lambda found: found.value != refused.value and _lasts(found, LAST_USE), None
        )

    def _renewed(
        self, name: str, fetch: Callable[[], Token], good: Callable[[Token], bool], still_good: Token | None
    ) -> Token:
        arrived = clock.now()
        failure: ProviderError | None = None
        ProviderToken.objects.bulk_create([ProviderToken(name=name)], ignore_conflicts=True)
        with transaction.atomic():
            rows = ProviderToken.objects.select_for_update(skip_locked=still_good is not None)
            row = rows.filter(name=name).first()
            if row is None and still_good:
                return still_good
            if row is None:
                raise NotSent("The token row is gone", code="login")
            found = _token(row)
            if found and good(found):
                return found
            _raise_known_failure(row, arrived)
            try:
                token = fetch()
            except ProviderError as error:
                # Kept until the transaction has committed what is known of it.
                failure = error
                _note_failure(row, error)
            else:
                _keep(row, token)
        if failure is not None:
            raise failure
        return token


def _token(row: ProviderToken | None) -> Token | None:
    if row is None or row.token is None:
        return None
    try:
        return Token(row.token.reveal(), row.expires_at)
    except CannotUnseal:
        # Sealed under a key that left the ring: as good as none, logging in gives another.
        return None


def _lasts(token: Token, margin: timedelta) -> bool:
    return token.expires_at is None or token.expires_at - margin > clock.now()


def _raise_known_failure(row: ProviderToken, arrived: datetime) -> None:
    if row.refused_until and row.refused_until > clock.now():
        raise Misconfigured("The provider refused our log-on a moment ago", code="login_refused")
    if row.failed_at and row.failed_at >= arrived:
        raise NotSent("Another process failed to log in just now", code="login")


def _note_failure(row: ProviderToken, error: ProviderError) -> None:
    row.failed_at = clock.now()
    row.refused_until = row.failed_at + REFUSED_PAUSE if isinstance(error, Misconfigured) else None
    row.save(update_fields=["failed_at", "refused_until"])


def _keep(row: ProviderToken, token: Token) -> None:
    row.token = token.value
    row.expires_at = token.expires_at
    row.obtained_at = clock.now()
    row.failed_at = row.refused_until = None
    row.save(update_fields=["token", "expires_at", "obtained_at", "failed_at", "refused_until"])
