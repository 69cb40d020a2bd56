"""The list of customers as text: rows, filters, sort order, links to the previous and next page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from accounts.contact.phones import phone_text
from accounts.models import Customer
from bookings.booked import local
from bookings.models import Booking
from core import formats
from dashboard.customers.listing import SHOWN, Line, Seen
from dashboard.lists.address import Asked
from dashboard.lists.pages import MOST_COUNTED, Found
from dashboard.lists.presenter import Link, ListFrame, address, frame_of
from dashboard.visits import reach_note


@dataclass(frozen=True, slots=True)
class Row:
    """One customer. ``tone`` is the colour of the avatar."""

    url: str
    name: str
    tone: int
    phone: str
    email: str
    tags: tuple[str, ...]
    is_blocked: bool
    visits: str
    last: str
    last_ago: str
    next: str
    added: str


@dataclass(frozen=True, slots=True)
class Page:
    """``typed`` is what was searched for. ``hidden`` keeps the other filters when the search is sent. ``reach``
    says whose visits are counted, empty if all.
    """

    rows: tuple[Row, ...]
    list: ListFrame
    typed: str
    hidden: tuple[tuple[str, str], ...]
    reach: str
    shows: tuple[Link, ...]
    tags: tuple[Link, ...]


def page_of(
    found: Found[Customer],
    seen: Mapping[int, Seen],
    asked: Asked[Line],
    tags: Sequence[str],
    *,
    now: datetime,
    zone: ZoneInfo,
    may_export: bool,
) -> Page:
    """``zone`` is that of the reader, for days that belong to no visit."""
    url = reverse("desk_customers")
    csv_url = reverse("desk_customers_csv") if may_export else ""
    chosen, tag = asked.value("show"), asked.value("tag")
    return Page(
        rows=tuple(_row(customer, seen[customer.pk], now, zone) for customer in found.rows),
        list=frame_of(asked, found, url=url, csv_url=csv_url, count=_count(found.count)),
        typed=asked.value("q"),
        hidden=tuple((name, value) for name, value in {**asked.values, **asked.sorted_by}.items() if name != "q"),
        reach=reach_note(next(iter(seen.values())).visits.reach) if seen else "",
        shows=tuple(
            Link(str(label), address(url, asked.query(show=show)), chosen == show) for show, label in SHOWN.items()
        ),
        tags=tuple(
            Link(each, address(url, asked.query(tag="" if tag == each else each)), tag == each)
            for each in dict.fromkeys([*filter(None, [tag]), *tags])
        ),
    )


def visits_text(came: int, missed: int) -> str:
    """Return text such as "9 visits, missed 1"."""
    parts = [ngettext("%(count)d visit", "%(count)d visits", came) % {"count": came}] if came else []
    if missed:
        parts.append(ngettext("missed %(count)d", "missed %(count)d", missed) % {"count": missed})
    return ", ".join(parts) or gettext("No visit yet")


def _row(customer: Customer, seen: Seen, now: datetime, zone: ZoneInfo) -> Row:
    return Row(
        url=reverse("desk_customer", args=[customer.reference]),
        name=customer.name or gettext("No name given"),
        tone=customer.pk,
        phone=phone_text(customer.phone) if customer.phone else "",
        email=customer.email,
        tags=tuple(customer.tags),
        is_blocked=customer.is_blocked,
        visits=visits_text(seen.visits.came, seen.visits.missed),
        last=_day(seen.last, now) if seen.last else "",
        last_ago=_ago(seen.last, now) if seen.last else "",
        next=formats.moment_text(local(seen.next.starts_at, seen.next)) if seen.next else "",
        added=_day_text(customer.created_at.astimezone(zone).date(), now.astimezone(zone).date()),
    )


def _day(booking: Booking, now: datetime) -> str:
    return _day_text(local(booking.starts_at, booking).date(), local(now, booking).date())


def _day_text(on: date, today: date) -> str:
    return formats.day_text(on) if on.year == today.year else formats.full_day_text(on)


def _ago(booking: Booking, now: datetime) -> str:
    return formats.ago_text((local(now, booking).date() - local(booking.starts_at, booking).date()).days)


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("More than %(count)s customers") % {"count": formats.number_text(MOST_COUNTED)}
    return ngettext("%(count)d customer", "%(count)d customers", count) % {"count": count}
