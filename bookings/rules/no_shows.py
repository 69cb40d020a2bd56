"""No-shows: what they cost, and when staff may mark, undo and waive them.

Pure: terms and instants in, answers out. Instants are aware UTC, money is integer minor units.
"""

from datetime import datetime, timedelta
from enum import StrEnum

from bookings.enums import TOOK_PLACE, BookingStatus
from bookings.rules.fees import FeeFacts, fee_of, fee_within_bounds
from bookings.rules.terms import Terms

# As long as a card may be charged after the visit.
MARKABLE = timedelta(days=14)


class NoShowRefusal(StrEnum):
    """Why a visit cannot be marked as missed, or a no-show not undone."""

    ALREADY_MARKED = "already_marked"
    NOT_MARKED = "not_marked"
    CANCELLED = "cancelled"
    CAME = "came"  # the visit is under way or over
    NOT_BOOKED = "not_booked"  # held, requested, not paid, declined, expired
    TOO_EARLY = "too_early"
    TOO_LATE = "too_late"


def no_show_fee(facts: FeeFacts, *, is_first: bool) -> int:
    """Return what not coming costs: at least the anchor of a late move, at most the total.

    ``is_first``: the customer missed no other visit within ``terms.first_no_show_free_days``. This waives the fee for
    not coming, but neither the anchor nor a deposit that is always kept.
    """
    terms = facts.terms
    is_spared = is_first and terms.first_no_show_free_days is not None
    fee = 0 if is_spared else fee_of(terms.no_show_fee_kind, terms.no_show_fee_value, facts.total_minor)
    return fee_within_bounds(facts, fee)


def markable_from(terms: Terms, starts_at: datetime) -> datetime:
    """Return the first instant at which staff may mark the visit as missed."""
    return starts_at + timedelta(minutes=terms.no_show_grace_minutes)


def markable_until(starts_at: datetime) -> datetime:
    """Return the last instant (included) at which staff may mark the visit as missed, or undo it."""
    return starts_at + MARKABLE


def no_show_refusal(facts: FeeFacts, now: datetime) -> NoShowRefusal | None:
    """Return why the visit cannot be marked as missed, or None if it can."""
    if facts.status == BookingStatus.NO_SHOW:
        return NoShowRefusal.ALREADY_MARKED
    if facts.status == BookingStatus.CANCELLED:
        return NoShowRefusal.CANCELLED
    if facts.status in TOOK_PLACE:
        return NoShowRefusal.CAME
    if facts.status != BookingStatus.CONFIRMED:
        return NoShowRefusal.NOT_BOOKED
    if now < markable_from(facts.terms, facts.starts_at):
        return NoShowRefusal.TOO_EARLY
    return NoShowRefusal.TOO_LATE if now > markable_until(facts.starts_at) else None


def undo_no_show_refusal(*, status: str, starts_at: datetime, now: datetime) -> NoShowRefusal | None:
    """Return why a no-show cannot be undone, or None if it can. Undoing reverses the money."""
    if status != BookingStatus.NO_SHOW:
        return NoShowRefusal.NOT_MARKED
    return NoShowRefusal.TOO_LATE if now > markable_until(starts_at) else None


def waiver_until(terms: Terms, marked_at: datetime) -> datetime:
    """Return until when staff may waive the fee of a visit marked at ``marked_at``; money moves only after it."""
    return marked_at + timedelta(hours=terms.waiver_hours)
