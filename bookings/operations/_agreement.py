"""Steps that lead to a confirmed booking, shared by the website, the payment handlers and the front desk.

Each runs in a transaction that has locked the booking.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from bookings.bill_lines import bill_lines
from bookings.enums import BookingChannel, BookingStatus
from bookings.lifecycle import Actor, transition
from bookings.messages import money, visits
from bookings.models import Booking, BookingLine, HoldLink
from bookings.refs import subject_ref
from bookings.rules.prepayment import Demand
from payments.operations import open_bill
from services.enums import Delivery

# How long a customer has to pay by a link in an e-mail instead of on the page.
LINK_LIFE = timedelta(hours=24)


def agree(
    booking: Booking,
    lines: Sequence[BookingLine],
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
    values: Mapping[str, Any] | None = None,
    tells_customer: bool = True,
) -> None:
    """Confirm the booking, open its bill if it has none, and announce it to the customer and the staff.

    ``values`` are further columns for the same UPDATE.
    """
    columns = dict(values or {})
    columns["bill_id"] = _bill_id(booking, lines, columns, now)
    columns |= {"meeting_url": _meeting_url(booking, lines), "confirmed_at": now, "hold_expires_at": None}
    transition(booking, BookingStatus.CONFIRMED, actor=actor, now=now, reason=reason, details=details, values=columns)
    forget_hold_link(booking)
    visits.announce_confirmed(booking, tells_customer=tells_customer, now=now)


def ask_for_payment(
    booking: Booking,
    lines: Sequence[BookingLine],
    *,
    until: datetime,
    remind_at: datetime,
    actor: Actor,
    now: datetime,
    values: Mapping[str, Any] | None = None,
) -> None:
    """Keep the time until ``until`` for the payment or the saved card that confirms the booking.

    Opens the bill. If the booking is still unpaid at ``remind_at``, the customer gets a message with the way to pay.
    """
    columns = dict(values or {})
    columns["bill_id"] = _bill_id(booking, lines, columns, now)
    columns |= {"hold_expires_at": until, "is_hold_extended": False}
    transition(booking, BookingStatus.PENDING_PAYMENT, actor=actor, now=now, values=columns)
    money.announce_payment_required(booking, not_before=remind_at, now=now)


def forget_hold_link(booking: Booking) -> None:
    """Forget the link that staff sent to the hold, if they did: the customer has used it."""
    if booking.channel == BookingChannel.DESK:
        HoldLink.objects.filter(booking=booking).delete()


def asked(demand: Demand) -> dict[str, Any]:
    """Return the columns that store what the customer was asked for when booking."""
    return {"payment_mode": str(demand.mode), "due_now_minor": demand.due_now_minor}


def link_until(booking: Booking, *, lead_minutes: int, at_least: timedelta, now: datetime) -> datetime:
    """Return until when a time is kept for a customer who is not on the page: a day, but never into the notice period.

    The time is kept for ``at_least``, even if the customer books with little notice left.
    """
    last = booking.starts_at - timedelta(minutes=lead_minutes)
    return max(min(now + LINK_LIFE, last), now + at_least)


def _bill_id(booking: Booking, lines: Sequence[BookingLine], columns: Mapping[str, Any], now: datetime) -> int:
    if booking.bill_id:
        return booking.bill_id
    bill = open_bill(
        customer_id=columns.get("customer_id", booking.customer_id),
        currency=booking.currency,
        lines=bill_lines(booking, lines),
        subject_ref=subject_ref(booking),
        now=now,
    )
    return bill.pk


def _meeting_url(booking: Booking, lines: Sequence[BookingLine]) -> str:
    if booking.delivery != Delivery.ONLINE:
        return booking.meeting_url
    return next((line.staff_member.meeting_url for line in lines if line.staff_member), "")
