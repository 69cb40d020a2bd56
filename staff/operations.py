"""Changes of when people are there. They wait for bookings in progress, and bookings for them."""

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
