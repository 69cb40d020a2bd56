"""What happened to a booking, in words for its customer."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from bookings.booked import zone_of
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind, MoneyEvent
from bookings.models import Booking, BookingEvent
from bookings.money_events import money_event
from bookings.wording.history import HistoryRow
from bookings.wording.zones import shown_moment
from core import formats
from core.zones import city
from services.enums import PaymentMode
from services.models import Business
from storefront.presenters import money as money_presenter


def history(booking: Booking, business: Business, *, visitor_zone: ZoneInfo | None = None) -> list[HistoryRow]:
    """Return the history, newest first. Steps before the booking are left out."""
    rows = []
    for event in booking.events.all():
        if text := _event_text(event, booking, business):
            at = shown_moment(event.at, zone_of(booking), visitor_zone)
            rows.append(HistoryRow(at, text, _channel_text(event.channel) if _is_own_act(event) else ""))
    return rows[::-1]


def _event_text(event: BookingEvent, booking: Booking, business: Business) -> str:
    by_customer = event.actor_kind == ActorKind.CUSTOMER
    names = {"name": business.text("name")}
    if event.kind == EventKind.MOVED:
        return _moved_text(event, booking, by_customer, names)
    if event.kind == EventKind.LENGTH:
        return _length_text(event, names)
    if event.kind == EventKind.COMING:
        return gettext("You said that you are coming")
    if event.kind == EventKind.MONEY:
        return money_presenter.event_text(event, booking, by_customer=by_customer)
    if event.kind != EventKind.STATUS:
        return ""
    match event.to_status:
        case BookingStatus.CONFIRMED if event.from_status == BookingStatus.HELD:
            return gettext("You booked") if by_customer else gettext("%(name)s booked it for you") % names
        case BookingStatus.CONFIRMED if event.from_status == BookingStatus.REQUESTED:
            return gettext("%(name)s accepted") % names
        case BookingStatus.CONFIRMED if event.from_status in {BookingStatus.PENDING_PAYMENT, BookingStatus.EXPIRED}:
            return gettext("Confirmed")
        case BookingStatus.PENDING_PAYMENT if event.from_status == BookingStatus.REQUESTED:
            if booking.payment_mode == PaymentMode.CARD:
                return gettext("%(name)s accepted, card to follow") % names
            return gettext("%(name)s accepted, payment to follow") % names
        case BookingStatus.PENDING_PAYMENT:
            if booking.payment_mode == PaymentMode.CARD:
                return gettext("You booked, card to follow")
            return gettext("You booked, payment to follow")
        case BookingStatus.REQUESTED:
            return gettext("You asked for this time")
        case BookingStatus.DECLINED:
            text = gettext("%(name)s declined") % names
            return f"{text}: {event.reason}" if event.reason else text
        case BookingStatus.EXPIRED if event.from_status != BookingStatus.HELD:
            return gettext("The time ran out")
        case BookingStatus.CANCELLED:
            text = gettext("You cancelled") if by_customer else gettext("%(name)s cancelled") % names
            return _with_reason(text, event)
        case BookingStatus.STARTED:
            return gettext("Started")
        case BookingStatus.COMPLETED:
            return gettext("Completed")
        case BookingStatus.NO_SHOW:
            return gettext("You were missed")
        case _:
            return ""


def _is_own_act(event: BookingEvent) -> bool:
    """Return whether the actor did this by the event's channel. A mere consequence of another act has no channel."""
    if event.kind == EventKind.MONEY:
        return money_event(event) is MoneyEvent.PAID and event.actor_kind == ActorKind.CUSTOMER
    return event.to_status != BookingStatus.CONFIRMED or event.from_status == BookingStatus.HELD


def _channel_text(channel: str) -> str:
    match channel:
        case BookingChannel.WEB | BookingChannel.WIDGET:
            return gettext("on this website")
        case BookingChannel.LINK:
            return gettext("by the link in a message")
        case BookingChannel.DESK | BookingChannel.WALK_IN:
            return gettext("at the front desk")
        case BookingChannel.SYSTEM:
            return ""
        case _:
            return str(BookingChannel(channel).label)


def _moved_text(event: BookingEvent, booking: Booking, by_customer: bool, names: dict[str, str]) -> str:
    before, after = (_moment(event.details, side, booking) for side in ("from", "to"))
    if "zone" in event.details["to"]:
        return _zone_text(event.details, before, after, names)
    if before == after:
        return gettext("Another staff member will see you now")
    who = (
        gettext("You moved it from %(before)s to %(after)s")
        if by_customer
        else gettext("%(name)s moved it from %(before)s to %(after)s")
    )
    return _with_reason(who % {**names, "before": before, "after": after}, event)


def _with_reason(text: str, event: BookingEvent) -> str:
    """Add the reason, unless it is a note that the front desk wrote for itself."""
    is_for_customer = event.reason and event.channel != BookingChannel.DESK
    return f"{text}: {event.reason}" if is_for_customer else text


def _length_text(event: BookingEvent, names: dict[str, str]) -> str:
    sides = {"before": event.details["from"], "after": event.details["to"]}
    lengths = {name: formats.minutes_text(side["minutes"]) for name, side in sides.items()}
    return gettext("%(name)s changed the length from %(before)s to %(after)s") % {**names, **lengths}


def _moment(details: dict[str, Any], side: str, booking: Booking) -> str:
    zone = ZoneInfo(details[side].get("zone", booking.location.time_zone))
    return formats.moment_text(datetime.fromisoformat(details[side]["starts_at"]).astimezone(zone))


def _zone_text(details: dict[str, Any], before: str, after: str, names: dict[str, str]) -> str:
    """Return a move after the place changed its time zone. Both times name their zone."""
    cities = {f"{side}_city": city(ZoneInfo(details[side]["zone"])) for side in ("from", "to")}
    text = gettext("%(name)s moved it from %(before)s (%(from_city)s time) to %(after)s (%(to_city)s time)")
    return text % {**names, **cities, "before": before, "after": after}
