"""A booking in words and amounts for the pages of its customer. Texts come in the active language.

Facts in, texts out: no clock, and no queries except those of ``queries.booking_page``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.utils.translation import gettext

from bookings.booked import local
from bookings.models import Booking, BookingLine
from bookings.rules import pricing
from bookings.wording import appointment
from core import formats
from core.references import spoken
from services.enums import Delivery
from services.models import Business

_GOOGLE = "https://calendar.google.com/calendar/render"
_OUTLOOK = "https://outlook.live.com/calendar/0/deeplink/compose"
_PLACE_ICONS = {
    Delivery.LOCATION: "pin",
    Delivery.CUSTOMER: "home",
    Delivery.PHONE: "phone",
    Delivery.ONLINE: "video",
}


@dataclass(frozen=True, slots=True)
class MoneyLine:
    """One line of a ledger. ``note`` is small text under the label.

    ``add_on_id`` is set where the customer may remove the line.
    """

    label: str
    sum: str
    kind: str = ""
    add_on_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A service, staff member or location, with its icon."""

    icon_name: str
    text: str
    more: str = ""
    link_url: str = ""
    link_label: str = ""


def customer_name(booking: Booking) -> str:
    """Return the name as staff read it; words where there is none, because none was given or it was erased."""
    if booking.contact_name:
        return booking.contact_name
    return gettext("Erased customer") if booking.anonymised_at else gettext("No name given")


def when_text(booking: Booking) -> str:
    """Return the start, such as "Fri 27 Nov, 14:30"."""
    return formats.moment_text(local(booking.starts_at, booking))


def until_text(booking: Booking) -> str:
    """Return the end, such as "until 15:40", with the day when the visit ends on another one."""
    return appointment.until_words(local(booking.starts_at, booking), local(booking.ends_at, booking))


def span_text(booking: Booking) -> str:
    """Return start and end, such as "Fri 27 Nov 2026, 14:30–15:40"."""
    starts, ends = local(booking.starts_at, booking), local(booking.ends_at, booking)
    end = formats.time_text(ends) if starts.date() == ends.date() else formats.moment_text(ends)
    return f"{formats.full_day_text(starts.date())}, {formats.time_text(starts)}–{end}"


def ahead_text(booking: Booking, now: datetime) -> str:
    """Return the time until the visit, such as "in 3 days"; empty once the visit has begun.

    It follows the calendar of the location: tomorrow is tomorrow even if it is 30 hours away.
    """
    if now >= booking.starts_at:
        return ""
    days = (local(booking.starts_at, booking).date() - local(now, booking).date()).days
    if days == 0:
        return formats.until_text(max(1, int((booking.starts_at - now) / timedelta(minutes=1))))
    return gettext("tomorrow") if days == 1 else formats.until_text(days * 1440)


def what_text(booking: Booking) -> str:
    return " + ".join(appointment.what(line) for line in booking.lines.all())


def extras_text(booking: Booking) -> str:
    """Return the extras, such as "with hot towel wrap"; empty without extras."""
    return ", ".join(filter(None, (appointment.extras(line) for line in booking.lines.all())))


def staff_names(booking: Booking) -> list[str]:
    return list(dict.fromkeys(filter(None, (appointment.who(line) for line in booking.lines.all()))))


def staff_short_name(booking: Booking) -> str:
    """The first name of the staff member; empty when there are several or none."""
    names = {line.staff_member.short_name for line in booking.lines.all() if line.staff_member}
    return names.pop() if len(names) == 1 else ""


def where_text(booking: Booking, business: Business, *, for_staff: bool = False) -> str:
    place = appointment.place(booking, business, for_staff=for_staff)
    if booking.delivery == Delivery.LOCATION:
        return ", ".join(filter(None, (place.address, place.name)))
    return place.name


def facts(booking: Booking, business: Business) -> list[Fact]:
    """Return service, staff member and location for the status card."""
    found = [Fact("document", what_text(booking), extras_text(booking))]
    found += [Fact("user", name) for name in staff_names(booking)]
    if people := appointment.party_words(booking):
        found.append(Fact("users", people[:1].upper() + people[1:]))
    return [*found, place_fact(booking, business)]


def place_fact(booking: Booking, business: Business) -> Fact:
    """Return where the visit is and how to get there, or how it is held."""
    place = appointment.place(booking, business)
    icon = _PLACE_ICONS[Delivery(booking.delivery)]
    if booking.delivery == Delivery.LOCATION:
        label = gettext("Directions") if place.directions_url else ""
        return Fact(icon, where_text(booking, business), place.hint, place.directions_url, label)
    if meeting_url := appointment.meeting_url(booking):
        return Fact(icon, place.name, "", meeting_url, gettext("Join"))
    return Fact(icon, place.name, place.address)


