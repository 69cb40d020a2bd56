"""The page that moves a booking: the picker with only day and time to choose."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.translation import gettext

from bookings import booked
from bookings.availability.engine import FEW_COUNT, DayMark, DayState
from bookings.booked import day_of, moment_at
from bookings.models import Booking
from bookings.wording.zones import zone_sentence
from core import formats
from core.minutes import minute_of
from storefront.catalogue import Place, ServiceOffer, VariantOffer
from storefront.presenters.calendar import calendar, merged_marks
from storefront.presenters.choice import Choice, read_choice
from storefront.presenters.times import Times, day_groups, day_view, more_url


def choice_of(booking: Booking, *, horizon_days: int, query: Mapping[str, str], now: datetime) -> Choice:
    """Return the picker's choice for a booking: its own service, length and place are fixed.

    ``query`` may name a day to show or to start from; the rest of it is ignored.
    """
    service, place = _service(booking, horizon_days), _place(booking)
    days = {name: query[name] for name in ("from", "day") if name in query}
    return read_choice(service, [place], days, now)


def move_page(
    choice: Choice,
    booking: Booking,
    *,
    marks: Mapping[int, Sequence[DayMark]],
    starts: Mapping[int, Sequence[int]],
    now: datetime,
    url: str,
    visitor_zone: ZoneInfo | None,
) -> dict[str, Any]:
    """Return groups of times, the chosen day, the calendar and the sentence about zones, in the shape of the picker.

    The booking's own time is not offered. Its day has a ring in the calendar.
    """
    own, on = minute_of(booking.starts_at), day_of(booking)
    offered = starts.get(booking.location_id, [])
    days = merged_marks(marks, choice.shown_places)
    if own in offered:
        days = {**days, on: _with_one_less(days[on])}
        starts = {booking.location_id: [start for start in offered if start != own]}
    times = Times(choice, starts, "")
    groups = list(day_groups(choice, days, times, url))
    return {
        "zone": zone_sentence(choice.shown_places[0].zone, visitor_zone, now),
        "day": day_view(choice, days, times, url),
        "groups": groups,
        "more_url": more_url(choice, groups, days, url),
        "calendar": calendar(choice, days, url, on),
    }


def slot_text(minute: int, booking: Booking) -> str:
    """Return an epoch minute as text such as "Sat 28 Nov, 10:00", on the clock of the booking's place."""
    return formats.moment_text(moment_at(minute, booking))


def moved_sentence(minute: int, booking: Booking, *, by_staff: bool) -> str:
    """Return the message after the move."""
    moved = gettext("Moved to %(when)s.") % {"when": slot_text(minute, booking)}
    if not booking.contact_email:
        return moved
    mail = gettext("The customer gets an e-mail.") if by_staff else gettext("An e-mail is on its way.")
    return f"{moved} {mail}"


def _with_one_less(mark: DayMark) -> DayMark:
    left = mark.free_count - 1
    state = DayState.FULL if not left else DayState.FEW if left <= FEW_COUNT else mark.state
    return mark._replace(free_count=left, state=state)


def _service(booking: Booking, horizon_days: int) -> ServiceOffer:
    line = booked.only_line(booking)
    variant = VariantOffer(id=line.variant_id, name="", minutes=0, price_minor=0, prices={})
    return ServiceOffer(
        id=line.variant.service_id,
        slug="",
        name=line.service_name,
        summary="",
        description="",
        picture_url="",
        icon="",
        category_id=0,
        needs_staff=line.staff_member_id is not None,
        location_ids=(booking.location_id,),
        variants=(variant,),
        people=(),
        horizon_days=horizon_days,
    )


def _place(booking: Booking) -> Place:
    place = booking.location
    return Place(
        id=place.pk,
        slug=place.slug,
        name=place.text("name"),
        address=place.address,
        directions_url="",
        phone="",
        zone=booked.zone_of(booking),
    )
