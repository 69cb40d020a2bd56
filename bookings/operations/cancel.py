"""Cancelling a booking: free its time, bring the bill to the fee, and refund or charge the difference."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from bookings.bill_lines import cancellation_lines, change_fee_back_line
from bookings.booked import fee_facts
from bookings.enums import ActorKind, BookingStatus
from bookings.errors import AlreadyCancelled, NotBooked, StalePage, TooLateToCancel
from bookings.lifecycle import Actor, transition
from bookings.messages import visits
from bookings.models import Booking
from bookings.operations._allocations import release
from bookings.operations._bill import lines_of, move_fees, write_lines
from bookings.operations._expiring import drop_own_proposals
from bookings.operations._lock import locked_booking
from bookings.operations._transaction import booking_transaction
from bookings.operations.fees import move_money, settled
from bookings.operations.refund_decision import waiting_part
from bookings.refs import subject_ref
from bookings.rules.cancelling import CancelRefusal, cancel_refusal
from bookings.rules.fees import cancellation_fee
from bookings.rules.settlement import Settlement
from core.errors import DomainError
from payments.approvals import answer_by
from payments.enums import RefundReason
from payments.operations import call_off_payments

_REFUSALS: dict[CancelRefusal, Callable[[], DomainError]] = {
    CancelRefusal.ALREADY_CANCELLED: AlreadyCancelled,
    CancelRefusal.NOT_BOOKED: NotBooked,
    CancelRefusal.ALREADY_STARTED: TooLateToCancel,
}


@booking_transaction
def cancel_booking(
    *,
    booking_id: int,
    expected_fee_minor: int,
    expected_sequence: int,
    actor: Actor,
    now: datetime,
    reason: str = "",
    on_behalf: bool = False,
    at: datetime | None = None,
    waive: bool = False,
) -> Booking:
    """Cancel a booking. A customer pays what the copied terms say; when the business cancels, nothing is owed.

    Releases the time, brings the bill to exactly the fee, refunds what was paid beyond it or charges the saved card for
    what is missing, cancels pending payments, withdraws reminders that are not sent yet, and informs customer and
    staff. The history's details record what became of the money.

    If the business approves refunds, the refund to a customer who cancels waits for approval.

    ``on_behalf``: staff cancel for a customer who called at ``at`` (default now), so the customer's rules apply as of
    that moment; ``waive`` waives the fee.

    Locks: the booking, then the bill.

    :raises StalePage: when ``expected_fee_minor``, which the page showed, is not the fee now (``data["fee_minor"]``),
        or when the booking was moved and ``expected_sequence`` is no longer its number.
    :raises AlreadyCancelled: when it is cancelled already; a double click may treat this as success.
    :raises TooLateToCancel, NotBooked: as their sentences say.
    """
    booking = locked_booking(booking_id)
    by_staff = actor.is_business
    refusal = cancel_refusal(status=booking.status, starts_at=booking.starts_at, now=now, by_staff=by_staff)
    if refusal:
        raise _REFUSALS[refusal]()
    by_business = by_staff and not on_behalf
    fee = 0 if by_business or waive else cancellation_fee(fee_facts(booking), _moment(booking, on_behalf, at, now))
    if fee != expected_fee_minor or expected_sequence != booking.ical_sequence:
        raise StalePage(fee_minor=fee, sequence=booking.ical_sequence, starts_at=booking.starts_at)
    drop_own_proposals(booking, now=now)
    call_off_payments(subject_ref=subject_ref(booking), now=now)
    outcome = _settle(booking, fee, by_business=by_business, now=now)
    waits = waiting_part(booking, outcome, actor=actor) if outcome else 0
    transition(
        booking,
        BookingStatus.CANCELLED,
        actor=actor,
        now=now,
        reason=reason,
        details=_details(fee, outcome, on_behalf=on_behalf, at=at, waive=waive) | _waiting(waits, now),
        values={
            "cancelled_by": ActorKind.CUSTOMER if on_behalf else actor.kind,
            "cancelled_at": now,
            "cancellation_fee_minor": fee,
            "hold_expires_at": None,
            "ical_sequence": booking.ical_sequence + 1,
        },
    )
    release(booking)
    visits.announce_cancelled(booking, now=now)
    if outcome:
        # The mail about the cancellation also announces the refund.
        refund_reason = RefundReason.BUSINESS if by_business else RefundReason.POLICY
        move_money(booking, outcome, reason=refund_reason, actor=actor, waits_minor=waits, now=now)
    return booking


def _moment(booking: Booking, on_behalf: bool, at: datetime | None, now: datetime) -> datetime:
    """Return when the customer called: never in the future, never before the booking was confirmed."""
    if not on_behalf or at is None:
        return now
    return min(max(at, booking.confirmed_at or booking.created_at), now)


def _settle(booking: Booking, fee_minor: int, *, by_business: bool, now: datetime) -> Settlement | None:
    """Bring the bill to the fee and return the settlement; None where there is no bill."""
    if booking.bill_id is None:
        return None
    lines = lines_of(booking)
    write_lines(booking, cancellation_lines(booking, lines, fee_minor), now=now)
    if by_business and (moves := move_fees(booking)):
        write_lines(booking, [change_fee_back_line(booking, lines[0], moves)], now=now)
    return settled(booking)


def _details(
    fee_minor: int, outcome: Settlement | None, *, on_behalf: bool, at: datetime | None, waive: bool
) -> dict[str, Any]:
    details: dict[str, Any] = {"fee_minor": fee_minor}
    if outcome:
        details |= {
            "kept_minor": outcome.keep_minor,
            "refund_minor": outcome.refund_minor,
            "charge_minor": outcome.charge_minor,
            "open_minor": outcome.open_minor,
        }
    if on_behalf:
        details |= {"on_behalf": True, "called_at": at.isoformat() if at else None, "waived": waive}
    return details


def _waiting(waits_minor: int, now: datetime) -> dict[str, Any]:
    """Return the details of a refund that waits for approval.

    They are the amount, and when the customer gets an answer at the latest.
    """
    return {"waits_minor": waits_minor, "answer_by": answer_by(now).isoformat()} if waits_minor else {}
