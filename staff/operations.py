"""Changes of when people are there. They wait for bookings in progress, and bookings for them."""

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from core.intervals import Interval
from services.operations import WeekdayInterval, lock_resource_time, require_apart
from staff.enums import Role, TimeOffStatus
from staff.models import Access, StaffMember, TimeOff, WorkingHours, WorkingHoursException


def lock_staff_time(staff_member_id: int) -> StaffMember:
    """Take the lock under which booking this person is decided. Belongs inside a transaction.

    :raises StaffMember.DoesNotExist: when there is no such person.
    """
    person = StaffMember.objects.get(pk=staff_member_id)
    lock_resource_time([person.resource_id])
    return person


@transaction.atomic
def set_working_hours(*, staff_member_id: int, location_id: int, hours: Sequence[WeekdayInterval]) -> None:
    """Replace the weekly hours of a person at a location, without validity or alternating weeks. Bookings stay.

    Locks: the person's resource.

    :raises ValueError: when hours of a weekday overlap.
    """
    require_apart(hours)
    person = lock_staff_time(staff_member_id)
    person.working_hours.filter(location_id=location_id).delete()
    WorkingHours.objects.bulk_create(
        WorkingHours(staff_member=person, location_id=location_id, weekday=weekday, start_minute=start, end_minute=end)
        for weekday, (start, end) in hours
    )


@transaction.atomic
def set_special_day(*, staff_member_id: int, location_id: int, on: date, hours: Sequence[Interval]) -> None:
    """Give one local date hours of its own at a location, in place of all weekly hours of that date; none: not there.

    Locks: the person's resource.

    :raises ValueError: when the hours overlap.
    """
    require_apart([(0, interval) for interval in hours])
    person = lock_staff_time(staff_member_id)
    person.exceptions.filter(on=on, location_id=location_id).delete()
    rows: Sequence[tuple[int | None, int | None]] = hours or [(None, None)]
    WorkingHoursException.objects.bulk_create(
        WorkingHoursException(staff_member=person, location_id=location_id, on=on, start_minute=start, end_minute=end)
        for start, end in rows
    )


@transaction.atomic
def add_time_off(
    *,
    resource_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
    status: TimeOffStatus = TimeOffStatus.APPROVED,
) -> TimeOff:
    """Write down that a person is away, or a room or device out of use. Bookings stay, also those in that time.

    Locks: the resource.

    :raises ValueError: when it ends before it starts.
    """
    if starts_at >= ends_at:
        raise ValueError("Time off must end after it starts.")
    lock_resource_time([resource_id])
    during = DateTimeTZRange(starts_at, ends_at)
    return TimeOff.objects.create(resource_id=resource_id, during=during, reason=reason, status=status)


def welcome_owner() -> str:
    """Make the latest superuser the owner where nobody is, so that the desk opens."""
    user = User.objects.filter(is_superuser=True).order_by("pk").last()
    if user is None or Access.objects.filter(role=Role.OWNER).exists():
        return ""
    Access.objects.create(user=user, role=Role.OWNER)
    return f"{user} is the owner, and may work at /desk/."
