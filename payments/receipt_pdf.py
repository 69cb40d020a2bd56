"""A receipt as a PDF: A4, black on white, one colour. Says exactly what ``receipts.written`` says.

Equal contents give equal bytes. Lengths are millimetres from the top left corner, sizes of type are points.
"""

from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from payments.fonts import Faces, needs_fallback, readable, write_faces
from payments.receipts import ReceiptContents, WrittenReceipt, WrittenSum, written

LEFT, RIGHT, TOP, BOTTOM, FOOT, PAGE_WIDTH = 22.0, 188.0, 18.0, 272.0, 281.0, 210.0
WIDTH = RIGHT - LEFT
SUM_WIDTH, TAX_WIDTH, GAP = 40.0, 22.0, 4.0
SUMS_LEFT = 100.0
WHEN_WIDTH, ROW_SPACE = 48.0, 2.0

Colour = tuple[int, int, int]
INK, INK_2, INK_3 = (28, 25, 23), (87, 82, 77), (110, 104, 97)
LINE, PAPER = (231, 228, 224), (250, 249, 247)

_LINE_HEIGHT_PER_POINT = 0.52
_STROKE_PER_POINT = 0.009
_FAMILY, _FALLBACK = "text", "fallback"
_OWN_CHARACTERS = "0123456789/·…"


def receipt_pdf(contents: ReceiptContents, *, brand_colour: str) -> bytes:
    """Draw the receipt. ``brand_colour`` (``#rrggbb``) is taken as it is.

    Takes a few tenths of a second, nearly all of it for the fonts, and a few files in the temporary folder meanwhile.
    Text that cannot be drawn is cleaned as ``fonts.readable`` says.

    :raises ValueError: when the colour is not written like that.
    """
    receipt: WrittenReceipt = _cleaned(written(contents))
    brand = _rgb(brand_colour)
    with TemporaryDirectory() as folder:
        faces = write_faces("".join(_texts(receipt)) + _OWN_CHARACTERS, Path(folder))
        sheet = _Sheet(receipt, contents, faces, brand)
        _draw_head(sheet)
        _draw_parties(sheet)
        _draw_subject(sheet)
        _draw_lines(sheet)
        _draw_sums(sheet)
        _draw_movements(sheet)
        _draw_note(sheet)
        _draw_feet(sheet)
        return bytes(sheet.pdf.output())


