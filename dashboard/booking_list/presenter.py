"""The list of bookings as text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.booked import local
from bookings.models import Booking
from bookings.wording import visit
from core import formats
from dashboard.booking_list.listing import Line
from dashboard.lists.address import Asked
from dashboard.lists.pages import MOST_COUNTED, Found
from dashboard.lists.presenter import Link, ListFrame, address, frame_of, range_links
from dashboard.presenters import day
from payments.queries import Balance

_WEEK = timedelta(days=6)


@dataclass(frozen=True, slots=True)
class Row:
    """One booking. ``of`` is its row in any list; ``url`` leads back to this page of the list."""

    of: day.Row
    url: str
    booked: str
    channel: str
    price: str
    note: str


@dataclass(frozen=True, slots=True)
class Page:
    rows: tuple[Row, ...]
    list: ListFrame
    ranges: tuple[Link, ...]
    typed: str


def page_of(
    found: Found[Booking],
    balances: Mapping[int, Balance],
    asked: Asked[Line],
    *,
    now: datetime,
    today: date,
    has_places: bool,
    may_export: bool,
) -> Page:
    url = reverse("desk_bookings")
    back = urlencode({"back": address(url, asked.whole_query)})
    return Page(
        rows=tuple(_row(booking, balances[booking.pk], back, now=now, has_places=has_places) for booking in found.rows),
        list=frame_of(
            asked,
            found,
            url=url,
            count=_count(found.count),
            csv_url=reverse("desk_bookings_csv") if may_export else "",
        ),
        ranges=range_links(asked, url, ranges_of(today)),
        typed=asked.value("q"),
    )


def ranges_of(today: date) -> Sequence[tuple[str, date | None, date | None]]:
    return [
        (gettext("All days"), None, None),
        (gettext("Today"), today, today),
        (gettext("Next 7 days"), today, today + _WEEK),
        (gettext("Last 7 days"), today - _WEEK, today),
    ]


def _row(booking: Booking, balance: Balance, back: str, *, now: datetime, has_places: bool) -> Row:
    of = day.row_of(booking, balance, now=now, show_day=True, show_place=has_places)
    booked = local(booking.created_at, booking).date()
    is_this_year = booked.year == local(now, booking).year
    return Row(
        of=of,
        url=f"{of.url}?{back}",
        booked=formats.day_text(booked) if is_this_year else formats.full_day_text(booked),
        channel=str(booking.get_channel_display()),
        price=visit.money(booking.total_minor, booking),
        note=_paid_text(booking, balance),
    )


def _paid_text(booking: Booking, balance: Balance) -> str:
    """Return what is open, else what is paid, without the sum where it is the price; empty without either."""
    if balance.open_minor == booking.total_minor > 0:
        return gettext("open")
    if not balance.open_minor and balance.net_paid_minor == booking.total_minor > 0:
        return gettext("paid")
    return day.money_text(booking, balance)


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("More than %(count)s bookings") % {"count": formats.number_text(MOST_COUNTED)}
    return ngettext("%(count)d booking", "%(count)d bookings", count) % {"count": count}
