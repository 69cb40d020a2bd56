"""Refunds that wait until somebody of the business has looked at them: how long, and from when that is urgent. Pure."""

from datetime import datetime, timedelta

# What the customer is told before cancelling.
ANSWER_WITHIN = timedelta(hours=48)
LISTED_BEFORE = timedelta(hours=24)


def answer_by(asked_at: datetime) -> datetime:
    """Return until when the customer is promised an answer."""
    return asked_at + ANSWER_WITHIN


def is_urgent(answer_by: datetime, now: datetime) -> bool:
    """Whether a day or less is left, so that somebody has to be told."""
    return now >= answer_by - LISTED_BEFORE


def is_overdue(answer_by: datetime, now: datetime) -> bool:
    """Whether the customer was promised an answer by now and has none."""
    return now > answer_by
