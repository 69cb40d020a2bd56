"""An appointment in words: what, when, who and where, in the active language and the location's zone.

Used by messages and calendar entries. Reads what was loaded with the booking and runs no queries.
"""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, ngettext, pgettext

from bookings.booked import local, zone_of
from bookings.enums import CALLED_OFF
from bookings.models import Booking, BookingLine
from core.formats import day_text, minutes_text, time_text
from core.zones import city
from services.enums import Delivery
from services.models import Business


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the visit. ``starts_at`` is local; ``who`` is empty where no staff member is needed."""

    what: str
    extras: str
    who: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """Where the visit takes place. ``address`` is one line; ``hint`` says how to get in."""

    name: str
    address: str
    hint: str
    directions_url: str
    phone: str


def zone_words(booking: Booking) -> str:
    """Return the zone in words, such as "Berlin time"."""
    return gettext("%(city)s time") % {"city": city(zone_of(booking))}


def until_words(starts_at: datetime, ends_at: datetime) -> str:
    """Return the end, such as "until 15:40", with the day where the visit goes past midnight.

    Both datetimes are local.
    """
    if starts_at.date() == ends_at.date():
        return gettext("until %(time)s") % {"time": time_text(ends_at)}
    return gettext("until %(day)s, %(time)s") % {"day": day_text(ends_at.date()), "time": time_text(ends_at)}


def steps(booking: Booking, *, staff_member_id: int | None = None) -> list[Step]:
    """Return the lines of the visit in order; with ``staff_member_id`` only those of that staff member."""
    return [
        Step(what(line), extras(line), who(line), local(line.starts_at, booking))
        for line in booking.lines.all()
        if staff_member_id is None or line.staff_member_id == staff_member_id
    ]


def span(booking: Booking, *, staff_member_id: int | None = None) -> tuple[datetime, datetime]:
    """Return start and end of the visit in UTC; with a staff member, those of their lines."""
    lines = [line for line in booking.lines.all() if staff_member_id and line.staff_member_id == staff_member_id]
    if not lines:
        return booking.starts_at, booking.ends_at
    return min(line.starts_at for line in lines), max(line.ends_at for line in lines)


def what(line: BookingLine) -> str:
    """Return service and length, such as "Deep tissue massage, 60 min".

    Minutes of extras are not counted: the extras are named.
    """
    extra_minutes = sum(int(add_on.get("extra_minutes", 0)) for add_on in line.add_ons)
    minutes = sum(int(length) for _, length in line.phases) - extra_minutes
    detail = line.variant_name or minutes_text(minutes)
    return pgettext("service and length", "%(service)s, %(detail)s") % {"service": line.service_name, "detail": detail}


def extras(line: BookingLine) -> str:
    """Return the extras, such as "with hot towel wrap"; empty without extras."""
    names = [str(add_on["name"]) for add_on in line.add_ons]
    if not names:
        return ""
    return gettext("with %(extras)s") % {"extras": ", ".join(names)}


def who(line: BookingLine) -> str:
    return line.staff_member.name if line.staff_member else ""


def party_words(booking: Booking) -> str:
    """Return the number of people, such as "for 2 people"; empty for one."""
    if booking.party_size < 2:
        return ""
    return ngettext("for %(count)d person", "for %(count)d people", booking.party_size) % {"count": booking.party_size}


def place(booking: Booking, business: Business, *, for_staff: bool = False) -> Place:
    """Return the location, or how the visit is held if the customer does not come to the location.

    ``for_staff``: words for the staff member who performs it.
    """
    location = booking.location
    phone = location.phone or business.phone
    if booking.delivery == Delivery.LOCATION:
        hint = location.text("arrival_hint")
        return Place(location.text("name"), location.text("address"), hint, location.directions_url, phone)
    if booking.delivery == Delivery.CUSTOMER:
        name = gettext("At the customer's address") if for_staff else gettext("At your address")
        return Place(name, booking.visit_address, "", "", phone)
    if booking.delivery == Delivery.PHONE:
        call = gettext("You call the customer.") if for_staff else gettext("We call you at the agreed time.")
        return Place(gettext("By phone"), call, "", "", phone)
    return Place(gettext("Online"), meeting_url(booking) or _no_link_yet(booking, for_staff=for_staff), "", "", phone)


def _no_link_yet(booking: Booking, *, for_staff: bool) -> str:
    if booking.status in CALLED_OFF:
        return ""
    if for_staff:
        return gettext("You have no meeting link yet: send the customer one.")
    return gettext("We send you the link.")


def is_met(booking: Booking) -> bool:
    """Return whether customer and staff meet, so that the customer can pay at the visit."""
    return booking.delivery in {Delivery.LOCATION, Delivery.CUSTOMER}


def meeting_url(booking: Booking) -> str:
    """Return the link of an online visit.

    It is the link of the staff member who performs the visit now, whatever it was at the time of booking. If no staff
    member performs it, the booking's own link counts.
    """
    if booking.delivery != Delivery.ONLINE:
        return booking.meeting_url
    people = [line.staff_member for line in booking.lines.all() if line.staff_member]
    return next((person.meeting_url for person in people if person.meeting_url), "" if people else booking.meeting_url)


def preparations(booking: Booking) -> list[str]:
    """Return what to do before the visit, each text once."""
    return list(dict.fromkeys(line.preparation.strip() for line in booking.lines.all() if line.preparation.strip()))
