"""Personal data of the people a case is about: apps say which there is, the case page shows it masked."""

from collections.abc import Callable, Sequence

from compliance.models import Case
from portal.errors import Forbidden
from portal.models import User
from portal.sealed import Sealed

#: Whose it is, what it is, and the value, which the page prints as its reader may see it (portal/revealing.py).
Rows = Sequence[tuple[str, str, Sealed]]
#: Why a viewer may not see what a case says ("" when they may), and the address where it is opened.
Shut = Callable[[Case, User], tuple[str, str]]
_shuts: list[Shut] = []
_sources: list[Callable[[Case], Rows]] = []


def register(source: Callable[[Case], Rows]) -> None:
    """Have the case page ask `source` too: nothing for cases that are not its app's."""
    if source not in _sources:
        _sources.append(source)


def of_case(case: Case) -> list[tuple[str, str, Sealed]]:
    """Everything sealed about the people of the case."""
    return [row for source in _sources for row in source(case)]


def register_shut(shut: Shut) -> None:
    """Have the case page ask whether the data of the case's people is shut away."""
    if shut not in _shuts:
        _shuts.append(shut)


def why_shut(case: Case, viewer: User) -> tuple[str, str]:
    """The first reason why the viewer may not see this case's page now, and where it is opened; ("", "") for none."""
    return next((found for shut in _shuts if (found := shut(case, viewer))[0]), ("", ""))


def require_open(case: Case, viewer: User) -> None:
    """Raise Forbidden while the data of the case's people is shut away from the viewer."""
    if reason := why_shut(case, viewer)[0]:
        raise Forbidden(reason)
