"""Reads of time off for staff members, rooms and devices that a user of the desk manages."""

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Q, QuerySet

from bookings.enums import NOT_BOOKED
from bookings.models import Allocation, Booking
from dashboard.permissions import Act, Rights, bookings_visible_to, location_ids_with
from services.models import Resource
from staff.enums import TimeOffStatus
from staff.models import TimeOff

MOST_LISTED = 100


def resources_run_by(rights: Rights, act: Act) -> QuerySet[Resource]:
    """Return the staff members who work where the user holds a right, and the rooms and devices there; all of them for
    a user who holds it everywhere.
    """
    return _resources_at(location_ids_with(rights, act))


def _resources_at(places: Collection[int] | None) -> QuerySet[Resource]:
    found = Resource.objects.filter(is_active=True).filter(Q(staff_member=None) | Q(staff_member__is_active=True))
    if places is not None:
        found = found.filter(Q(location_id__in=places) | Q(staff_member__working_hours__location_id__in=places))
    return found.select_related("staff_member", "location").distinct()


def time_off_ahead(rights: Rights, now: datetime) -> list[TimeOff]:
    """Return time off that is neither over nor declined: requests first, then by time. Two queries at most."""
    run = resources_run_by(rights, Act.BLOCK_TIME)
    listed = TimeOff.objects.filter(resource__in=run, during__endswith__gt=now)
    ahead = listed.exclude(status=TimeOffStatus.DECLINED).select_related("resource__staff_member", "resource__location")
    rows = list(ahead.order_by("during")[:MOST_LISTED])
    return sorted(rows, key=lambda row: row.status != TimeOffStatus.REQUESTED)


def time_off_asked(rights: Rights, now: datetime) -> int:
    """Count the requests that await the user's answer. One query."""
    return requests_at(location_ids_with(rights, Act.ANSWER_TIME_OFF), now).count()


def requests_at(places: Collection[int] | None, now: datetime) -> QuerySet[TimeOff]:
    """Return requests that are neither answered nor over, by the locations of their resources; None means all."""
    listed = TimeOff.objects.filter(resource__in=_resources_at(places).values("pk"), during__endswith__gt=now)
    return listed.filter(status=TimeOffStatus.REQUESTED)


def resource_ids_to_answer(rights: Rights) -> frozenset[int]:
    """Return the ids of the resources whose requests the user answers. One query."""
    return frozenset(resources_run_by(rights, Act.ANSWER_TIME_OFF).values_list("pk", flat=True))


def time_off_run_by(rights: Rights, act: Act, time_off_id: int) -> TimeOff | None:
    """Return one time off if the user holds the right for its resource, else None."""
    return TimeOff.objects.filter(pk=time_off_id, resource__in=resources_run_by(rights, act)).first()


def bookings_hit(rights: Rights, times: Collection[TimeOff]) -> dict[int, list[Booking]]:
    """Return the visible bookings that overlap each time off, by its id, in the order of time. Three queries."""
    if not times:
        return {}
    wanted = Q(pk__in=[])
    for each in times:
        wanted |= Q(resource_id=each.resource_id, busy__overlap=each.during)
    rows = Allocation.objects.filter(wanted, booking__in=bookings_visible_to(rights)).exclude(
        booking__status__in=NOT_BOOKED
    )
    found: dict[int, list[Booking]] = {each.pk: [] for each in times}
    with_lines = rows.select_related("booking__location").prefetch_related("booking__lines__staff_member")
    for row in with_lines.order_by("busy"):
        for each in times:
            if row.resource_id == each.resource_id and _overlap(row, each) and row.booking not in found[each.pk]:
                assert row.booking  # noqa: S101 (filtered above)
                found[each.pk].append(row.booking)
    return found


def _overlap(row: Allocation, each: TimeOff) -> bool:
    return bool(row.busy.lower < each.during.upper and each.during.lower < row.busy.upper)


def named(resources: Sequence[Resource]) -> list[tuple[int, str]]:
    """Return (id, name) of the resources to choose from, staff members first."""
    people = [(each.pk, each.staff_member.name) for each in resources if hasattr(each, "staff_member")]
    things = [(each.pk, f"{each.name}, {each.location}") for each in resources if not hasattr(each, "staff_member")]
    return sorted(people, key=lambda one: one[1]) + sorted(things, key=lambda one: one[1])
