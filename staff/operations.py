"""Changes of when staff members, rooms and devices are available.

A change waits for bookings that are being made, and those bookings wait for it.
"""

from datetime import datetime

from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange

from accounts.models import User
from services.operations import lock_resource_time
from staff.enums import Role, TimeOffStatus
from staff.models import Access, TimeOff


@transaction.atomic
def add_time_off(
    *,
    resource_id: int,
    starts_at: datetime,
    ends_at: datetime,
    reason: str = "",
    status: TimeOffStatus = TimeOffStatus.APPROVED,
) -> TimeOff:
    """Store that a staff member is absent, or that a room or device is out of use. Bookings in that time stay.

    The same time off sent again is returned as it is: of the same status, or approved meanwhile.

    Locks: the resource.

    :raises ValueError: when it does not end after it starts.
    """
    if starts_at >= ends_at:
        raise ValueError("Time off must end after it starts.")
    lock_resource_time([resource_id])
    during = DateTimeTZRange(starts_at, ends_at)
    same = TimeOff.objects.filter(resource_id=resource_id, during=during, reason=reason)
    before = same.filter(status__in={status, TimeOffStatus.APPROVED}).first()
    return before or TimeOff.objects.create(resource_id=resource_id, during=during, reason=reason, status=status)


@transaction.atomic
def answer_time_off(*, time_off_id: int, approve: bool) -> bool:
    """Approve or decline a request. Return False if it was answered or removed. Bookings in that time stay.

    Locks: the resource, then the request.
    """
    resource_id = TimeOff.objects.filter(pk=time_off_id).values_list("resource_id", flat=True).first()
    if resource_id is None:
        return False
    lock_resource_time([resource_id])
    answer = TimeOffStatus.APPROVED if approve else TimeOffStatus.DECLINED
    waiting = TimeOff.objects.filter(pk=time_off_id, status=TimeOffStatus.REQUESTED)
    return waiting.update(status=answer) == 1


@transaction.atomic
def remove_time_off(*, time_off_id: int) -> None:
    """Delete an absence, so that its time can be booked again; harmless when repeated. Locks the resource."""
    resource_id = TimeOff.objects.filter(pk=time_off_id).values_list("resource_id", flat=True).first()
    if resource_id is not None:
        lock_resource_time([resource_id])
        TimeOff.objects.filter(pk=time_off_id).delete()


def welcome_owner() -> str:
    """Give the latest superuser the owner role if no user has it, so that the desk opens. Return what was done."""
    user = User.objects.filter(is_superuser=True).order_by("pk").last()
    if user is None or Access.objects.filter(role=Role.OWNER).exists():
        return ""
    Access.objects.create(user=user, role=Role.OWNER)
    return f"{user} is the owner, and may work at /desk/."
