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


def csv_response(filename: str, rows: Iterable[list[str]]) -> StreamingHttpResponse:
    """Answer with a CSV file of these rows. The caller passes cells with user input through ``plain_cell`` first."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


class _Echo:
    """A file for ``csv.writer`` whose ``write`` returns the line."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _MARK
    for row in rows:
        yield str(writer.writerow(row))
