"""Reading the file: CSV with comma, semicolon or tab, or JSON Lines, in UTF-8. A row at a time, never the whole."""

import codecs
import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError

from onboarding.requirements import rules
from portal.errors import Invalid
from portal.ui.plain import FORMULA

MOST_BYTES = settings.IMPORT_MAX_BYTES
MOST_ROWS = 100_000
MOST_COLUMNS = 200
LONGEST_NAME = 100
#: A line longer than this is no row of customer data; a forgotten line break must not fill the memory.
LONGEST_LINE = 1_000_000
DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Record:
    """One row as it stands in the file: its cells in the order of the columns, or why it cannot be read."""

    number: int
    cells: list[Any]
    unreadable: str = ""


class CustomerFile:
    """An uploaded file whose head was read. `columns` are known; `records` reads it row by row.

    Raises Invalid with a sentence that says how to mend the file.
    """

    def __init__(self, raw: IO[bytes]) -> None:
        self._raw = raw
        _require_utf8(raw.read(4))
        self._is_json = self._begins_with_brace()
        if self._is_json:
            self.columns = self._keys()
        else:
            self._delimiter, self.columns = self._header()

    def records(self) -> Iterator[Record]:
        """Every row with anything in it, numbered from 1."""
        found = self._json_records() if self._is_json else self._csv_records()
        for number, (cells, unreadable) in enumerate(found, start=1):
            if number > MOST_ROWS:
                raise refused(f"The file has more than {MOST_ROWS:,} rows. Split it into several files.")
            yield Record(number, cells, unreadable or _unkeepable(cells))

    # --- Lines ----------------------------------------------------------------------------------------------

    def _lines(self) -> Iterator[str]:
        self._raw.seek(0)
        text = io.TextIOWrapper(self._raw, encoding="utf-8-sig", newline="")
        number = 0
        try:
            while line := text.readline(LONGEST_LINE):
                number += 1
                if len(line) == LONGEST_LINE:
                    raise refused(f"Line {number:,} is too long for a row. Is a line break missing?")
                yield line
        except UnicodeDecodeError as error:
            raise refused(
                f"After line {number:,} there are characters that are not UTF-8. "
                "Save the file again as “CSV UTF-8”."
            ) from error
        finally:
            # The upload closes its file itself.
            text.detach()

    def _begins_with_brace(self) -> bool:
        for line in self._lines():
            if line.strip():
                return line.lstrip().startswith("{")
        raise refused("The file is empty.")

    # --- CSV ------------------------------------------------------------------------------------------------

    def _header(self) -> tuple[str, list[str]]:
        readings = [(mark, self._first_row(mark)) for mark in DELIMITERS]
        delimiter, names = max(readings, key=lambda reading: len(reading[1]))
        columns = []
        for place, name in enumerate(names, start=1):
            try:
                plain = rules.plain_text(name)
            except ValidationError as error:
                raise refused(f"The name of column {place} holds characters that cannot be shown.") from error
            if not plain:
                raise refused(f"Column {place} has no name. The first line names the columns.")
            columns.append(plain)
        _require_columns(columns)
        return delimiter, columns

    def _first_row(self, delimiter: str) -> list[str]:
        for row in self._rows(delimiter):
            return row
        return []

    def _rows(self, delimiter: str) -> Iterator[list[str]]:
        lines = csv.reader(self._lines(), delimiter=delimiter)
        try:
            for row in lines:
                if any(cell.strip() for cell in row):
                    yield row
        except csv.Error as error:
            raise refused(
                f"Near line {lines.line_num:,} a cell is far too long or a quotation mark is never closed."
            ) from error

    def _csv_records(self) -> Iterator[tuple[list[Any], str]]:
        rows = self._rows(self._delimiter)
        next(rows)
        wanted = len(self.columns)
        for row in rows:
            if len(row) == wanted:
                yield [undefused(cell) for cell in row], ""
            else:
                yield (
                    (row + [""] * wanted)[:wanted],
                    f"This row has {len(row)} cells, the header {wanted}. Put cells with a separator in quotes.",
                )

    # --- JSON Lines -----------------------------------------------------------------------------------------

    def _keys(self) -> list[str]:
        names: dict[str, None] = {}
        for found in self._objects():
            if isinstance(found, dict):
                names.update(dict.fromkeys(found))
                if len(names) > MOST_COLUMNS:
                    break
        columns = list(names)
        if not columns:
            raise refused("No line of the file is a JSON object.")
        _require_columns(columns)
        return columns

    def _objects(self) -> Iterator[dict[str, Any] | str]:
        for line in self._lines():
            if not line.strip():
                continue
            try:
                found = json.loads(line)
            except (ValueError, RecursionError):
                yield "This line is not JSON."
                continue
            if not isinstance(found, dict):
                yield "This line is JSON but no object."
            elif not all(_is_name(name) for name in found):
                yield "A name in this line is empty, too long or holds characters that cannot be shown."
            else:
                yield found

    def _json_records(self) -> Iterator[tuple[list[Any], str]]:
        for found in self._objects():
            if isinstance(found, str):
                yield [None] * len(self.columns), found
            else:
                yield [found.get(name) for name in self.columns], ""


def undefused(text: str) -> str:
    """The reverse: failed rows that were downloaded, mended and uploaded again."""
    return text[1:] if text.startswith("'") and text[1:].startswith(FORMULA) else text


def refused(sentence: str) -> Invalid:
    """The file as a whole cannot be taken."""
    return Invalid(sentence, fields={"file": [sentence]})


def _require_utf8(start: bytes) -> None:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise refused("The file is in UTF-16. Save it again as “CSV UTF-8”.")
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise refused("This is a workbook. Save the sheet as “CSV UTF-8” and upload that.")


def _require_columns(columns: list[str]) -> None:
    if len(columns) > MOST_COLUMNS:
        raise refused(f"The file has more than {MOST_COLUMNS} columns.")
    for name in columns:
        if len(name) > LONGEST_NAME:
            raise refused(f"A column's name is longer than {LONGEST_NAME} characters: “{name[:40]}…”.")
    twice = {name for name in columns if columns.count(name) > 1}
    if twice:
        raise refused(f"There is more than one column named “{sorted(twice)[0]}”. Give each its own name.")


def _is_name(name: str) -> bool:
    try:
        return 0 < len(name) <= LONGEST_NAME and rules.plain_text(name) == name
    except ValidationError:
        return False


def _unkeepable(cells: list[Any]) -> str:
    """Why cells cannot be kept as text: JSON may spell half a character."""
    try:
        json.dumps(cells, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return "This line holds half a character, which is no text."
    return ""
