"""Bookings as rows of text, for the list of a day and for search results."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.booked import local
from bookings.enums import CALLED_OFF, BookingStatus
from bookings.models import Booking
from bookings.wording import appointment, visit
from core import formats
from payments.queries import Balance
from services.models import Location


@dataclass(frozen=True, slots=True)
class Row:
    """One booking. ``is_next`` marks the first one that has not begun; the line of the current time is above it."""

    url: str
    day: str
    starts: str
    ends: str
    name: str
    what: str
    who: str
    place: str
    status: str
    label: str
    is_arrived: bool
    is_over: bool
    money: str
    is_open: bool
    now: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in the line above the list. ``tone`` is warn where staff have to act."""

    number: str
    words: str
    tone: str = ""
    icon_name: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    figures: tuple[Figure, ...]
    rows: tuple[Row, ...]
    called_off: tuple[Row, ...]


def day_of(
    bookings: Sequence[Booking],
    balances: Mapping[int, Balance],
    *,
    on: date,
    today: date,
    now: datetime,
    place: Location | None,
    only_own: bool = False,
) -> Day:
    """``only_own``: the reader performs all these visits, so the rows name no staff member."""
    standing = [booking for booking in bookings if booking.status not in CALLED_OFF]
    next_up = next((booking for booking in standing if booking.starts_at > now), None) if on == today else None
    show_place = place is None
    return Day(
        title=formats.long_day_text(on),
        figures=tuple(_figures(standing, balances)),
        rows=tuple(
            row_of(
                booking,
                balances[booking.pk],
                now=now,
                show_place=show_place,
                show_who=not only_own,
                is_next=booking is next_up,
            )
            for booking in standing
        ),
        called_off=tuple(
            row_of(booking, balances[booking.pk], now=now, show_place=show_place, show_who=not only_own)
            for booking in bookings
            if booking.status in CALLED_OFF
        ),
    )


def row_of(
    booking: Booking,
    balance: Balance,
    *,
    now: datetime,
    show_place: bool = False,
    show_day: bool = False,
    show_who: bool = True,
    is_next: bool = False,
) -> Row:
    starts, ends = local(booking.starts_at, booking), local(booking.ends_at, booking)
    is_past = booking.status == BookingStatus.CONFIRMED and now >= booking.ends_at
    extras = visit.extras_text(booking)
    return Row(
        url=reverse("desk_booking", args=[booking.reference]),
        day=_day_text(starts.date(), local(now, booking).date()) if show_day else "",
        starts=formats.time_text(starts),
        ends=formats.time_text(ends),
        name=visit.customer_name(booking),
        what=f"{visit.what_text(booking)}, {extras}" if extras else visit.what_text(booking),
        who=", ".join(visit.staff_names(booking)) if show_who else "",
        place=booking.visit_address or (booking.location.text("name") if show_place else ""),
        status=booking.status,
        label=gettext("Past") if is_past else "",
        is_arrived=booking.arrived_at is not None,
        is_over=is_past or booking.status in {BookingStatus.COMPLETED, *CALLED_OFF},
        money=money_text(booking, balance),
        is_open=balance.open_minor > 0,
        now=formats.time_text(local(now, booking)) if is_next else "",
    )


def money_text(booking: Booking, balance: Balance) -> str:
    """Return the open sum, else the paid sum; empty without either."""
    if balance.open_minor:
        return gettext("%(sum)s open") % {"sum": visit.money(balance.open_minor, booking)}
    if balance.net_paid_minor > 0:
        return gettext("%(sum)s paid") % {"sum": visit.money(balance.net_paid_minor, booking)}
    return ""


def _figures(standing: Sequence[Booking], balances: Mapping[int, Balance]) -> list[Figure]:
    """Return the number of bookings, expected and open money for each currency, and what needs attention."""
    count = len(standing)
    figures = [Figure(str(count), ngettext("booking", "bookings", count))]
    for currency in dict.fromkeys(booking.currency for booking in standing):
        paid_in_it = [booking for booking in standing if booking.currency == currency]
        owed = sum(balances[booking.pk].owed_minor or booking.total_minor for booking in paid_in_it)
        still = sum(balances[booking.pk].open_minor for booking in paid_in_it)
        figures.append(Figure(formats.money_text(owed, currency, short=True), gettext("expected")))
        figures.append(Figure(formats.money_text(still, currency, short=True), gettext("open")))
    if asked := sum(booking.status == BookingStatus.REQUESTED for booking in standing):
        figures.append(Figure(str(asked), gettext("to answer"), "warn", "alert"))
    if unpaid := sum(booking.status == BookingStatus.PENDING_PAYMENT for booking in standing):
        figures.append(Figure(str(unpaid), gettext("waiting for payment"), "warn", "card"))
    return figures


def _day_text(on: date, today: date) -> str:
    return formats.day_text(on) if on.year == today.year else formats.full_day_text(on)


def what_and_who(booking: Booking) -> str:
    return " · ".join(filter(None, (visit.what_text(booking), ", ".join(visit.staff_names(booking)))))


def when_text(booking: Booking) -> str:
    return f"{visit.span_text(booking)}, {appointment.zone_words(booking)}"
