"""The deadlines of refunds that wait for approval by a staff member. Pure."""

from datetime import datetime, timedelta

# The customer reads this promise before cancelling.
ANSWER_WITHIN = timedelta(hours=48)
LISTED_BEFORE = timedelta(hours=24)


def answer_by(asked_at: datetime) -> datetime:
    """Return the deadline that the customer is promised for an answer."""
    return asked_at + ANSWER_WITHIN


def is_urgent(answer_by: datetime, now: datetime) -> bool:
    """Whether LISTED_BEFORE or less is left, so that staff need an alert."""
    return now >= answer_by - LISTED_BEFORE


def is_overdue(answer_by: datetime, now: datetime) -> bool:
    """Whether the deadline of a refund that still waits has passed."""
    return now > answer_by
