"""The pages of a therapist as text: the next customer, the day, the week, a visit with its notes."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils.translation import gettext, ngettext

from bookings.booked import local
from bookings.enums import BookingStatus
from bookings.models import Booking, FollowUp
from bookings.wording import visit
from core import formats
from core.minutes import instant, minute_of
from dashboard.calendar.days import FreeTime
from dashboard.me.queries import Me
from dashboard.presenters.booking import note_title
from dashboard.schedule.presenter import when_text, zone_text
from services.enums import Weekday
from services.models import Location
from staff.enums import TimeOffStatus
from staff.models import TimeOff, WorkingHours

_DONE = frozenset({BookingStatus.COMPLETED, BookingStatus.NO_SHOW})


@dataclass(frozen=True, slots=True)
class Row:
    """A visit, or with ``gap`` the free time before the next one. ``now`` is the current time if its line goes here."""

    starts: str
    ends: str
    name: str = ""
    what: str = ""
    place: str = ""
    url: str = ""
    status: str = ""
    is_arrived: bool = False
    is_over: bool = False
    lacks_note: bool = False
    gap: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Next:
    """The current visit, else the next one. ``last`` is the latest earlier visit that has a note."""

    headline: str
    reference: str
    status: str
    is_arrived: bool
    name: str
    when: str
    what: str
    where: str
    note: str
    note_title: str
    last: "Note | None"
    visits: str
    url: str
    phone_url: str


@dataclass(frozen=True, slots=True)
class Note:
    """A note about a visit: its day and service, the text, the author."""

    day: str
    what: str
    text: str
    author: str


@dataclass(frozen=True, slots=True)
class ToDo:
    pk: int
    text: str
    due: str
    reference: str
    name: str
    is_late: bool


def me_url(*, view: str = "day", on: date | None = None, today: date | None = None) -> str:
    query = {"view": view} if view != "day" else {}
    if on and on != today:
        query["on"] = on.isoformat()
    return f"{reverse('desk_me')}?{urlencode(query)}" if query else reverse("desk_me")


def next_visit(bookings: Iterable[Booking], now: datetime) -> Booking | None:
    """Return the current visit, else the first that is not over: a customer who is late is still next."""
    live = [each for each in bookings if each.status in {BookingStatus.CONFIRMED, BookingStatus.STARTED}]
    started = next((each for each in live if each.status == BookingStatus.STARTED), None)
    return started or next((each for each in live if each.ends_at > now), None)


def next_card(booking: Booking, earlier: Sequence[Booking], me: Me, *, now: datetime) -> Next:
    return Next(
        headline=_headline(booking, now),
        reference=booking.reference,
        status=booking.status,
        is_arrived=booking.arrived_at is not None,
        name=visit.customer_name(booking),
        when=visit.span_text(booking),
        what=_what(booking),
        where=booking.visit_address or (booking.location.text("name") if len(me.places) > 1 else ""),
        note=booking.customer_note,
        note_title=note_title(booking),
        last=next(iter(notes_of(earlier)), None),
        visits=ngettext("%(count)d earlier visit", "%(count)d earlier visits", len(earlier)) % {"count": len(earlier)}
        if earlier
        else gettext("First visit"),
        url=reverse("desk_booking_visit", args=[booking.reference]),
        phone_url=formats.phone_href(booking.contact_phone) if booking.contact_phone else "",
    )


def _headline(booking: Booking, now: datetime) -> str:
    if booking.status == BookingStatus.STARTED:
        return gettext("In progress")
    minutes = int((booking.starts_at - now).total_seconds()) // 60
    if minutes <= 0:
        return gettext("Now")
    return gettext("Next in %(time)s") % {"time": formats.hours_text(minutes)}


def notes_of(earlier: Iterable[Booking]) -> list[Note]:
    """Return the notes of earlier visits, latest first. Visits without a note are left out."""
    found = []
    for booking in earlier:
        note = getattr(booking, "session_note", None)
        if note and note.text:
            day = formats.full_day_text(local(booking.starts_at, booking).date())
            found.append(Note(day, _what(booking), note.text, note.author_name))
    return found


def day_of(bookings: Sequence[Booking], free: Sequence[FreeTime], on: date, me: Me, *, now: datetime) -> Day:
    """Return the visits of one local day with the free time between them."""
    rows: list[Row] = []
    is_today = now.astimezone(me.zone).date() == on
    before: Booking | None = None
    has_now = not is_today
    for booking in bookings:
        if before:
            low, high = minute_of(before.starts_at), minute_of(booking.starts_at)
            rows += [_gap(each, me) for each in free if low <= each.low < high]
        is_next = not has_now and booking.ends_at > now
        has_now = has_now or is_next
        rows.append(_row(booking, me, now=now, is_next=is_next))
        before = booking
    return Day(formats.long_day_text(on), tuple(rows))


def days_of(
    bookings: Sequence[Booking], free: Sequence[FreeTime], first: date, count: int, me: Me, *, now: datetime
) -> list[Day]:
    by_day: dict[date, list[Booking]] = {}
    for booking in bookings:
        by_day.setdefault(booking.starts_at.astimezone(me.zone).date(), []).append(booking)
    days = (first + timedelta(days=days) for days in range(count))
    return [day_of(by_day.get(day, []), free, day, me, now=now) for day in days]


def week_of(on: date) -> date:
    """Return the Monday of the week of a date."""
    return on - timedelta(days=on.weekday())


def _gap(free: FreeTime, me: Me) -> Row:
    starts = instant(free.low).astimezone(me.zone_at(free.place))
    text = gettext("Free for %(time)s") % {"time": formats.hours_text(free.high - free.low)}
    return Row(formats.time_text(starts), "", gap=text)


def _row(booking: Booking, me: Me, *, now: datetime, is_next: bool) -> Row:
    has_note = bool(getattr(booking, "session_note", None) and booking.session_note.text)
    return Row(
        starts=formats.time_text(local(booking.starts_at, booking)),
        ends=formats.time_text(local(booking.ends_at, booking)),
        name=visit.customer_name(booking),
        what=_what(booking),
        place=booking.visit_address or (booking.location.text("name") if len(me.places) > 1 else ""),
        url=reverse("desk_booking_visit", args=[booking.reference]),
        status=booking.status,
        is_arrived=booking.arrived_at is not None,
        is_over=booking.status in _DONE,
        lacks_note=booking.status == BookingStatus.COMPLETED and not has_note,
        now=formats.time_text(now.astimezone(me.zone)) if is_next else "",
    )


def _what(booking: Booking) -> str:
    return ", ".join(filter(None, (visit.what_text(booking), visit.extras_text(booking))))


def to_do(follow_ups: Iterable[FollowUp], today: date) -> list[ToDo]:
    return [
        ToDo(
            pk=each.pk,
            text=each.text,
            due=formats.near_day_text(each.due_on, today) if each.due_on else "",
            reference=each.booking.reference,
            name=each.booking.contact_name,
            is_late=each.due_on is not None and each.due_on < today,
        )
        for each in follow_ups
    ]


def hours_rows(hours: Iterable[WorkingHours]) -> list[tuple[str, str, str]]:
    """Return rows of weekday, hours and place: "Monday", "09:00–13:00, 14:00–18:00", "Kreuzberg"."""
    spans: dict[tuple[int, Location], list[str]] = {}
    for each in hours:
        end = formats.clock_text(each.end_minute)
        spans.setdefault((each.weekday, each.location), []).append(f"{formats.clock_text(each.start_minute)}–{end}")
    return [
        (str(Weekday(weekday).label), ", ".join(found), place.text("name")) for (weekday, place), found in spans.items()
    ]


def clock_choices(clocks: Mapping[ZoneInfo, Sequence[Location]]) -> list[tuple[str, str]]:
    """Return the zones to choose from with their places: ("Europe/Berlin", "Kreuzberg, Mitte · Berlin time")."""
    return [
        (zone.key, " · ".join(filter(None, (", ".join(place.text("name") for place in places), zone_text(zone)))))
        for zone, places in clocks.items()
    ]


def time_off_rows(times: Iterable[TimeOff], zone: ZoneInfo, *, names_zone: bool) -> list[tuple[str, str, str]]:
    """Return rows of time in ``zone``, reason and the state of the request."""
    words = {
        TimeOffStatus.REQUESTED: gettext("waiting for approval"),
        TimeOffStatus.APPROVED: gettext("approved"),
        TimeOffStatus.DECLINED: gettext("declined"),
    }
    return [
        (
            when_text(each, zone, names_zone=names_zone),
            each.reason,
            words[TimeOffStatus(each.status)],
        )
        for each in times
    ]
