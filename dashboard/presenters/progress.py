"""The progress of a visit: the marks that staff set, their texts, and which of them fits this moment."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from django.urls import reverse
from django.utils.translation import gettext

from bookings.booked import local
from bookings.enums import BookingStatus
from bookings.models import Booking
from bookings.operations.visit_progress import is_its_day
from core import formats
from dashboard.presenters.confirmations import Ask

# A customer may arrive from this long before the start.
_NEAR = timedelta(hours=2)


class Mark(StrEnum):
    """A mark on a visit. The value is the name of its address."""

    ARRIVED = "arrived"
    START = "start"
    COMPLETE = "complete"
    NOT_ARRIVED = "not_arrived"
    NOT_STARTED = "not_started"
    NOT_COMPLETED = "not_completed"


ICONS = {
    Mark.ARRIVED: "door",
    Mark.START: "play",
    Mark.COMPLETE: "check",
    Mark.NOT_ARRIVED: "swap",
    Mark.NOT_STARTED: "swap",
    Mark.NOT_COMPLETED: "swap",
}
LABELS: dict[Mark, Callable[[], str]] = {
    Mark.ARRIVED: lambda: gettext("Arrived"),
    Mark.START: lambda: gettext("Start"),
    Mark.COMPLETE: lambda: gettext("Complete"),
    Mark.NOT_ARRIVED: lambda: gettext("Not arrived"),
    Mark.NOT_STARTED: lambda: gettext("Not started yet"),
    Mark.NOT_COMPLETED: lambda: gettext("Not completed"),
}
DONE: dict[Mark, Callable[[], str]] = {
    Mark.ARRIVED: lambda: gettext("Marked as arrived."),
    Mark.START: lambda: gettext("Marked as started."),
    Mark.COMPLETE: lambda: gettext("Marked as completed."),
    Mark.NOT_ARRIVED: lambda: gettext("The arrival is undone."),
    Mark.NOT_STARTED: lambda: gettext("The start is undone."),
    Mark.NOT_COMPLETED: lambda: gettext("The visit is in progress again."),
}
_TEXTS: dict[Mark, Callable[[], str]] = {
    Mark.ARRIVED: lambda: gettext("The customer is here. No message is sent."),
    Mark.START: lambda: gettext("The visit has begun. No message is sent."),
    Mark.COMPLETE: lambda: gettext("The visit took place. No money moves; what is open stays open."),
    Mark.NOT_ARRIVED: lambda: gettext("The customer is not there after all."),
    Mark.NOT_STARTED: lambda: gettext("The visit has not begun after all."),
    Mark.NOT_COMPLETED: lambda: gettext("The visit is still going on."),
}


def mark_ask(mark: Mark) -> Ask:
    return Ask(LABELS[mark](), _TEXTS[mark](), LABELS[mark]())


def mark_url(booking: Booking, mark: Mark) -> str:
    return reverse(f"desk_booking_{mark}", args=[booking.reference])


def next_mark(booking: Booking, *, now: datetime) -> Mark | None:
    """Return the mark that staff are likely to set next, or None."""
    if booking.status == BookingStatus.STARTED:
        return Mark.COMPLETE
    if booking.status != BookingStatus.CONFIRMED or not is_its_day(booking, now):
        return None
    if now >= booking.ends_at:
        return Mark.COMPLETE
    if booking.arrived_at:
        return Mark.START
    return Mark.ARRIVED if now >= booking.starts_at - _NEAR else None


def possible_marks(booking: Booking, *, now: datetime) -> Iterator[Mark]:
    """Yield the marks that staff can set, then the one that they can undo."""
    match booking.status:
        case BookingStatus.CONFIRMED if is_its_day(booking, now):
            if booking.arrived_at is None:
                yield Mark.ARRIVED
            yield Mark.START
            if now >= booking.starts_at:
                yield Mark.COMPLETE
            if booking.arrived_at:
                yield Mark.NOT_ARRIVED
        case BookingStatus.STARTED:
            yield Mark.COMPLETE
            yield Mark.NOT_STARTED
        case BookingStatus.COMPLETED:
            yield Mark.NOT_COMPLETED


def from_when(booking: Booking, *, now: datetime) -> str:
    """Return the day from which staff can mark a future visit; empty if they can now, or never."""
    if booking.status != BookingStatus.CONFIRMED or is_its_day(booking, now):
        return ""
    on = local(booking.starts_at, booking).date()
    return formats.day_text(on) if on.year == local(now, booking).year else formats.full_day_text(on)
