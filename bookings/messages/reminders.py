"""Schedules reminders, review requests and other messages before and after a visit.

They are written with the confirmation and again with each change, which cancels the earlier ones. Decides when each is
due, until when it is useful, and whether it is still wanted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from bookings.enums import STANDING, BookingStatus
from bookings.messages.kinds import PlannedKind
from bookings.models import Booking
from bookings.refs import subject_ref
from notifications.enums import Channel, Purpose, RecipientRole
from notifications.requests import ContextRequest, MessageRequest
from notifications.rules import current_rules

# A message due this soon after the booking was made or moved would repeat what the customer has just read.
TOO_SOON = timedelta(minutes=60)


_USEFUL_FOR = {PlannedKind.REVIEW_REQUEST: timedelta(days=3), PlannedKind.FOLLOW_UP: timedelta(days=7)}


@dataclass(frozen=True, slots=True)
class Planned:
    """One scheduled message. ``offset_minutes`` is its distance from the start, or from the end of the visit."""

    kind: PlannedKind
    offset_minutes: int
    due_at: datetime
    expires_at: datetime


def schedule(
    *, starts_at: datetime, ends_at: datetime, now: datetime, offsets: Mapping[PlannedKind, Sequence[int]]
) -> list[Planned]:
    """Return the messages still to come for a visit, in order. Pure.

    Offsets are elapsed minutes, also across a clock change. A reminder is useful until the next one is due, the last
    one until the start.
    """
    planned = [*_reminders(starts_at, offsets.get(PlannedKind.REMINDER, ()))]
    for kind, useful_for in _USEFUL_FOR.items():
        for offset in offsets.get(kind, ()):
            due_at = ends_at + timedelta(minutes=offset)
            planned.append(Planned(kind, offset, due_at, due_at + useful_for))
    return sorted((each for each in planned if each.due_at >= now + TOO_SOON), key=lambda each: each.due_at)


def planned_requests(booking: Booking, *, now: datetime) -> list[MessageRequest]:
    """Return the scheduled messages of a booking that was just confirmed or changed.

    One request per kind and time, for every channel that has some at that time.
    """
    if not booking.contact_email and not booking.contact_phone:
        return []
    planned = schedule(starts_at=booking.starts_at, ends_at=booking.ends_at, now=now, offsets=_offsets())
    return [_request(booking, each) for each in planned]


def is_wanted(booking: Booking, request: ContextRequest) -> bool:
    """Return whether a scheduled message still fits.

    The booking has not been moved since, and the visit still stands.
    """
    if request.version != booking.ical_sequence:
        return False
    if request.kind == PlannedKind.REMINDER:
        return booking.status == BookingStatus.CONFIRMED and request.now < booking.starts_at
    return booking.status in STANDING and request.now >= booking.ends_at


def _reminders(starts_at: datetime, offsets: Sequence[int]) -> list[Planned]:
    instants = [_before(starts_at, offset) for offset in sorted(offsets, reverse=True)]
    return [
        Planned(PlannedKind.REMINDER, int((starts_at - due_at).total_seconds()) // 60, due_at, following)
        for due_at, following in pairwise([*instants, starts_at])
    ]


def _before(starts_at: datetime, minutes: int) -> datetime:
    return starts_at - timedelta(minutes=minutes)


def _offsets() -> dict[PlannedKind, list[int]]:
    rules = current_rules()
    return {
        kind: sorted({each for channel in Channel for each in rules.offsets(kind, RecipientRole.CUSTOMER, channel)})
        for kind in PlannedKind
    }


def _request(booking: Booking, planned: Planned) -> MessageRequest:
    subject = subject_ref(booking)
    return MessageRequest(
        kind=planned.kind,
        subject_ref=subject,
        version=booking.ical_sequence,
        recipient_role=RecipientRole.CUSTOMER,
        recipient_ref=f"customer:{booking.customer_id}" if booking.customer_id else "",
        address=booking.contact_email,
        phone=booking.contact_phone,
        language=booking.language,
        key=f"{subject}:{planned.kind}-{planned.offset_minutes}:customer:v{booking.ical_sequence}",
        purpose=Purpose.SERVICE if planned.kind == PlannedKind.REMINDER else Purpose.MARKETING,
        can_wait=True,
        not_before=planned.due_at,
        expires_at=planned.expires_at,
        details={"offset_minutes": planned.offset_minutes},
    )
