"""PDFs to read and keep, which print a name in any script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from django.conf import settings
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]
from fpdf import FPDF
from fpdf.enums import MethodReturnValue, XPos, YPos

FONTS = Path(__file__).parent / "fonts"
#: Drawn with unless a letter is not in it.
MAIN_FONT = "NotoSans-Regular.ttf"
GREY, BLACK = (90, 98, 110), (16, 24, 40)
#: Before this code point letters stand side by side and need no shaping, which takes most of the time.
PLAIN_BEFORE = 0x300
ROW_POINTS, ROW_HEIGHT = 8, 4.5


@cache
def _letters(file: str) -> frozenset[int]:
    """The code points a font can draw."""
    with TTFont(FONTS / file, lazy=True) as font:
        return frozenset(font.getBestCmap())


@cache
def _others() -> tuple[str, ...]:
    """The fonts beside the main one, small ones first, so that one script's own font is preferred."""
    found = [path for path in FONTS.glob("*.ttf") if path.name != MAIN_FONT]
    return tuple(path.name for path in sorted(found, key=lambda path: path.stat().st_size))


def fonts_for(text: str) -> tuple[list[str], str]:
    """The fonts a text needs beside the main one; and the text, with what none of them has spelled as code point."""
    needed: list[str] = []
    drawn = []
    for letter in text:
        point = ord(letter)
        if point in _letters(MAIN_FONT) or any(point in _letters(name) for name in needed):
            drawn.append(letter)
            continue
        font = next((name for name in _others() if point in _letters(name)), None)
        if font is None:
            drawn.append(f"[U+{point:04X}]")
            continue
        needed.append(font)
        drawn.append(letter)
    return needed, "".join(drawn)


class Sheet(FPDF):
    """Pages with the partner's name above and the page's number below."""

    def header(self) -> None:
        self.set_font("main", size=10)
        self.set_text_color(*GREY)
        _, name = fonts_for(settings.PARTNER_NAME)
        self.cell(0, 6, name, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.ln(6)

    def footer(self) -> None:
        self.set_y(-15)
        self.set_font("main", size=8)
        self.set_text_color(*GREY)
        self.cell(0, 6, f"Page {self.page_no()}", align="R")


def new_sheet(title: str, text: str) -> Sheet:
    """A document with one page begun; `text` is all that will stand in it, by which the fonts are chosen."""
    needed, _ = fonts_for("".join([settings.PARTNER_NAME, title, text]))
    sheet = Sheet(format="letter")
    sheet.set_margin(20)
    sheet.add_font("main", fname=FONTS / MAIN_FONT)
    for number, file in enumerate(needed):
        sheet.add_font(f"other{number}", fname=FONTS / file)
    sheet.set_fallback_fonts([f"other{number}" for number in range(len(needed))])
    # Letters that join, stack or run from right to left.
    sheet.set_text_shaping(True)
    sheet.set_title(title)
    sheet.set_lang("en-US")
    sheet.add_page()
    sheet.set_text_color(*BLACK)
    return sheet


def paragraph(sheet: FPDF, text: str, size: int) -> None:
    """A paragraph over the whole width, in points."""
    _, drawn = fonts_for(text)
    sheet.set_font("main", size=size)
    sheet.multi_cell(0, size * 0.5, drawn, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


@dataclass(frozen=True)
class Column:
    """One column of a table: its heading, its share of the width, "L" or "R"; `wraps` where texts may be long."""

    head: str
    share: int
    align: str = "L"
    wraps: bool = False


class _Table:
    def __init__(self, sheet: FPDF, columns: Sequence[Column]) -> None:
        self.sheet, self.columns = sheet, columns
        whole = sum(column.share for column in columns)
        self.widths = [sheet.epw * column.share / whole for column in columns]
        self._fitted: dict[tuple[str, int], list[str]] = {}

    def lines_of(self, text: str, place: int) -> list[str]:
        """The text in lines that fit into the column."""
        if not self.columns[place].wraps:
            return [text]
        if (text, place) not in self._fitted:
            _, drawn = fonts_for(text)
            found = self.sheet.multi_cell(
                self.widths[place], ROW_HEIGHT, drawn, dry_run=True, output=MethodReturnValue.LINES
            )
            assert isinstance(found, list)
            self._fitted[text, place] = found or [""]
        return self._fitted[text, place]

    def heads(self) -> None:
        sheet = self.sheet
        sheet.set_font("main", size=ROW_POINTS)
        sheet.set_text_color(*GREY)
        self.draw([[column.head] for column in self.columns])
        sheet.line(sheet.l_margin, sheet.y, sheet.l_margin + sheet.epw, sheet.y)
        sheet.set_text_color(*BLACK)

    def draw(self, cells: list[list[str]]) -> None:
        top, left = self.sheet.y, self.sheet.l_margin
        for place, lines in enumerate(cells):
            for number, text in enumerate(lines):
                self._set(text, place, left, top + number * ROW_HEIGHT)
            left += self.widths[place]
        self.sheet.set_xy(self.sheet.l_margin, top + height_of(cells))

    def _set(self, text: str, place: int, left: float, top: float) -> None:
        sheet, width, align = self.sheet, self.widths[place], self.columns[place].align
        if any(ord(letter) >= PLAIN_BEFORE for letter in text):
            sheet.set_xy(left, top)
            sheet.set_text_shaping(True)
            sheet.cell(width, ROW_HEIGHT, text, align=align)
            sheet.set_text_shaping(False)
            return
        # Where a cell would put it.
        aside = width - sheet.c_margin - sheet.get_string_width(text) if align == "R" else sheet.c_margin
        sheet.text(left + aside, top + ROW_HEIGHT / 2 + 0.3 * sheet.font_size, text)


def height_of(cells: list[list[str]]) -> float:
    """How high a row of a table is."""
    return ROW_HEIGHT * max(len(lines) for lines in cells)


def table(sheet: FPDF, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Rows one below the other, the heads anew on each page.

    fpdf's own table measures each cell several times: 20,000 rows took it two minutes. Here a text that may be too
    long is measured once, however often it stands there, and plain letters are set straight down.
    """
    made = _Table(sheet, columns)
    sheet.set_text_shaping(False)
    made.heads()
    for row in rows:
        cells = [made.lines_of(text, place) for place, text in enumerate(row)]
        if sheet.will_page_break(height_of(cells)):
            sheet.add_page()
            made.heads()
        made.draw(cells)
    sheet.set_text_shaping(True)
