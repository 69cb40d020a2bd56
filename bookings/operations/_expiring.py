"""Ending holds and proposed moves whose time has run out. Callers hold the locks."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bookings.bill_lines import expiry_lines
from bookings.enums import EXPIRING, BookingStatus
from bookings.lifecycle import SYSTEM, Actor, transition
from bookings.messages.money import announce_declined, announce_hold_ended, announce_refunds
from bookings.models import Allocation, Booking, MoveProposal
from bookings.operations._allocations import release
from bookings.operations._bill import give_back, lines_of, settled_excess, write_lines
from bookings.operations._transaction import commit_for_sure
from bookings.refs import booking_ref, subject_ref
from bookings.reported_money import reported_fee, reported_money
from payments.enums import Purpose, RefundReason
from payments.operations import call_off_payments


def end_owners(booking_ids: Collection[int], proposal_ids: Collection[int], now: datetime) -> bool:
    """End these holds and proposed moves whose time has run out; False when another transaction works on one, or one
    is kept because Stripe reported money for it.
    """
    bookings = list(
        Booking.objects.select_for_update(skip_locked=True, no_key=True)
        .filter(pk__in=booking_ids, status__in=EXPIRING, hold_expires_at__lte=now)
        .exclude(reported_money(), status=BookingStatus.PENDING_PAYMENT)
        .order_by("pk")
    )
    proposals = list(
        MoveProposal.objects.select_for_update(skip_locked=True)
        .filter(pk__in=proposal_ids, expires_at__lte=now)
        .exclude(reported_fee())
        .order_by("pk")
    )
    if len(bookings) + len(proposals) < len(booking_ids) + len(proposal_ids):
        return False
    # Money may go back and messages may leave.
    commit_for_sure()
    for booking in bookings:
        expire(booking, now=now, reason="taken by somebody else after it had run out")
    drop_proposals(proposals, now=now)
    return True


def expire(booking: Booking, *, actor: Actor = SYSTEM, now: datetime, reason: str = "") -> None:
    """End a hold whose row is locked: its status, and its claims on time.

    One that waited for money owes nothing any more: a part that was paid goes back, and payments that wait are called
    off by a task; one that succeeds first is late money. Its customer is told if the time ran out, and so is whoever
    sent a request that nobody answered.
    """
    was_requested = booking.status == BookingStatus.REQUESTED
    was_unpaid = booking.status == BookingStatus.PENDING_PAYMENT and actor is SYSTEM
    transition(booking, BookingStatus.EXPIRED, actor=actor, now=now, reason=reason)
    release(booking)
    if booking.bill_id:
        write_lines(booking, expiry_lines(booking, lines_of(booking)), now=now)
        call_off_payments(subject_ref=subject_ref(booking), now=now)
        refunds = give_back(booking, settled_excess(booking), reason=RefundReason.LATE, actor=actor, now=now)
        announce_refunds(booking, refunds, now=now)
    if was_requested:
        announce_declined(booking, now=now)
    if was_unpaid:
        announce_hold_ended(booking, now=now)


def drop_own_proposals(booking: Booking, *, now: datetime) -> None:
    """Drop what a locked booking was about to move to.

    The proposal is locked before its claims, as by everybody who ends one, and before any resource.
    """
    own = MoveProposal.objects.select_for_update().filter(booking=booking).order_by("pk")
    drop_proposals(list(own), now=now)


def drop_proposals(proposals: Sequence[MoveProposal], *, now: datetime) -> None:
    """End proposed moves and have the payments for them called off; one that succeeds first is late money."""
    if not proposals:
        return
    Allocation.objects.filter(move_proposal__in=proposals).delete()
    MoveProposal.objects.filter(pk__in=[each.pk for each in proposals]).delete()
    for each in proposals:
        if each.fee_minor:
            call_off_payments(subject_ref=booking_ref(each.booking_id), purposes=[Purpose.MOVE], now=now)
