"""The history of a booking as staff read it: what happened, who did it, by which channel, and why."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from django.utils.translation import gettext, pgettext

from bookings.booked import local
from bookings.enums import ActorKind, BookingChannel, BookingStatus, EventKind, MoneyEvent
from bookings.models import Booking, BookingEvent
from bookings.money_events import money_event
from bookings.move_events import is_undo
from bookings.wording import visit
from bookings.wording.history import HistoryRow
from bookings.wording.overrides import exception_text
from core import formats
from notifications.enums import Channel

_WEEK = 7
_CHANNELS = {BookingChannel.DESK: "", BookingChannel.SYSTEM: ""}


def history(booking: Booking, *, now: datetime) -> list[HistoryRow]:
    """Return the rows, newest first. Steps of choosing a time are left out."""
    today = local(now, booking).date()
    rows = []
    for event in booking.events.all():
        if text := _text(event, booking):
            reason = f": {event.reason}" if event.reason else ""
            at = _at_text(local(event.at, booking), today)
            rows.append(HistoryRow(at, f"{text}{reason}", _by(event, booking)))
    return rows[::-1]


def _at_text(at: datetime, today: date) -> str:
    """Return "Today 11:38", "Wed 12:00" within a week, "14 Nov" for older days."""
    days = (today - at.date()).days
    if days == 0:
        return gettext("Today %(time)s") % {"time": formats.time_text(at)}
    if 0 < days < _WEEK:
        return pgettext("weekday and time", "%(day)s %(time)s") % {
            "day": formats.weekday_text(at.date()),
            "time": formats.time_text(at),
        }
    return formats.day_month_text(at.date()) if at.year == today.year else formats.full_day_text(at.date())


def _by(event: BookingEvent, booking: Booking) -> str:
    """Return who did it and by which channel: "Edda Kruse, front desk"; "automatically" for the system."""
    if event.actor_kind == ActorKind.SYSTEM:
        return gettext("automatically")
    who = event.actor_name or (booking.contact_name if event.actor_kind == ActorKind.CUSTOMER else gettext("staff"))
    channel = _CHANNELS.get(BookingChannel(event.channel), str(BookingChannel(event.channel).label))
    return ", ".join(filter(None, (formats.isolated(who), channel)))


def _text(event: BookingEvent, booking: Booking) -> str:
    match event.kind:
        case EventKind.STATUS:
            return _status_text(event)
        case EventKind.MOVED:
            return _with_exception(_moved_text(event, booking), event)
        case EventKind.LENGTH:
            return _with_exception(_length_text(event, booking), event)
        case EventKind.MONEY:
            return _money_text(event, booking)
        case EventKind.CONTACT:
            return (
                gettext("Customer settings changed")
                if event.details.get("what") == "trust"
                else gettext("Contact changed")
            )
        case EventKind.LINK:
            return gettext("Links renewed")
        case EventKind.HOLD_LINK:
            is_mail = event.details.get("channel") == Channel.EMAIL
            return gettext("Booking link sent by e-mail") if is_mail else gettext("Booking link sent by text")
        case EventKind.COMING:
            return gettext("Confirmed that they are coming")
        case EventKind.KEPT:
            return gettext("Kept outside the hours")
        case EventKind.ARRIVED:
            return gettext("Arrival undone") if event.details.get("is_undone") else gettext("Arrived")
        case EventKind.EXTRAS if event.from_status != BookingStatus.HELD:
            return gettext("Extras changed")
        case _:
            return ""


def _status_text(event: BookingEvent) -> str:
    before, after = event.from_status, event.to_status
    match after:
        case BookingStatus.CONFIRMED if before == BookingStatus.HELD:
            return gettext("Booked")
        case BookingStatus.CONFIRMED if before == BookingStatus.REQUESTED:
            return gettext("Accepted")
        case BookingStatus.CONFIRMED if before == BookingStatus.NO_SHOW:
            return gettext("No-show undone")
        case BookingStatus.CONFIRMED if before == BookingStatus.STARTED:
            return gettext("Start undone")
        case BookingStatus.CONFIRMED if before == BookingStatus.EXPIRED:
            return gettext("Paid late, and the time was still free")
        case BookingStatus.HELD:
            overrides = event.details.get("overrides")
            return exception_text(overrides) if overrides else ""
        case _:
            return _STATUS_WORDS[BookingStatus(after)]()


_STATUS_WORDS: dict[BookingStatus, Callable[[], str]] = {
    BookingStatus.CONFIRMED: lambda: gettext("Confirmed"),
    BookingStatus.PENDING_PAYMENT: lambda: gettext("Waiting for payment"),
    BookingStatus.REQUESTED: lambda: gettext("Requested"),
    BookingStatus.STARTED: lambda: gettext("Started"),
    BookingStatus.COMPLETED: lambda: gettext("Completed"),
    BookingStatus.NO_SHOW: lambda: gettext("Marked as no-show"),
    BookingStatus.CANCELLED: lambda: gettext("Cancelled"),
    BookingStatus.DECLINED: lambda: gettext("Declined"),
    BookingStatus.EXPIRED: lambda: gettext("Expired"),
}
# %(sum)s is the amount of the event.
MONEY_WORDS: dict[MoneyEvent, Callable[[], str]] = {
    MoneyEvent.PAID: lambda: gettext("Paid %(sum)s"),
    MoneyEvent.REFUND: lambda: gettext("Refund of %(sum)s started"),
    MoneyEvent.REFUND_WAITS: lambda: gettext("%(sum)s waits for approval"),
    MoneyEvent.REFUND_LOWERED: lambda: gettext("Only %(sum)s goes back"),
    MoneyEvent.REFUND_DECLINED: lambda: gettext("Refund of %(sum)s declined"),
    MoneyEvent.REFUNDED: lambda: gettext("Refunded %(sum)s"),
    MoneyEvent.MOVE_PROPOSED: lambda: gettext("Another time is kept until %(sum)s is paid"),
    MoneyEvent.MOVE_WITHDRAWN: lambda: gettext("Keeps the original time"),
    MoneyEvent.TAKEN_BACK: lambda: gettext("%(sum)s taken back by the bank"),
    MoneyEvent.REDUCED: lambda: gettext("Price reduced by %(sum)s"),
    MoneyEvent.WAIVED: lambda: gettext("%(sum)s waived"),
    MoneyEvent.FEE: lambda: gettext("Fee of %(sum)s"),
    MoneyEvent.LINK: lambda: gettext("Link to pay sent"),
    MoneyEvent.PAYMENT_WAIVED: lambda: gettext("%(sum)s in advance waived"),
    MoneyEvent.CARD_WAIVED: lambda: gettext("Card on file waived"),
    MoneyEvent.CHARGE_FAILED: lambda: gettext("%(sum)s could not be charged"),
    MoneyEvent.REFUND_FAILED: lambda: gettext("%(sum)s could not be returned"),
    MoneyEvent.NO_SHOW_UNDONE: lambda: gettext("No-show undone"),
}


def _money_text(event: BookingEvent, booking: Booking) -> str:
    told = money_event(event)
    text = MONEY_WORDS[told]() if told else gettext("Money: %(sum)s")
    amount = event.details.get("amount_minor")
    if amount is None:
        return text if "%(sum)s" not in text else gettext("Money changed")
    return text % {"sum": visit.money(int(amount), booking)} if "%(sum)s" in text else text


def _moved_text(event: BookingEvent, booking: Booking) -> str:
    before, after = (_moment(event.details, side, booking) for side in ("from", "to"))
    if is_undo(event):
        return gettext("Move undone: back to %(after)s") % {"after": after}
    if before == after:
        return gettext("Reassigned")
    return gettext("Rescheduled from %(before)s to %(after)s") % {"before": before, "after": after}


def _length_text(event: BookingEvent, booking: Booking) -> str:
    before, after = event.details["from"], event.details["to"]
    words = {name: formats.minutes_text(side["minutes"]) for name, side in (("before", before), ("after", after))}
    text = gettext("Length changed from %(before)s to %(after)s") % words
    if before["total_minor"] == after["total_minor"]:
        return text
    sums = {name: visit.money(side["total_minor"], booking) for name, side in (("before", before), ("after", after))}
    return f"{text}, {gettext('price from %(before)s to %(after)s') % sums}"


def _with_exception(text: str, event: BookingEvent) -> str:
    """Add the rules that staff set aside."""
    overrides = event.details.get("overrides")
    return f"{text}. {exception_text(overrides)}" if overrides else text


def _moment(details: dict[str, Any], side: str, booking: Booking) -> str:
    return formats.moment_text(local(datetime.fromisoformat(details[side]["starts_at"]), booking))