class _Sheet:
    """Pages with a place to write next (``y``)."""

    def __init__(self, receipt: WrittenReceipt, contents: ReceiptContents, faces: Faces, brand: Colour) -> None:
        from fpdf import FPDF, ViewerPreferences

        self.receipt, self.brand, self.y = receipt, brand, TOP
        self.issuer = next(iter(receipt.issuer), "")
        self.number = readable(contents.number)
        self.pdf = FPDF(format="A4", unit="mm")
        self.pdf.set_auto_page_break(False)
        self.pdf.c_margin = 0
        # Otherwise "{nb}" in a name would become the number of pages.
        self.pdf.alias_nb_pages(None)  # type: ignore[arg-type]
        self.pdf.set_title(f"{receipt.title} {self.number}")
        self.pdf.set_author(self.issuer)
        self.pdf.set_lang(contents.language)
        self.pdf.set_creation_date(contents.issued_at)
        self.pdf.viewer_preferences = ViewerPreferences(display_doc_title=True)
        self.pdf.add_font(_FAMILY, "", faces.regular)
        self.pdf.add_font(_FAMILY, "B", faces.semibold)
        if faces.fallback:
            self.pdf.add_font(_FALLBACK, "", faces.fallback)
            self.pdf.set_fallback_fonts([_FALLBACK], exact_match=False)
        self.pdf.add_page()

    def text(
        self,
        text: str,
        *,
        x: float = LEFT,
        width: float = WIDTH,
        size: float = 10,
        bold: bool = False,
        colour: Colour = INK,
        right: bool = False,
    ) -> None:
        """Write one line at the place to write next, and leave that where it is."""
        # Each text in a state of its own: after a change of font within a line, fpdf2 no longer knows which one is on.
        with self.pdf.local_context():
            self.pdf.set_xy(x, self.y)
            self.pdf.set_text_color(*colour)
            self._set(size, bold)
            if bold and needs_fallback(text):
                self._embolden(size, colour)
            self.pdf.cell(width, height(size), text, align="R" if right else "L")

    def _embolden(self, size: float, colour: Colour) -> None:
        """Draw the outlines too, for letters that have no bold of their own, and their neighbours alike."""
        self._set(size, bold=False)
        self.pdf.text_mode = "FILL_STROKE"
        self.pdf.set_draw_color(*colour)
        self.pdf.set_line_width(size * _STROKE_PER_POINT)

    def wrapped(self, text: str, width: float, *, size: float = 10, bold: bool = False) -> list[str]:
        """Break a text into lines that fit, within words only where a word alone is too long."""
        self._set(size, bold)
        lines = self.pdf.multi_cell(width, text=text, align="L", dry_run=True, output="LINES")
        return cast(list[str], lines) or [""]

    def fitting(self, text: str, width: float, *, size: float, bold: bool = False) -> str:
        """Cut a text so that it fits on one line."""
        lines = self.wrapped(text, width, size=size, bold=bold)
        return lines[0] if len(lines) == 1 else lines[0][:-1].rstrip() + "…"

    def rule(self, x: float = LEFT) -> None:
        """Draw a hairline."""
        self.pdf.set_draw_color(*LINE)
        self.pdf.set_line_width(0.2)
        self.pdf.line(x, self.y, RIGHT, self.y)

    def make_room(self, needed: float) -> bool:
        """Go on to a new page when less than ``needed`` is left on this one; say whether that was so."""
        if self.y + needed <= BOTTOM:
            return False
        self.pdf.add_page()
        self.y = TOP
        _draw_short_head(self)
        return True

    def _set(self, size: float, bold: bool) -> None:
        self.pdf.set_font(_FAMILY, "B" if bold else "", size)


def height(size: float) -> float:
    """Return how high a line of type of this size is."""
    return size * _LINE_HEIGHT_PER_POINT


def _draw_head(sheet: _Sheet) -> None:
    receipt = sheet.receipt
    sheet.pdf.set_fill_color(*sheet.brand)
    sheet.pdf.rect(0, 0, PAGE_WIDTH, 2.4, style="F")
    _draw_pair(sheet, sheet.issuer, receipt.title, size=12)
    sheet.y += 12
    for line in sheet.wrapped(receipt.headline, WIDTH, size=26, bold=True):
        sheet.text(line, size=26, bold=True, colour=sheet.brand)
        sheet.y += height(26)
    sheet.text(receipt.headline_note, size=11, colour=INK_2)
    sheet.y += height(11) + 8


def _draw_short_head(sheet: _Sheet) -> None:
    _draw_pair(sheet, sheet.issuer, f"{sheet.receipt.title} {sheet.number}", size=10)
    sheet.y += 4
    sheet.rule()
    sheet.y += 6


def _draw_pair(sheet: _Sheet, left: str, right: str, *, size: float) -> None:
    sheet.text(sheet.fitting(left, WIDTH - 70, size=size, bold=True), size=size, bold=True)
    sheet.text(sheet.fitting(right, 64, size=size), x=RIGHT - 64, width=64, size=size, colour=INK_2, right=True)
    sheet.y += height(size)


def _draw_parties(sheet: _Sheet) -> None:
    receipt = sheet.receipt
    sheet.rule()
    sheet.y += 5
    width = WIDTH / 3 - GAP
    facts = [line for label, value in receipt.facts for line in (label, value)]
    columns: list[list[tuple[str, Colour]]] = [
        _column(sheet, width, facts[0], facts[1:2], facts[2:]),
        _column(sheet, width, receipt.customer_heading, [receipt.customer_name], []),
        _column(sheet, width, receipt.issuer_heading, receipt.issuer, []),
    ]
    while any(columns):
        sheet.make_room(height(9.5))
        fits = int((BOTTOM - sheet.y) / height(9.5))
        _draw_columns(sheet, [column[:fits] for column in columns], width)
        columns = [column[fits:] for column in columns]
    sheet.y += 7


