"""Sending a customer a link that finishes the booking of a time which staff hold.

The link is the address of the hold's page. The time is kept until the link ends; then it is free again, and both sides
are told.
"""

from datetime import datetime
from typing import Any

from accounts.contact.contact import Contact
from accounts.contact.same_phones import phone_end_hash, phone_hash
from accounts.models import Customer
from accounts.operations import current_customer
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind
from bookings.errors import HoldExpired, HoldOver, LinkSentOften, NoLinkForBlocked, TooManyLinks, TooSoonForLink
from bookings.lifecycle import Actor, record
from bookings.messages import hold_links as messages
from bookings.models import Booking, HoldLink
from bookings.operations._customer_checks import lines_and_standing
from bookings.operations._expiring import expire
from bookings.operations._lock import locked_booking, require_live_hold
from bookings.operations._transaction import booking_transaction
from bookings.rules.hold_links import link_kept_until
from core.locks import one_at_a_time
from notifications.addresses import address_hash
from notifications.enums import Channel
from services.queries import the_business

# Live links of one user, so that nobody fills the calendar with times that no customer confirms.
LINKS_PER_USER = 20
# The first message and two more.
SENDINGS = 3
_CUSTOMER = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)


@booking_transaction
def send_hold_link(
    *,
    booking_id: int,
    contact: Contact,
    channel: Channel,
    customer_id: int | None,
    language: str,
    actor: Actor,
    now: datetime,
) -> Booking:
    """Send a customer the link to a held time, and keep the time until the link ends.

    ``contact`` is what the page of the link shows; it has the address of ``channel``. A second call sends nothing.
    From here on the hold belongs to the customer: the form in which staff held it no longer finds it.

    Locks: the booking, then the links of this user.

    :raises HoldExpired, HoldOver: when the booking is no longer a live hold.
    :raises NoLinkForBlocked: when the business takes no online bookings from this customer.
    :raises TooSoonForLink: when the visit begins too soon.
    :raises TooManyLinks: when ``LINKS_PER_USER`` links of this user are waiting.
    """
    booking = locked_booking(booking_id)
    require_live_hold(booking, now)
    if HoldLink.objects.filter(booking=booking).exists():
        return booking
    if customer_id is not None:
        customer_id = current_customer(customer_id).pk
    if _is_blocked(booking, contact, customer_id, now):
        raise NoLinkForBlocked
    until = link_kept_until(booking.starts_at, minutes=the_business().hold_link_minutes, now=now)
    if until is None:
        raise TooSoonForLink
    _require_room(actor, now)
    for name, value in _values(contact, customer_id, language, until).items():
        setattr(booking, name, value)
    booking.save()
    address = contact.email if channel == Channel.EMAIL else contact.phone
    link = HoldLink.objects.create(
        booking=booking,
        channel=channel,
        address_hash=address_hash(channel, address),
        sent_by_id=actor.user_id,
        sent_by_name=actor.name,
        sent_at=now,
    )
    _announce(booking, link, actor, now)
    return booking


@booking_transaction
def resend_hold_link(*, booking_id: int, actor: Actor, now: datetime) -> Booking:
    """Send the link again to the same address. The time is not kept any longer for that. Locks: the booking.

    :raises HoldExpired, HoldOver: when the booking is no longer a live hold.
    :raises LinkSentOften: when the link was sent ``SENDINGS`` times.
    """
    booking = locked_booking(booking_id)
    require_live_hold(booking, now)
    link = HoldLink.objects.get(booking=booking)
    if link.sent_count >= SENDINGS:
        raise LinkSentOften
    link.sent_at, link.sent_count = now, link.sent_count + 1
    link.save(update_fields=["sent_at", "sent_count"])
    _announce(booking, link, actor, now)
    return booking


@booking_transaction
def free_linked_time(*, booking_id: int, tells_customer: bool, actor: Actor, now: datetime) -> Booking:
    """Free the time of a link before the link ends. A customer who is paying or has booked keeps it.

    Locks: the booking.

    :raises HoldExpired: when the time is free already.
    :raises HoldOver: when the hold has become a booking.
    """
    booking = locked_booking(booking_id)
    if booking.status == BookingStatus.EXPIRED:
        raise HoldExpired
    if booking.status != BookingStatus.HELD:
        raise HoldOver
    expire(booking, actor=actor, now=now, reason="freed by the desk")
    link = HoldLink.objects.filter(booking=booking).first()
    if link is not None and tells_customer:
        messages.announce_hold_link_ended(booking, link, now=now)
    return booking


@booking_transaction
def settle_ended_link(*, booking_id: int) -> None:
    """Take a link that was not used off the to-do list. Safe to repeat. Locks: the booking."""
    booking = locked_booking(booking_id)
    HoldLink.objects.filter(booking=booking).update(ended_at=None)


def _is_blocked(booking: Booking, contact: Contact, customer_id: int | None, now: datetime) -> bool:
    """Return whether the customer would be refused on the page of the link."""
    if customer_id and Customer.objects.filter(pk=customer_id, is_blocked=True).exists():
        return True
    _, standing = lines_and_standing(
        booking, email=contact.email, phone=contact.phone, actor=_CUSTOMER, is_known_by_email=True, now=now
    )
    return standing.is_blocked


def _require_room(actor: Actor, now: datetime) -> None:
    one_at_a_time(f"hold-links:{actor.user_id}")
    live = {"booking__status": BookingStatus.HELD, "booking__hold_expires_at__gt": now}
    if HoldLink.objects.filter(sent_by_id=actor.user_id, **live).count() >= LINKS_PER_USER:
        raise TooManyLinks


def _values(contact: Contact, customer_id: int | None, language: str, until: datetime) -> dict[str, Any]:
    return {
        **contact.columns(),
        "phone_hash": phone_hash(contact.phone),
        "phone_end_hash": phone_end_hash(contact.phone),
        "customer_id": customer_id,
        "language": language,
        "hold_expires_at": until,
        # The next booking of the same form must not replace this hold.
        "visitor_hash": "",
    }


def _announce(booking: Booking, link: HoldLink, actor: Actor, now: datetime) -> None:
    record(booking, EventKind.HOLD_LINK, actor=actor, now=now, details={"channel": link.channel})
    messages.announce_hold_link(booking, link, now=now)
