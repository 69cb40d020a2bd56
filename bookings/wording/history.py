"""Words for the rows of a booking's history, for customers and staff."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistoryRow:
    at: str
    text: str
    by: str = ""