def _draw_columns(sheet: _Sheet, columns: Sequence[Sequence[tuple[str, Colour]]], width: float) -> None:
    """Write columns beside each other, one after the other, as they are read aloud."""
    top = sheet.y
    for place, column in enumerate(columns):
        sheet.y = top
        for text, colour in column:
            sheet.text(text, x=LEFT + place * WIDTH / 3, width=width, size=9.5, colour=colour)
            sheet.y += height(9.5)
    sheet.y = top + max(map(len, columns)) * height(9.5)


def _column(
    sheet: _Sheet, width: float, heading: str, values: Sequence[str], more: Sequence[str]
) -> list[tuple[str, Colour]]:
    """Lines under a heading; ``more`` alternates further headings and values."""
    wrapped = partial(sheet.wrapped, width=width, size=9.5)
    lines = [(line, INK_3) for line in wrapped(heading)]
    lines += [(line, INK) for value in values for line in wrapped(value)]
    for label, value in zip(more[::2], more[1::2], strict=True):
        lines += [("", INK), *((line, INK_3) for line in wrapped(label)), *((line, INK) for line in wrapped(value))]
    return lines


def _draw_subject(sheet: _Sheet) -> None:
    """Say what it was for, on a paper-coloured card that may go on over pages."""
    inner = WIDTH - 12
    lines = [
        (line, place == 0)
        for place, text in enumerate(sheet.receipt.subject)
        for line in sheet.wrapped(text, inner, size=10, bold=place == 0)
    ]
    while lines:
        sheet.make_room(height(10) * min(len(lines), 3) + 10)
        fits = max(1, int((BOTTOM - sheet.y - 10) / height(10)))
        part, lines = lines[:fits], lines[fits:]
        _draw_card(sheet, part)


def _draw_card(sheet: _Sheet, lines: Sequence[tuple[str, bool]]) -> None:
    sheet.pdf.set_fill_color(*PAPER)
    tall = height(10) * len(lines) + 8
    sheet.pdf.rect(LEFT, sheet.y, WIDTH, tall, style="F", round_corners=True, corner_radius=3)
    sheet.y += 4
    for text, bold in lines:
        sheet.text(text, x=LEFT + 6, width=WIDTH - 12, bold=bold, colour=INK if bold else INK_2)
        sheet.y += height(10)
    sheet.y += 10


def _draw_lines(sheet: _Sheet) -> None:
    sheet.make_room(30)
    _draw_line_headings(sheet)
    width = WIDTH - SUM_WIDTH - TAX_WIDTH - GAP
    for line in sheet.receipt.lines:
        texts = sheet.wrapped(line.text, width)
        for place, text in enumerate(texts):
            # A line stays on one page unless it is a very long one.
            if sheet.make_room(height(10) * (min(len(texts), 4) if place == 0 else 1) + 2 * ROW_SPACE):
                _draw_line_headings(sheet)
            sheet.y += ROW_SPACE if place == 0 else 0
            sheet.text(text, width=width)
            if place == 0:
                sheet.text(line.tax, x=RIGHT - SUM_WIDTH - TAX_WIDTH, width=TAX_WIDTH, colour=INK_2, right=True)
                sheet.text(line.sum, x=RIGHT - SUM_WIDTH, width=SUM_WIDTH, right=True)
            sheet.y += height(10)
        sheet.y += ROW_SPACE
        sheet.rule()


def _draw_line_headings(sheet: _Sheet) -> None:
    what, tax, total = sheet.receipt.line_headings
    sheet.text(what, size=8.5, colour=INK_3)
    sheet.text(tax, x=RIGHT - SUM_WIDTH - TAX_WIDTH, width=TAX_WIDTH, size=8.5, colour=INK_3, right=True)
    sheet.text(total, x=RIGHT - SUM_WIDTH, width=SUM_WIDTH, size=8.5, colour=INK_3, right=True)
    sheet.y += height(8.5) + 1.6
    sheet.rule()


