"""The walk-in queue: people who come without a booking wait at the desk until they are booked or leave."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from accounts.contact.contact import Contact
from accounts.operations import current_customer
from bookings.availability.overrides import NO_OVERRIDES, Overrides
from bookings.booked import first_line
from bookings.enums import WalkInState
from bookings.errors import SlotTaken, WalkInOver
from bookings.lifecycle import Actor
from bookings.models import Booking, WalkIn
from bookings.operations._transaction import booking_transaction
from bookings.operations.confirm import Asks, ByStaff, confirm_booking
from bookings.operations.hold import hold_slot
from core.minutes import instant
from services.models import Business
from services.queries import booking_policy_of, the_business
from staff.hours import day_of

_NO_NOTICE: Overrides = frozenset({"notice"})


def join_queue(
    *,
    location_id: int,
    variant_id: int,
    staff_member_id: int | None,
    contact: Contact,
    customer_id: int | None,
    actor: Actor,
    now: datetime,
) -> WalkIn:
    """Put a person at the end of the queue. Of a known customer only the name is stored; the record has the contact."""
    return WalkIn.objects.create(
        location_id=location_id,
        variant_id=variant_id,
        staff_member_id=staff_member_id,
        customer_id=None if customer_id is None else current_customer(customer_id).pk,
        name=contact.name,
        phone="" if customer_id else contact.phone,
        email="" if customer_id else contact.email,
        joined_at=now,
        added_by_id=actor.user_id,
        added_by_name=actor.name,
    )


@booking_transaction
def book_walk_in(
    *, walk_in_id: int, start_minute: int, staff_member_id: int | None, waiver: str, actor: Actor, now: datetime
) -> Booking:
    """Book exactly this start with exactly this staff member (None for a service without staff). Everything is paid at
    the visit, and no notice is needed.

    ``waiver`` is why less is asked than the terms ask; empty if the actor may not waive. Of two calls for one person
    the second is refused, so that one booking is made.

    Locks: the person's row, then as ``hold_slot`` and ``confirm_booking`` do.

    :raises WalkInOver: when the person is booked already, or has left.
    :raises SlotTaken, SlotNotOffered: when the start, or the staff member at that time, is no longer free, or is not
        today.
    :raises NoWaiverReason: when the terms ask for more and ``waiver`` is empty.
    :raises ServiceNotOffered, CannotBookOnline, Busy: as their sentences say.
    """
    walk_in = _locked(walk_in_id)
    if walk_in.state != WalkInState.WAITING:
        raise WalkInOver
    zone = ZoneInfo(walk_in.location.time_zone)
    if day_of(zone, start_minute) != now.astimezone(zone).toordinal():
        # The queue is of today. Another day is booked like by phone.
        raise SlotTaken
    business = the_business()
    customer = current_customer(walk_in.customer_id) if walk_in.customer_id else None
    contact = Contact(walk_in.name, walk_in.email, walk_in.phone, note="")
    if customer is not None:
        contact = Contact(customer.name, customer.email, customer.phone, note="")
    language = customer.language if customer else business.language
    held = hold_slot(
        variant_id=walk_in.variant_id,
        location_id=walk_in.location_id,
        start_minute=start_minute,
        staff_member_id=walk_in.staff_member_id,
        preferred_staff_id=staff_member_id,
        actor=actor,
        language=language,
        overrides=_overrides(walk_in, business, start_minute, now),
        now=now,
    ).booking
    # The page promised this staff member, also to a person who takes anyone.
    if first_line(held).staff_member_id != staff_member_id:
        raise SlotTaken
    booked = confirm_booking(
        booking_id=held.pk,
        contact=contact,
        consent_text=gettext("Asked for this visit at the front desk, without a booking before."),
        actor=actor,
        now=now,
        by_staff=ByStaff(
            customer_id=customer.pk if customer else None, language=language, asks=Asks.NOTHING, waiver=waiver
        ),
    )
    walk_in.state, walk_in.ended_at, walk_in.booking = WalkInState.SEATED, now, booked
    walk_in.save(update_fields=["state", "ended_at", "booking"])
    return booked


@booking_transaction
def leave_queue(*, walk_in_id: int, now: datetime) -> None:
    """Take a person who has left off the queue. Safe to repeat. Locks: the person's row.

    :raises WalkInOver: when the person is booked already.
    """
    walk_in = _locked(walk_in_id)
    if walk_in.state == WalkInState.SEATED:
        raise WalkInOver
    if walk_in.state == WalkInState.WAITING:
        walk_in.state, walk_in.ended_at = WalkInState.LEFT, now
        walk_in.save(update_fields=["state", "ended_at"])


@booking_transaction
def rejoin_queue(*, walk_in_id: int) -> None:
    """Put a person who was taken off the queue back at the old place. Safe to repeat. Locks: the person's row.

    :raises WalkInOver: when the person is booked already.
    """
    walk_in = _locked(walk_in_id)
    if walk_in.state == WalkInState.SEATED:
        raise WalkInOver
    if walk_in.state == WalkInState.LEFT:
        walk_in.state, walk_in.ended_at = WalkInState.WAITING, None
        walk_in.save(update_fields=["state", "ended_at"])


def _locked(walk_in_id: int) -> WalkIn:
    return WalkIn.objects.select_for_update(no_key=True).get(pk=walk_in_id)


def _overrides(walk_in: WalkIn, business: Business, start_minute: int, now: datetime) -> Overrides:
    """Return the rules to set aside, so that the history names an exception only where there is one."""
    service = walk_in.variant.service
    lead = timedelta(minutes=booking_policy_of(service, business).lead_minutes)
    return _NO_NOTICE if instant(start_minute) < now + lead else NO_OVERRIDES
