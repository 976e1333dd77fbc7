"""What others add to the file of a case.

Rows that point at a case come in by themselves, each field as a page would print it: a new table needs nothing. A new
kind of file needs one line in its app's `ready`:

    hooks.register_files("attachments", attachments_of)          # (Case) -> Sequence[File]

and an app says once what there is to tell of a subject of its cases:

    hooks.register_subject("onboarding.application", contribution_of)   # (UUID) -> Contribution
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from uuid import UUID

from compliance.models import Case


class Readable(Protocol):
    """What a file is read from."""

    def read(self, size: int = -1, /) -> bytes | None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class File:
    """A file that belongs to a case.

    `name` is what it is called within its folder. `sha256` is what was recorded when it came, "" when nothing was; a
    file that has another one now is named in the manifest. `left_out` says why it may not come along, "" when it may.
    """

    name: str
    size: int
    open: Callable[[], Readable]
    sha256: str = ""
    left_out: str = ""


@dataclass(frozen=True)
class Contribution:
    """What an app tells of a subject: `data` by heading, masked, as JSON keeps it; `papers`; and further subjects,
    (type, key), whose audit entries belong to the case."""

    data: Mapping[str, Any] = field(default_factory=dict)
    papers: Sequence[File] = ()
    audit: Sequence[tuple[str, UUID]] = ()


#: Rows of these that point at a case are nobody's business in an examination: who looks at the page just now.
LEFT_OUT: set[str] = set()

_files: dict[str, Callable[[Case], Sequence[File]]] = {}
_subjects: dict[str, Callable[[UUID], Contribution]] = {}


def leave_out(model_label: str) -> None:
    """Rows of this model ("app.model") that point at a case do not come into its file."""
    LEFT_OUT.add(model_label)


def register_files(folder: str, find: Callable[[Case], Sequence[File]]) -> None:
    """Have the file of a case hold these files in a folder of that name."""
    _files[folder] = find


def register_subject(subject_type: str, tell: Callable[[UUID], Contribution]) -> None:
    """Have the file of a case about such a subject hold what `tell` answers."""
    _subjects[subject_type] = tell


def contribution(case: Case) -> Contribution:
    """What the subject's app tells; nothing for a subject that no app speaks for."""
    tell = _subjects.get(case.subject_type)
    return tell(case.subject_id) if tell else Contribution()


def folders(case: Case) -> dict[str, Sequence[File]]:
    """The files of the case itself, by folder."""
    return {folder: find(case) for folder, find in _files.items()}
