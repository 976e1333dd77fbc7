"""Where uploaded files lie: one for each document, beside the state file, readable by their owner alone."""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO


class Vault:
    """A folder of files by name. Without a state file it is a temporary one that goes with the process."""

    def __init__(self, state_file: Path | None) -> None:
        if state_file:
            self.folder = state_file.with_name(state_file.name + ".documents")
        else:
            self._temporary = tempfile.TemporaryDirectory(prefix="sandbox-documents-")
            self.folder = Path(self._temporary.name)

    def keep(self, name: str, chunks: Iterable[bytes]) -> tuple[int, str]:
        """Write the file piece by piece; its size and its SHA-256. Raises OSError, leaving no half of it."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        size, digest = 0, hashlib.sha256()
        path = self.folder / name
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return size, digest.hexdigest()

    def read(self, name: str) -> BinaryIO:
        """The file, open. Raises FileNotFoundError."""
        return (self.folder / name).open("rb")

    def forget(self, name: str) -> None:
        (self.folder / name).unlink(missing_ok=True)

    def sweep(self, kept: set[str]) -> None:
        """Remove what no document names: leftovers of a process that died between file and state."""
        for path in self.folder.glob("*"):
            if path.name not in kept:
                path.unlink()
