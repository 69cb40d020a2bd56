"""CSV downloads: streamed row by row, with cells that a spreadsheet does not run as formulas."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

# A cell that starts with one of these is a formula for a spreadsheet. Some spreadsheets read the full-width signs
# like the ASCII ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Byte order mark. Without it spreadsheets misread names with accents.
_MARK = "\ufeff"


def plain_cell(text: str) -> str:
    """Prefix an apostrophe to a text that a spreadsheet would run as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


class CsvResponse(StreamingHttpResponse):
    """A CSV file that is sent row by row. ``rows_sent`` counts the rows below the header that were sent so far."""

    rows_sent = 0

    def __init__(self, filename: str, rows: Iterable[list[str]]) -> None:
        super().__init__(self._lines(rows), content_type="text/csv; charset=utf-8")
        self["Content-Disposition"] = f'attachment; filename="{filename}"'

    def _lines(self, rows: Iterable[list[str]]) -> Iterator[str]:
        writer = csv.writer(_Echo())
        yield _MARK
        for number, row in enumerate(rows):
            self.rows_sent = number
            yield str(writer.writerow(row))


def csv_response(filename: str, rows: Iterable[list[str]]) -> CsvResponse:
    """Answer with a CSV file of these rows, the header first. The caller passes cells with user input through
    ``plain_cell`` first.
    """
    return CsvResponse(filename, rows)


class _Echo:
    """A file for ``csv.writer`` whose ``write`` returns the line."""

    def write(self, line: str) -> str:
        return line