def later_label(booking: Booking) -> str:
    return gettext("To pay at the visit") if appointment.is_met(booking) else gettext("To pay later")


def rest_label(booking: Booking) -> str:
    return gettext("Rest at the visit") if appointment.is_met(booking) else gettext("Rest, to pay later")


def price_lines(booking: Booking, *, marks_at_visit: bool = False) -> list[MoneyLine]:
    """Return every line with its price as the business states prices, the total, and the tax in it or on it.

    ``marks_at_visit``: note on extras that they are paid at the visit, because other items are paid before.
    """
    lines = list(booking.lines.all())
    quote = pricing.quote(
        [priced for line in lines for priced in _priced(line)],
        prices_include_tax=booking.prices_include_tax,
        currency=booking.currency,
    )
    add_on_ids = [number for line in lines for number in (None, *(add_on["id"] for add_on in line.add_ons))]
    later = gettext("paid at the visit") if appointment.is_met(booking) else gettext("paid later")
    shown = [
        MoneyLine(
            quoted.text,
            money(_stated(booking, quoted), booking),
            add_on_id=number,
            note=later if marks_at_visit and quoted.is_paid_at_visit else "",
        )
        for quoted, number in zip(quote.lines, add_on_ids, strict=True)
    ]
    taxes = [(_rate(points), money(tax, booking)) for points, tax in quote.taxes]
    reduced_minor = quote.total_minor - booking.total_minor
    reduced = [MoneyLine(gettext("Reduced by"), money(reduced_minor, booking))] if reduced_minor else []
    total = MoneyLine(gettext("Total"), money(booking.total_minor, booking), "total")
    if booking.prices_include_tax and reduced:
        return [*shown, *reduced, total, MoneyLine(gettext("Includes tax"), money(booking.tax_minor, booking), "tax")]
    if booking.prices_include_tax:
        inside = [MoneyLine(gettext("Includes %(rate)s tax") % {"rate": rate}, tax, "tax") for rate, tax in taxes]
        return [*shown, total, *inside]
    return [*shown, *(MoneyLine(gettext("%(rate)s tax") % {"rate": rate}, tax) for rate, tax in taxes), *reduced, total]


def money(amount_minor: int, booking: Booking) -> str:
    """Return an amount in the booking's currency, with its decimals."""
    return formats.money_text(amount_minor, booking.currency)


def google_url(booking: Booking, business: Business) -> str:
    """Return a Google Calendar page that offers the visit as a new entry. It has no link that could change anything."""
    fields = {
        "action": "TEMPLATE",
        "text": what_text(booking),
        "dates": f"{_stamp(booking.starts_at, '%Y%m%dT%H%M%SZ')}/{_stamp(booking.ends_at, '%Y%m%dT%H%M%SZ')}",
        "location": where_text(booking, business),
        "details": _calendar_note(booking),
    }
    return f"{_GOOGLE}?{urlencode(fields)}"


def outlook_url(booking: Booking, business: Business) -> str:
    """Return the same for Outlook's calendar on the web."""
    fields = {
        "path": "/calendar/action/compose",
        "rru": "addevent",
        "subject": what_text(booking),
        "startdt": _stamp(booking.starts_at, "%Y-%m-%dT%H:%M:%SZ"),
        "enddt": _stamp(booking.ends_at, "%Y-%m-%dT%H:%M:%SZ"),
        "location": where_text(booking, business),
        "body": _calendar_note(booking),
    }
    return f"{_OUTLOOK}?{urlencode(fields)}"


def _stamp(moment: datetime, pattern: str) -> str:
    return moment.astimezone(UTC).strftime(pattern)


def _calendar_note(booking: Booking) -> str:
    return gettext("Reference %(reference)s") % {"reference": spoken(booking.reference)}


def _priced(line: BookingLine) -> list[pricing.PricedLine]:
    rate = line.tax_basis_points
    extras = [
        pricing.PricedLine(
            _extra_text(add_on),
            add_on["price_minor"],
            rate,
            is_paid_at_visit=add_on.get("is_paid_at_visit", True),
        )
        for add_on in line.add_ons
    ]
    return [pricing.PricedLine(appointment.what(line), line.price_minor, rate), *extras]


def _extra_text(add_on: Mapping[str, Any]) -> str:
    minutes = int(add_on["extra_minutes"])
    return f"{add_on['name']}, +{formats.minutes_text(minutes)}" if minutes else str(add_on["name"])


def _stated(booking: Booking, quoted: pricing.QuoteLine) -> int:
    return quoted.gross_minor if booking.prices_include_tax else quoted.net_minor


def _rate(basis_points: int) -> str:
    whole, rest = divmod(basis_points, 100)
    return formats.percent_text(whole) if not rest else f"{basis_points / 100:g} %"
