"""The morning mail with a staff member's day: visits in order, and the gaps between them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from email.utils import parseaddr
from itertools import groupby

from django.conf import settings
from django.utils.translation import get_language, ngettext

from accounts.contact.given_names import first_name
from bookings import booked
from bookings.enums import EXPECTED
from bookings.links import LinkRole, manage_url
from bookings.messages.contexts import brand_colours
from bookings.models import BookingLine
from bookings.refs import number_of
from bookings.wording import appointment
from core.formats import full_day_text, hours_text, span_text
from notifications.requests import ContextRequest, MessageContext
from services.models import Business
from services.queries import the_business
from staff.models import StaffMember

SHORTEST_GAP_MINUTES = 15
# No time zone is further from UTC than this.
_MOST_HOURS_OFF = timedelta(hours=15)


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit of the day as shown to its staff member. Times are local to the location."""

    starts_at: datetime
    ends_at: datetime
    customer: str
    what: str
    place: str
    party: str
    has_note: bool
    manage_url: str
    gap_minutes: int = 0

    @property
    def gap(self) -> str:
        """Return the free time before this visit as text; empty when it is shorter than SHORTEST_GAP_MINUTES."""
        return hours_text(self.gap_minutes) if self.gap_minutes >= SHORTEST_GAP_MINUTES else ""


def agenda_context(request: ContextRequest) -> MessageContext | None:
    """Read a staff member's day (``details["on"]``) for the mail of subject ``staff:<id>``.

    Returns None when the day is over, when nothing is booked, or when the staff member no longer works here. Runs five
    queries.
    """
    person = StaffMember.objects.select_related("user").filter(pk=number_of(request.subject_ref)).first()
    on = date.fromisoformat(request.details["on"])
    if person is None or not person.works_here:
        return None
    context = agenda_of(person, on, the_business())
    if context is None or context.variables["visits"][-1].ends_at <= request.now:
        return None
    return context


def agenda_of(person: StaffMember, on: date, business: Business) -> MessageContext | None:
    """Return the mail with a staff member's day; None when nothing is booked."""
    visits = visits_of(person, on, business)
    if not visits:
        return None
    variables = {
        "business": business.text("name"),
        "business_email": business.email or parseaddr(settings.DEFAULT_FROM_EMAIL)[1],
        "business_url": settings.SITE_URL,
        "brand": brand_colours(business.brand_colour),
        "language": get_language(),
        "first_name": person.short_name,
        "day": full_day_text(on),
        "count": ngettext("%(count)d visit", "%(count)d visits", len(visits)) % {"count": len(visits)},
        "visits": visits,
        "place": None,
    }
    words = {
        **{name: str(variables[name]) for name in ("first_name", "business", "day", "count")},
        "visits": "\n".join(_line(visit) for visit in visits),
    }
    return MessageContext(
        template="agenda_staff",
        variables=variables,
        words=words,
        link=visits[0].manage_url,
        sender_name=business.text("name"),
        reply_to=business.email,
    )


def visits_of(person: StaffMember, on: date, business: Business) -> list[Visit]:
    """Return the staff member's visits that begin on a local day of their locations, in order. Runs three queries."""
    first = datetime.combine(on, time(), UTC)
    lines = (
        BookingLine.objects.filter(
            staff_member=person,
            booking__status__in=EXPECTED,
            starts_at__gte=first - _MOST_HOURS_OFF,
            starts_at__lt=first + timedelta(days=1) + _MOST_HOURS_OFF,
        )
        .select_related("booking__location", "staff_member")
        .order_by("starts_at", "position")
    )
    of_day = [line for line in lines if booked.local(line.starts_at, line.booking).date() == on]
    grouped = (list(group) for _, group in groupby(of_day, key=lambda line: line.booking_id))
    return list(with_gaps(_visit(group, business) for group in grouped))


def with_gaps(visits: Iterable[Visit]) -> Iterator[Visit]:
    """Set on each visit the free minutes since the previous one; the first visit gets none."""
    free_from: datetime | None = None
    for visit in visits:
        gap = (visit.starts_at - free_from) // timedelta(minutes=1) if free_from else 0
        yield replace(visit, gap_minutes=max(0, gap))
        free_from = max(free_from, visit.ends_at) if free_from else visit.ends_at


def _visit(lines: Sequence[BookingLine], business: Business) -> Visit:
    """Return the staff member's lines of one booking as one visit."""
    booking = lines[0].booking
    place = appointment.place(booking, business, for_staff=True)
    return Visit(
        starts_at=booked.local(lines[0].starts_at, booking),
        ends_at=booked.local(max(line.ends_at for line in lines), booking),
        customer=first_name(booking.contact_name),
        what=", ".join(" ".join(filter(None, (appointment.what(line), appointment.extras(line)))) for line in lines),
        place=place.name,
        party=appointment.party_words(booking),
        has_note=bool(booking.customer_note),
        manage_url=manage_url(booking, LinkRole.STAFF),
    )


def _line(visit: Visit) -> str:
    return " · ".join(
        filter(None, (span_text(visit.starts_at, visit.ends_at), visit.customer, visit.what, visit.place))
    )
