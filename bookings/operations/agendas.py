"""Queues the morning e-mail with the visits of the day: one message per staff member and day."""

from collections.abc import Iterable, Iterator
from datetime import datetime, time, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from django.db import transaction

from bookings.enums import EXPECTED
from bookings.messages.kinds import MessageKind
from bookings.models import BookingLine
from core.minutes import minute_of
from notifications.enums import RecipientRole
from notifications.operations import enqueue
from notifications.requests import MessageRequest
from staff.hours import day_of
from staff.models import StaffMember

AT = time(7)
# After noon the day is half over, and the mail would list visits that the staff member has already seen.
UNTIL = time(12)
_A_DAY_AND_ANY_ZONE = timedelta(hours=38)


@transaction.atomic
def enqueue_agendas(*, now: datetime) -> int:
    """Queue today's agenda for each staff member with visits today, if their local time is from 7:00 to before noon.

    The location of the first visit gives the time zone. Safe to repeat: one message per staff member and day. Returns
    the number of staff members, including those whose message was queued before. Runs one query and one insert.
    """
    lines = (
        BookingLine.objects.filter(
            booking__status__in=EXPECTED,
            staff_member__is_active=True,
            starts_at__gt=now - timedelta(days=1),
            starts_at__lt=now + _A_DAY_AND_ANY_ZONE,
        )
        .select_related("staff_member__user", "booking__location")
        .order_by("staff_member_id", "starts_at")
    )
    requests = list(_requests(lines, now))
    enqueue(requests, now=now)
    return len(requests)


def _requests(lines: Iterable[BookingLine], now: datetime) -> Iterator[MessageRequest]:
    for _, group in groupby(lines, key=lambda line: line.staff_member_id):
        today = [line for line in group if _is_today(line, now)]
        person = today[0].staff_member if today else None
        if person is not None and person.works_here and AT <= _local(today[0], now).time() < UNTIL:
            yield _request(person, today, now)


def _is_today(line: BookingLine, now: datetime) -> bool:
    zone = ZoneInfo(line.booking.location.time_zone)
    return day_of(zone, minute_of(line.starts_at)) == day_of(zone, minute_of(now))


def _local(line: BookingLine, moment: datetime) -> datetime:
    return moment.astimezone(ZoneInfo(line.booking.location.time_zone))


def _request(person: StaffMember, today: list[BookingLine], now: datetime) -> MessageRequest:
    on = _local(today[0], now).date()
    subject = f"staff:{person.pk}"
    return MessageRequest(
        kind=MessageKind.AGENDA,
        subject_ref=subject,
        version=on.toordinal(),
        recipient_role=RecipientRole.STAFF,
        recipient_ref=subject,
        address=person.email,
        language=person.language,
        key=f"{subject}:{MessageKind.AGENDA}:{on.isoformat()}",
        details={"on": on.isoformat()},
        can_wait=True,
        expires_at=max(line.ends_at for line in today),
    )
