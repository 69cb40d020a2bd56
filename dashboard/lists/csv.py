"""The CSV of a list: a header, then one line for each row. No text of it is a formula for a spreadsheet."""

from collections.abc import Iterable, Iterator

from core.csv import plain_cell
from dashboard.lists.address import Cell, Line, Listing


def csv_lines(listing: Listing[Line], lines: Iterable[Line]) -> Iterator[list[str]]:
    """Yield the names of the columns that have a CSV value, then their cells, one line at a time."""
    columns = [(column.name, column.csv) for column in listing.columns if column.csv]
    yield [name for name, _ in columns]
    for line in lines:
        yield [_cell(csv(line)) for _, csv in columns]


def _cell(value: Cell) -> str:
    """A number is written as it is: "-12.50" is no formula."""
    return plain_cell(value) if isinstance(value, str) else str(value)
