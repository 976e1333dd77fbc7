"""What apps beyond this one hold about a customer: how it comes into the copy, and how it is erased.

An app that holds anything of a customer registers one `Holder` when it starts; copies, erasure and retention ask each.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model

from onboarding.models import Application
from portal.models import User


@dataclass(frozen=True)
class Holder:
    """One app's part. What erases runs in the caller's transaction, with the application locked."""

    #: What cases may be about, with the way from it to its application.
    ways: Mapping[type[Model], str]
    #: Everything that cases and calls may be about and that belongs to the application.
    subjects: Callable[[Application], list[UUID]]
    #: What of the applicant's goes into their copy: {section: rows}, as the applicant may see it.
    copied: Callable[[Application], dict[str, Any]]
    #: The same of what belongs to a login and to no application.
    copied_of_user: Callable[[User], dict[str, Any]]
    #: Erases what nobody needs while the rest is kept: {what: how many}.
    erase_useless: Callable[[Application], dict[str, int]]
    #: What is kept by law then: (what, the law) for each.
    kept: Callable[[Application], list[tuple[str, str]]]
    #: Erases everything personal of an application that was marked erased; a second time changes nothing.
    erase: Callable[[Application], None]
    #: Erases what belongs to the login alone: {what: how many}.
    erase_of_user: Callable[[User], dict[str, int]]


_holders: list[Holder] = []


def register(holder: Holder) -> None:
    """Have an app's data copied and erased with ours."""
    if holder not in _holders:
        _holders.append(holder)


def ways() -> dict[type[Model], str]:
    """What cases may be about, of every app, with the way from it to its application."""
    return {model: way for holder in _holders for model, way in holder.ways.items()}


def subjects(application: Application) -> list[UUID]:
    """What cases and calls may be about, of every app."""
    return [key for holder in _holders for key in holder.subjects(application)]


def copied(application: Application) -> dict[str, Any]:
    """What every app holds of the applicant's."""
    return {name: rows for holder in _holders for name, rows in holder.copied(application).items()}


def copied_of_user(user: User) -> dict[str, Any]:
    """What every app holds of the login's."""
    return {name: rows for holder in _holders for name, rows in holder.copied_of_user(user).items()}


def erase_useless(application: Application) -> dict[str, int]:
    """Erase what nobody needs while the rest is kept; counts of each, without what there was none of."""
    found = {what: n for holder in _holders for what, n in holder.erase_useless(application).items()}
    return {what: number for what, number in found.items() if number}


def kept(application: Application) -> list[tuple[str, str]]:
    """What of every app the law keeps, and which."""
    return [row for holder in _holders for row in holder.kept(application)]


def erase(application: Application) -> None:
    """Erase everything personal in every app."""
    for holder in _holders:
        holder.erase(application)


def erase_of_user(user: User) -> dict[str, int]:
    """Erase what belongs to the login alone; counts of each."""
    return {what: number for holder in _holders for what, number in holder.erase_of_user(user).items()}
