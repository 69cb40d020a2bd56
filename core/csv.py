"""Files for spreadsheets: streamed row by row, and without cells that a spreadsheet would run as formulas."""

import csv
from collections.abc import Iterable, Iterator

from django.http import StreamingHttpResponse

# What makes a spreadsheet take a cell for a formula.
# The wide signs as well, which some spreadsheets read like the narrow ones.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Without this mark spreadsheets read names with accents wrongly.
_MARK = "\ufeff"


def plain_cell(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def csv_response(filename: str, rows: Iterable[list[str]]) -> StreamingHttpResponse:
    """Answer with a file of these rows. Cells with words of people have gone through ``plain_cell``."""
    response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


class _Echo:
    """A file whose writes are returned."""

    def write(self, line: str) -> str:
        return line


def _lines(rows: Iterable[list[str]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield _MARK
    for row in rows:
        yield str(writer.writerow(row))