def _draw_sums(sheet: _Sheet) -> None:
    sheet.y += 3
    # Kept together: a total is read with what makes it up.
    sheet.make_room(min(len(sheet.receipt.sums), 12) * height(11) + 10)
    for row in sheet.receipt.sums:
        strong = row.kind in ("total", "open", "credit")
        size, colour = (9.0, INK_3) if row.kind == "tax" else (11.0, INK) if strong else (10.0, INK_2)
        if row.kind in ("paid", "open", "credit"):
            sheet.y += 1.6
        if row.kind in ("open", "credit"):
            sheet.rule(SUMS_LEFT)
            sheet.y += 2.4
        _draw_sum(sheet, row, size=size, bold=strong, colour=colour)
    sheet.y += 7


def _draw_sum(sheet: _Sheet, row: WrittenSum, *, size: float, bold: bool, colour: Colour) -> None:
    width = RIGHT - SUM_WIDTH - SUMS_LEFT - GAP
    for place, line in enumerate(sheet.wrapped(row.label, width, size=size, bold=bold)):
        sheet.make_room(height(size))
        sheet.text(line, x=SUMS_LEFT, width=width, size=size, bold=bold, colour=colour)
        if place == 0:
            x = RIGHT - SUM_WIDTH
            sheet.text(row.sum, x=x, width=SUM_WIDTH, size=size, bold=bold, colour=colour, right=True)
        sheet.y += height(size)
    sheet.y += 0.8


def _draw_movements(sheet: _Sheet) -> None:
    if not sheet.receipt.movements:
        return
    sheet.make_room(30)
    _draw_movements_heading(sheet)
    width = WIDTH - WHEN_WIDTH - SUM_WIDTH - 2 * GAP
    for movement in sheet.receipt.movements:
        # The word and the way are one text, which wraps as one.
        for place, text in enumerate(sheet.wrapped(f"{movement.label} · {movement.how}", width, size=9.5)):
            if sheet.make_room(height(9.5) + ROW_SPACE):
                _draw_movements_heading(sheet)
            if place == 0:
                sheet.y += ROW_SPACE
                sheet.text(movement.when, width=WHEN_WIDTH, size=9.5, colour=INK_2)
            sheet.text(text, x=LEFT + WHEN_WIDTH + GAP, width=width, size=9.5)
            if place == 0:
                sheet.text(movement.sum, x=RIGHT - SUM_WIDTH, width=SUM_WIDTH, size=9.5, right=True)
            sheet.y += height(9.5)
        sheet.y += ROW_SPACE
        sheet.rule()
    sheet.y += 7


def _draw_movements_heading(sheet: _Sheet) -> None:
    sheet.text(sheet.receipt.movements_heading, size=11, bold=True)
    sheet.y += height(11) + 2
    sheet.rule()


def _draw_note(sheet: _Sheet) -> None:
    for paragraph in sheet.receipt.note:
        for line in sheet.wrapped(paragraph, 130, size=9.5):
            sheet.make_room(height(9.5))
            sheet.text(line, size=9.5, colour=INK_2)
            sheet.y += height(9.5)


def _draw_feet(sheet: _Sheet) -> None:
    """Write the number, and the count of pages where it is more than one, now that it is known."""
    number, count = sheet.fitting(sheet.number, WIDTH - 30, size=8.5), sheet.pdf.page
    for page in range(1, count + 1):
        sheet.pdf.page, sheet.y = page, FOOT
        sheet.text(number, size=8.5, colour=INK_3)
        if count > 1:
            sheet.text(f"{page}/{count}", size=8.5, colour=INK_3, right=True)


def _cleaned(value: Any) -> Any:
    """Return the same value with every text in it as the fonts can write it."""
    if isinstance(value, str):
        return readable(value)
    if isinstance(value, tuple):
        return tuple(_cleaned(part) for part in value)
    return replace(value, **{field.name: _cleaned(getattr(value, field.name)) for field in fields(value)})


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    else:
        for part in [getattr(value, field.name) for field in fields(value)] if is_dataclass(value) else value:
            yield from _texts(part)


def _rgb(colour: str) -> Colour:
    if len(colour) != 7 or colour[0] != "#":
        raise ValueError("A colour is written like #0f766e.")
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
