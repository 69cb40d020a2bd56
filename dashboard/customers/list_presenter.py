"""The list of customers as text: rows, filters, sort order, links to the previous and next page."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.contact.phones import phone_text
from accounts.models import Customer
from bookings.booked import local
from bookings.models import Booking
from core import formats
from core.csv import plain_cell
from dashboard.customers.listing import MOST_COUNTED, Asked, Found, Seen, Show, Sort

_SHOWN = {
    Show.ALL: _("All"),
    Show.AHEAD: _("With a visit ahead"),
    Show.MISSED: _("With a no-show"),
    Show.BLOCKED: _("Blocked"),
}
_SORTED = {Sort.NAME: _("Name"), Sort.VISIT: _("Latest visit"), Sort.ADDED: _("Newest")}


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


@dataclass(frozen=True, slots=True)
class Choice:
    label: str
    url: str
    is_on: bool


@dataclass(frozen=True, slots=True)
class Page:
    """``count`` is text. ``asked`` are hidden fields that keep the filters when a form is sent."""

    rows: tuple[Row, ...]
    count: str
    asked: Asked
    shows: tuple[Choice, ...]
    sorts: tuple[Choice, ...]
    sorted_by: str
    tags: tuple[Choice, ...]
    before_url: str
    after_url: str
    all_url: str
    csv_url: str
    is_empty_business: bool


def page_of(found: Found, seen: Mapping[int, Seen], asked: Asked, tags: Sequence[str], *, now: datetime) -> Page:
    return Page(
        rows=tuple(_row(customer, seen[customer.pk], now) for customer in found.customers),
        count=_count(found.count),
        asked=asked,
        shows=tuple(
            Choice(str(label), list_url(asked, show=show), asked.show == show) for show, label in _SHOWN.items()
        ),
        sorts=tuple(
            Choice(str(label), list_url(asked, sort=sort), asked.sort == sort) for sort, label in _SORTED.items()
        ),
        sorted_by=str(_SORTED[asked.sort]),
        tags=tuple(
            Choice(tag, list_url(asked, tag="" if asked.tag == tag else tag), asked.tag == tag)
            for tag in dict.fromkeys([*filter(None, [asked.tag]), *tags])
        ),
        before_url=list_url(asked, before=found.before) if found.before else "",
        after_url=list_url(asked, after=found.after) if found.after else "",
        all_url=reverse("desk_customers"),
        csv_url=f"{reverse('desk_customers_csv')}?{asked.query()}",
        is_empty_business=not found.customers and not asked.is_narrowed,
    )


def csv_rows(chunks: Iterable[tuple[Sequence[Customer], Mapping[int, Seen]]]) -> Iterator[list[str]]:
    """Yield the header, then one line for each customer. Days are those of the visit's place; no text is a formula."""
    yield ["name", "email", "phone", "language", "tags", "visits", "missed", "last visit", "next visit", "blocked"]
    for customers, seen in chunks:
        for customer in customers:
            of = seen[customer.pk]
            yield [
                plain_cell(customer.name),
                plain_cell(customer.email),
                plain_cell(customer.phone),
                customer.language,
                plain_cell(", ".join(customer.tags)),
                str(of.came),
                str(of.missed),
                local(of.last.starts_at, of.last).date().isoformat() if of.last else "",
                local(of.next.starts_at, of.next).date().isoformat() if of.next else "",
                "yes" if customer.is_blocked else "",
            ]


def list_url(asked: Asked, **changes: str) -> str:
    query = asked.query(**changes)
    return f"{reverse('desk_customers')}?{query}" if query else reverse("desk_customers")


def visits_text(came: int, missed: int) -> str:
    """Return text such as "9 visits, missed 1"."""
    parts = [ngettext("%(count)d visit", "%(count)d visits", came) % {"count": came}] if came else []
    if missed:
        parts.append(ngettext("missed %(count)d", "missed %(count)d", missed) % {"count": missed})
    return ", ".join(parts) or gettext("No visit yet")


def _row(customer: Customer, seen: Seen, now: datetime) -> Row:
    return Row(
        url=reverse("desk_customer", args=[customer.reference]),
        name=customer.name or gettext("No name given"),
        tone=customer.pk,
        phone=phone_text(customer.phone) if customer.phone else "",
        email=customer.email,
        tags=tuple(customer.tags),
        is_blocked=customer.is_blocked,
        visits=visits_text(seen.came, seen.missed),
        last=_day(seen.last, now) if seen.last else "",
        last_ago=_ago(seen.last, now) if seen.last else "",
        next=formats.moment_text(local(seen.next.starts_at, seen.next)) if seen.next else "",
    )


def _day(booking: Booking, now: datetime) -> str:
    on = local(booking.starts_at, booking).date()
    is_this_year = on.year == now.astimezone(ZoneInfo(booking.location.time_zone)).year
    return formats.day_text(on) if is_this_year else formats.full_day_text(on)


def _ago(booking: Booking, now: datetime) -> str:
    return formats.ago_text((local(now, booking).date() - local(booking.starts_at, booking).date()).days)


def _count(count: int) -> str:
    if count > MOST_COUNTED:
        return gettext("more than %(count)s customers") % {"count": formats.number_text(MOST_COUNTED)}
    return ngettext("%(count)d customer", "%(count)d customers", count) % {"count": count}
