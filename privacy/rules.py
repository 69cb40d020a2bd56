"""Dates of privacy cases and of retention. Pure."""

import calendar
from datetime import date, datetime

# Days before the due date from which a case is a to-do.
SOON_DAYS = 7


def due_on(asked_on: date) -> date:
    """Return the last day to answer a request: one month after it came (Art. 12(3) GDPR).

    A period in months ends on the same date of the last month, or on its last day where that date is missing (Art. 3 of
    Regulation 1182/71).
    """
    return _months_later(asked_on, 1)


def months_before(now: datetime, months: int) -> datetime:
    """Return the same clock time on the same date that many months earlier, or on that month's last day."""
    return datetime.combine(_months_later(now.date(), -months), now.timetz())


def months_after(day: date, months: int) -> date:
    """Return the same date that many months later, or that month's last day."""
    return _months_later(day, months)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
