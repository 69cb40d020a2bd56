"""Holding a time again after its hold has expired, or another time instead."""

from datetime import datetime
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.urls import reverse

from bookings.booked import first_line
from bookings.enums import ActorKind, BookingChannel, BookingStatus
from bookings.lifecycle import Actor
from bookings.models import Booking
from bookings.operations.hold import hold_slot, retake_hold
from bookings.queries import bookings
from bookings.queries.alternatives import chosen_add_ons, wish_of
from core.visitors import address_hash, visitor_hash
from storefront.cookies import HOLD_COOKIE
from storefront.presenters.choice import parsed_slot

_CUSTOMER = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)


def hold_again(request: HttpRequest, booking: Booking, token: str, visitor: str, now: datetime) -> str:
    """Hold the time that the form asks for, else the same one again. Return the token of the new hold."""
    if "slot" not in request.POST and booking.status != BookingStatus.PENDING_PAYMENT:
        return retake_hold(booking_id=booking.pk, actor=_CUSTOMER, now=now).token
    held = hold_slot(
        **{**wish_of(booking), **_asked_start(request)},
        actor=_CUSTOMER,
        language=booking.language,
        visitor_hash=visitor_hash(visitor),
        address_hash=address_hash(request),
        add_on_ids=chosen_add_ons(booking),
        party_size=booking.party_size,
        replacing_token=token or None,
        now=now,
    )
    return held.token


def own_hold_of_the_same_time(request: HttpRequest, booking: Booking, now: datetime) -> str | None:
    """Return the token of this browser's own hold of the same time: after a reload it is what makes the time taken."""
    token = request.COOKIES.get(HOLD_COOKIE, "")
    held = bookings.booking_by_hold_token(token) if token else None
    same = held is not None and held.starts_at == booking.starts_at and held.location_id == booking.location_id
    return token if same and held and not is_over(held, now) else None


def is_over(booking: Booking, now: datetime) -> bool:
    """Return whether a hold has expired or was released."""
    held = booking.status == BookingStatus.HELD
    return not held or booking.hold_expires_at is None or booking.hold_expires_at <= now


def picker_url(booking: Booking) -> str:
    """Return the picker with the same service, length and staff member."""
    line = first_line(booking)
    chosen = {"variant": str(line.variant_id), "at": booking.location.slug}
    if line.staff_member and not booking.is_any_staff:
        chosen["with"] = line.staff_member.slug
    return f"{reverse('picker', args=[line.variant.service.slug])}?{urlencode(chosen)}"


def _asked_start(request: HttpRequest) -> dict[str, int]:
    if "slot" not in request.POST:
        return {}
    try:
        location_id, start_minute = parsed_slot(request.POST["slot"])
    except ValueError as error:
        raise Http404 from error
    return {"location_id": location_id, "start_minute": start_minute}
