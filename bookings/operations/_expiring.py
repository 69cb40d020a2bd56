"""Ending holds and proposed moves whose time has run out. Callers hold the locks."""

from collections.abc import Collection, Sequence
from datetime import datetime

from bookings.bill_lines import expiry_lines
from bookings.enums import EXPIRING, BookingChannel, BookingStatus
from bookings.lifecycle import SYSTEM, Actor, transition
from bookings.messages.hold_links import announce_hold_link_ended
from bookings.messages.money import announce_declined, announce_hold_ended, announce_refunds
from bookings.models import Allocation, Booking, HoldLink, MoveProposal
from bookings.operations._allocations import release
from bookings.operations._bill import give_back, lines_of, settled_excess, write_lines
from bookings.operations._transaction import commit_for_sure
from bookings.refs import booking_ref, subject_ref
from bookings.reported_money import reported_fee, reported_money
from payments.enums import Purpose, RefundReason
from payments.operations import call_off_payments


def end_owners(booking_ids: Collection[int], proposal_ids: Collection[int], now: datetime) -> bool:
    """End these holds and proposed moves if all of them have run out.

    Returns False and ends none if one is still live, is locked by another transaction, or has money that Stripe
    reported.
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
    # Refunds may be requested and messages sent, so the commit must reach the disk.
    commit_for_sure()
    for booking in bookings:
        expire(booking, now=now, reason="taken by another customer after it had expired")
    drop_proposals(proposals, now=now)
    return True


def expire(booking: Booking, *, actor: Actor = SYSTEM, now: datetime, reason: str = "") -> None:
    """End a hold whose row is locked: write its status and release its time.

    A booking that waited for payment owes nothing any more: what was paid is refunded, and a task cancels the pending
    payments. A payment that succeeds before the task runs is late money. The customer gets a message if the time to pay
    ran out, or if the business did not answer a request in time. A link that staff sent ends with the hold.
    """
    was_held = booking.status == BookingStatus.HELD
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
    if booking.channel == BookingChannel.DESK:
        _end_link(booking, tells_customer=was_held and actor is SYSTEM, actor=actor, now=now)


def _end_link(booking: Booking, *, tells_customer: bool, actor: Actor, now: datetime) -> None:
    """End the link that staff sent for a hold, if they did: staff see that the customer did not finish the booking."""
    if actor is not SYSTEM and actor.is_business:
        return
    link = HoldLink.objects.filter(booking=booking).first()
    if link is None:
        return
    link.ended_at = now
    link.save(update_fields=["ended_at"])
    if tells_customer:
        announce_hold_link_ended(booking, link, now=now)


def drop_own_proposals(booking: Booking, *, now: datetime) -> None:
    """Delete the proposed moves of a locked booking.

    Lock order: the proposal before its allocations, and before any resource, as everywhere that a proposal ends.
    """
    own = MoveProposal.objects.select_for_update().filter(booking=booking).order_by("pk")
    drop_proposals(list(own), now=now)


def drop_proposals(proposals: Sequence[MoveProposal], *, now: datetime) -> None:
    """Delete proposed moves and have their pending payments cancelled.

    A payment that succeeds before it is cancelled is late money.
    """
    if not proposals:
        return
    Allocation.objects.filter(move_proposal__in=proposals).delete()
    MoveProposal.objects.filter(pk__in=[each.pk for each in proposals]).delete()
    for each in proposals:
        if each.fee_minor:
            call_off_payments(subject_ref=booking_ref(each.booking_id), purposes=[Purpose.MOVE], now=now)
