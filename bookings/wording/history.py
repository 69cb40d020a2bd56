"""Rows of a booking's history, as pages of customers and staff show them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HistoryRow:
    at: str
    text: str
    by: str = ""
