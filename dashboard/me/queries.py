"""What a therapist reads about their own visits: days, earlier visits of a customer, follow-ups, time off."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Prefetch, Q, QuerySet

from bookings.enums import NOT_BOOKED, TOOK_PLACE
from bookings.models import Booking, BookingLine, FollowUp
from core.minutes import minute_of
from dashboard.calendar.days import FreeTime, index_of, person_day
from dashboard.calendar.facts import Sight
from dashboard.calendar.queries import calendar_facts
from dashboard.permissions import Rights
from services.models import Location
from staff.hours import local_day
from staff.models import StaffMember, TimeOff, WorkingHours, WorkingHoursException
from staff.queries import zone_of_resource

EARLIER = 5
LISTED = 200


@dataclass(frozen=True, slots=True)
class Me:
    """The signed-in therapist with the places they work at. The first place gives the time zone."""

    person: StaffMember
    places: tuple[Location, ...]

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.places[0].time_zone if self.places else "UTC")

    def zone_at(self, slug: str) -> ZoneInfo:
        """Return the time zone of a place of theirs."""
        return next((ZoneInfo(place.time_zone) for place in self.places if place.slug == slug), self.zone)


def me_of(rights: Rights) -> Me | None:
    """Return the therapist; None for a user with the role who is not on the team (any more). Two queries."""
    person = (
        StaffMember.objects.filter(pk=rights.staff_member_id).select_related("resource").first()
        if rights.staff_member_id
        else None
    )
    if person is None:
        return None
    own = Q(working_hours__staff_member=person) | Q(bookings__lines__staff_member=person)
    return Me(person, tuple(Location.objects.filter(own, is_active=True).distinct()))


def visits_between(me: Me, first: date, last: date) -> list[Booking]:
    """Return own bookings of the local days ``first`` to ``last`` (included), in the order of time. Three queries."""
    begins, _ = local_day(first, me.zone)
    _, ends = local_day(last, me.zone)
    own = Booking.objects.filter(lines__staff_member=me.person, starts_at__gte=begins, starts_at__lt=ends)
    listed = own.exclude(status__in=NOT_BOOKED).distinct()
    lines = BookingLine.objects.select_related("staff_member")
    return list(
        listed.select_related("location", "customer", "session_note")
        .prefetch_related(Prefetch("lines", lines))
        .order_by("starts_at", "pk")[:LISTED]
    )


def free_between(me: Me, first: date, last: date, now: datetime) -> list[FreeTime]:
    """Return the own time that can still be booked on the local days ``first`` to ``last`` (included), as the calendar
    shows it. Five statements at most.
    """
    if not me.places:
        return []
    until, sight = last + timedelta(days=1), Sight(frozenset(), me.person.pk)
    facts = calendar_facts(me.places, sight, from_on=first, until_on=until, now=now, staff_member_id=me.person.pk)
    index, dates = index_of(facts), [first + timedelta(days=number) for number in range((until - first).days)]
    return sorted(
        free
        for place_id in facts.windows
        for person in facts.people
        for on in dates
        for free in person_day(facts, index, person, [facts.places[place_id]], on, now=minute_of(now)).free
    )


def earlier_visits(booking: Booking) -> list[Booking]:
    """Return the customer's latest visits before this one, with session notes. Two queries at most.

    A therapist with a booking of the customer that is not cancelled also reads the notes of other therapists.
    """
    if booking.customer_id is None or booking.status in NOT_BOOKED:
        return []
    before = Booking.objects.filter(
        customer_id=booking.customer_id, starts_at__lt=booking.starts_at, status__in=TOOK_PLACE
    ).exclude(pk=booking.pk)
    lines = BookingLine.objects.select_related("staff_member")
    return list(
        before.select_related("location", "session_note")
        .prefetch_related(Prefetch("lines", lines))
        .order_by("-starts_at")[:EARLIER]
    )


def open_follow_ups(booking: Booking) -> list[FollowUp]:
    """Return the open follow-ups of the booking's customer, from this and other visits, as ``earlier_visits`` does.

    One query. A cancelled visit has no follow-ups.
    """
    if booking.status in NOT_BOOKED:
        return []
    of_customer = Q(booking=booking)
    if booking.customer_id:
        of_customer |= Q(booking__customer_id=booking.customer_id)
    waiting = FollowUp.objects.filter(of_customer, done_at=None)
    return list(waiting.exclude(booking__status__in=NOT_BOOKED).select_related("booking"))


def follow_ups_due(me: Me, today: date) -> list[FollowUp]:
    """Return open follow-ups of own visits that are due by tomorrow. One query."""
    due = FollowUp.objects.filter(done_at=None, due_on__lte=today + timedelta(days=1))
    due = due.exclude(booking__status__in=NOT_BOOKED)
    return list(due.filter(booking__lines__staff_member=me.person).select_related("booking").distinct()[:LISTED])


def clocks_of(me: Me) -> dict[ZoneInfo, list[Location]]:
    """Return the zones in which the therapist may type time off, each with the places where they have hours there.

    The first one is that of ``zone_of_resource``, in which managers read it. Four queries at most.
    """
    own = Q(working_hours__staff_member=me.person) | Q(pk__in=_dated_place_ids(me))
    clocks: dict[ZoneInfo, list[Location]] = {zone_of_resource(me.person.resource): []}
    for place in Location.objects.filter(own, is_active=True).distinct():
        clocks.setdefault(ZoneInfo(place.time_zone), []).append(place)
    return clocks


def _dated_place_ids(me: Me) -> QuerySet[WorkingHoursException, int]:
    dated = WorkingHoursException.objects.filter(staff_member=me.person, start_minute__isnull=False)
    return dated.values_list("location_id", flat=True)


def hours_of(me: Me) -> list[WorkingHours]:
    """Return the therapist's weekly hours with their places. One query."""
    return list(WorkingHours.objects.filter(staff_member=me.person).select_related("location"))


def time_off_of(me: Me, now: datetime) -> list[TimeOff]:
    """Return time off that is not over, the next first. One query."""
    return list(TimeOff.objects.filter(resource_id=me.person.resource_id, during__endswith__gt=now).order_by("during"))
