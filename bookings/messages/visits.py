"""Announcements of bookings to customers and staff, and whether a message is still wanted at sending time.

``announce_…`` only write rows, in the transaction of the change. ``notification_context`` reads the booking again at
the moment of sending.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Prefetch, QuerySet

from bookings.enums import EXPECTED, BookingStatus
from bookings.messages import reminders
from bookings.messages.addressing import staff_of, to_customer, to_staff
from bookings.messages.catalogue import TYPES, message_type
from bookings.messages.kinds import MessageKind, PlannedKind
from bookings.messages.occasions import Occasion
from bookings.messages.text_proof import may_text
from bookings.messages.types import MessageType, Timing
from bookings.models import Booking, BookingLine
from bookings.refs import booking_ref, number_of, subject_ref
from notifications import operations as notifications
from notifications.addresses import TEXT_CHANNELS
from notifications.enums import RecipientRole
from notifications.queries import has_newer
from notifications.requests import ContextRequest, MessageContext, MessageRequest
from services.queries import the_business
from staff.models import StaffMember

__all__ = [
    "MessageKind",
    "announce_again",
    "announce_cancelled",
    "announce_confirmed",
    "announce_left",
    "announce_length",
    "announce_move_undone",
    "announce_moved",
    "announce_reassigned",
    "not_over",
    "notification_context",
    "withdraw_move",
]

# Messages that a cancellation makes untrue. RELEASED stays, because its staff member learns of the loss from it alone;
# PAYMENT_RECEIVED stays true.
_OVERTAKEN = (
    *(MessageKind.CONFIRMED, MessageKind.MOVED, MessageKind.REASSIGNED, MessageKind.LENGTH),
    *(MessageKind.REQUESTED, MessageKind.PAYMENT_REQUIRED, *PlannedKind),
)
# Messages about a new time or another staff member.
_CHANGES = (MessageKind.MOVED, MessageKind.REASSIGNED, MessageKind.RELEASED)
# Each of these shows the whole appointment, so that an older one need not be sent any more.
_REPLACING = sorted({each.kind for each in TYPES if each.timing is Timing.AT_ONCE and not each.outlives_visit})


def announce_confirmed(booking: Booking, *, tells_customer: bool = True, now: datetime) -> None:
    """Inform the customer and the staff members of the booking, and schedule the reminders.

    Without ``tells_customer`` only staff are informed now; the reminders are scheduled as usual.
    """
    requests = _requests(booking, MessageKind.CONFIRMED, staff_of(booking))
    if not tells_customer:
        requests = [each for each in requests if each.recipient_role == RecipientRole.STAFF]
    notifications.enqueue([*requests, *reminders.planned_requests(booking, now=now)], now=now)


def announce_moved(
    booking: Booking,
    *,
    previous_starts_at: datetime,
    previous_staff_ids: Collection[int] = (),
    previous_zone: str = "",
    not_before: datetime | None = None,
    now: datetime,
) -> None:
    """Inform customer and staff of the new time. Call it after the lines and ``ical_sequence`` have changed.

    :param previous_staff_ids: staff members before the move; those who no longer have the booking get RELEASED.
    :param previous_zone: the location's zone before, if the zone is what has changed.
    :param not_before: when the messages are due, if not now. Those of the change before that are not due yet are
        withdrawn: the new ones say what has changed since the recipients last heard of the booking.
    """
    last = _last_heard(booking, previous_starts_at, previous_staff_ids, now)
    requests = _move_requests(booking, last.starts_at, last.staff_ids, previous_zone)
    notifications.enqueue([*_due(requests, not_before), *_planned_anew(booking, now)], now=now)


def announce_reassigned(
    booking: Booking, *, previous_staff_ids: Collection[int], not_before: datetime | None = None, now: datetime
) -> None:
    """Inform the customer, the new staff member and the previous one of a reassignment.

    Call it after the lines and ``ical_sequence`` have changed. A staff member who keeps a line gets no message.
    ``not_before`` as in ``announce_moved``.
    """
    last = _last_heard(booking, booking.starts_at, previous_staff_ids, now)
    if last.starts_at != booking.starts_at:
        requests = _move_requests(booking, last.starts_at, last.staff_ids)
    else:
        requests = _reassign_requests(booking, last.staff_ids)
    notifications.enqueue([*_due(requests, not_before), *_planned_anew(booking, now)], now=now)


def announce_length(booking: Booking, *, now: datetime) -> None:
    """Inform customer and staff of the new length. Call it after the lines and ``ical_sequence`` have changed.

    Those who have not heard of a move or a reassignment just before it get that message, which shows the length too.
    """
    staff = staff_of(booking)
    last = _last_heard(booking, booking.starts_at, [person.pk for person in staff], now)
    if last.starts_at != booking.starts_at:
        requests = _move_requests(booking, last.starts_at, last.staff_ids)
    elif set(last.staff_ids) != {person.pk for person in staff}:
        requests = _reassign_requests(booking, last.staff_ids)
    else:
        requests = _requests(booking, MessageKind.LENGTH, staff)
    notifications.enqueue([*requests, *_planned_anew(booking, now)], now=now)


def withdraw_move(booking: Booking, *, now: datetime) -> Collection[notifications.Recipient]:
    """Withdraw the unsent messages about the last change of a booking, and return the recipients whom others reached.

    What these messages had replaced is queued again. Call it before ``ical_sequence`` rises.
    """
    ref, version = subject_ref(booking), booking.ical_sequence
    reached = notifications.withdraw(ref, version=version, kinds=_CHANGES).reached
    notifications.put_back(ref, below=version, kinds=_REPLACING, without=reached, now=now)
    return reached


def announce_move_undone(
    booking: Booking,
    *,
    previous_starts_at: datetime,
    previous_staff_ids: Collection[int],
    reached: Collection[notifications.Recipient],
    now: datetime,
) -> None:
    """Inform those who have heard of a move (``reached``) that it is undone. Nobody else gets a message.

    Call it after the lines and ``ical_sequence`` have changed.
    """
    if booking.starts_at == previous_starts_at:
        requests = _reassign_requests(booking, previous_staff_ids)
    else:
        requests = _move_requests(booking, previous_starts_at, previous_staff_ids)
    requests = [each for each in requests if notifications.recipient_of(each) in reached]
    notifications.enqueue([*requests, *_planned_anew(booking, now)], now=now)


def announce_left(booking: Booking, person: StaffMember, *, now: datetime) -> None:
    """Take a booking out of the calendar of a staff member who left while they had it."""
    request = to_staff(booking, MessageKind.RELEASED, person, {})
    key = f"{request.key}:left-{booking.staff_link_version}"
    notifications.enqueue([replace(request, key=key)], now=now)


def announce_cancelled(booking: Booking, *, now: datetime) -> None:
    """Inform customer and staff that the booking is cancelled, and withdraw messages that are not sent yet.

    Call it after the status has changed and ``ical_sequence`` has risen.
    """
    notifications.cancel_pending(subject_ref(booking), kinds=_OVERTAKEN, reason="The booking was cancelled first.")
    _announce(booking, MessageKind.CANCELLED, staff=staff_of(booking), now=now)


def announce_again(booking: Booking, *, to_staff: bool, now: datetime) -> None:
    """Send the appointment as it stands again on request: to the customer, and to staff if asked.

    Two requests in a row make one message, unless the links were renewed in between.
    """
    requests = _requests(booking, MessageKind.CONFIRMED, staff_of(booking) if to_staff else ())
    links = f"links-{booking.link_version}-{booking.staff_link_version}"
    again = [replace(request, key=f"{request.key}:{links}") for request in requests]
    notifications.enqueue_again(again, now=now)


def notification_context(request: ContextRequest) -> MessageContext | None:
    """Read the booking again and build the message; None when it is no longer wanted.

    It is not wanted when the booking is not in the state that the message reports, the visit is over, the recipient has
    no part in it any more, or a newer message to the same recipient follows.
    """
    of = message_type(request.kind, request.recipient_role)
    booking = _with_everything().filter(pk=number_of(request.subject_ref)).first()
    context = _context(booking, of, request) if booking is not None and of is not None else None
    is_text = request.channel in TEXT_CHANNELS and request.recipient_role == RecipientRole.CUSTOMER
    if booking is None or context is None or not is_text:
        return context
    return replace(context, may_text=may_text(booking))


def not_over(refs: Collection[str], at: datetime) -> set[str]:
    """Return which of these bookings (``booking:17``) end after an instant. Runs one query."""
    ids = [number_of(ref) for ref in refs]
    going_on = Booking.objects.filter(pk__in=ids, ends_at__gte=at)
    return {booking_ref(pk) for pk in going_on.values_list("pk", flat=True)}


def _context(booking: Booking, of: MessageType, request: ContextRequest) -> MessageContext | None:
    is_staff = of.role == RecipientRole.STAFF
    person = _person(booking, number_of(request.recipient_ref)) if is_staff else None
    if is_staff and (person is None or not _is_concerned(booking, person, request)):
        return None
    if not of.outlives_visit and not _is_wanted(booking, request):
        return None
    return of.context(
        Occasion(
            booking=booking,
            business=the_business(),
            person=person,
            kind=request.kind,
            details=request.details,
            now=request.now,
        )
    )


def _person(booking: Booking, staff_member_id: int) -> StaffMember | None:
    """Return a staff member: the one prefetched with the lines, or read separately if they no longer have a line."""
    of_lines = (line.staff_member for line in booking.lines.all() if line.staff_member_id == staff_member_id)
    return next(of_lines, None) or (StaffMember.objects.select_related("user").filter(pk=staff_member_id).first())


def _with_everything() -> QuerySet[Booking]:
    lines = BookingLine.objects.select_related("staff_member__user", "variant__service")
    return Booking.objects.select_related("location").prefetch_related(Prefetch("lines", queryset=lines))


def _is_wanted(booking: Booking, request: ContextRequest) -> bool:
    if request.kind in set(PlannedKind):
        return reminders.is_wanted(booking, request)
    return _is_still_true(booking, request) and not _is_superseded(booking, request)


def _is_still_true(booking: Booking, request: ContextRequest) -> bool:
    if booking.ends_at <= request.now:
        return False
    if request.kind == MessageKind.CANCELLED:
        return booking.status == BookingStatus.CANCELLED
    if request.kind == MessageKind.RELEASED:
        return True
    return booking.status in EXPECTED


def _is_superseded(booking: Booking, request: ContextRequest) -> bool:
    """Return whether a newer message gives this recipient the whole appointment."""
    if booking.ical_sequence <= request.version:
        return False
    return has_newer(request, kinds=_REPLACING)


def _is_concerned(booking: Booking, person: StaffMember, request: ContextRequest) -> bool:
    """Return whether this message concerns a staff member.

    A staff member who performs the visit and works here gets every message but RELEASED; one who no longer does gets
    only RELEASED.
    """
    has_it = person.works_here and any(line.staff_member_id == person.pk for line in booking.lines.all())
    return has_it != (request.kind == MessageKind.RELEASED)


def _planned_anew(booking: Booking, now: datetime) -> list[MessageRequest]:
    """Cancel the reminders of the previous time, and return those of the current one."""
    kinds = list(PlannedKind)
    notifications.cancel_pending(subject_ref(booking), kinds=kinds, reason="The booking was changed first.")
    return reminders.planned_requests(booking, now=now)


def _announce(booking: Booking, kind: MessageKind, *, staff: Iterable[StaffMember], now: datetime) -> None:
    notifications.enqueue(_requests(booking, kind, staff), now=now)


class _LastHeard(NamedTuple):
    """The start and the staff members that the recipients of messages know of."""

    starts_at: datetime
    staff_ids: Collection[int]


def _last_heard(booking: Booking, starts_at: datetime, staff_ids: Collection[int], now: datetime) -> _LastHeard:
    """Withdraw the messages of the change before this one that are not due yet.

    Return what their recipients know then; without such messages that is ``starts_at`` and ``staff_ids``.
    """
    version = booking.ical_sequence - 1
    unheard = notifications.withdraw(subject_ref(booking), version=version, kinds=_CHANGES, due_after=now).unheard
    known = [row.details["previous_starts_at"] for row in unheard if row.kind == MessageKind.MOVED]
    before = datetime.fromisoformat(known[0]) if known else starts_at
    of_staff = [row for row in unheard if row.recipient_role == RecipientRole.STAFF]
    lost = {number_of(row.recipient_ref) for row in of_staff if row.kind == MessageKind.RELEASED}
    if lost:
        # The booking had changed hands, so the others of them are new.
        staff_ids = lost | set(staff_ids) - {number_of(row.recipient_ref) for row in of_staff}
    # A booking that is back where its customer last knew it has moved all the same.
    return _LastHeard(starts_at if before == booking.starts_at else before, staff_ids)


def _move_requests(
    booking: Booking, previous_starts_at: datetime, previous_staff_ids: Collection[int], previous_zone: str = ""
) -> list[MessageRequest]:
    details = {"previous_starts_at": previous_starts_at.isoformat()}
    if previous_zone:
        details["previous_zone"] = previous_zone
    staff = staff_of(booking)
    return [
        *_requests(booking, MessageKind.MOVED, staff, details),
        *_released(booking, staff, previous_staff_ids, details),
    ]


def _reassign_requests(booking: Booking, previous_staff_ids: Collection[int]) -> list[MessageRequest]:
    staff = staff_of(booking)
    newcomers = [person for person in staff if person.pk not in previous_staff_ids]
    return [
        *_requests(booking, MessageKind.REASSIGNED, newcomers),
        *_released(booking, staff, previous_staff_ids),
    ]


def _due(requests: Iterable[MessageRequest], not_before: datetime | None) -> list[MessageRequest]:
    return [replace(each, not_before=not_before) for each in requests]


def _requests(
    booking: Booking, kind: MessageKind, staff: Iterable[StaffMember], details: Mapping[str, Any] | None = None
) -> list[MessageRequest]:
    requests = [to_staff(booking, kind, person, details or {}) for person in staff]
    if booking.contact_email or booking.contact_phone:
        requests.insert(0, to_customer(booking, kind, details or {}))
    return requests


def _released(
    booking: Booking,
    staff: Iterable[StaffMember],
    previous_staff_ids: Collection[int],
    details: Mapping[str, Any] | None = None,
) -> list[MessageRequest]:
    gone = set(previous_staff_ids) - {person.pk for person in staff}
    if not gone:
        return []
    # A staff member who left was informed by ``announce_left``.
    people = [person for person in StaffMember.objects.select_related("user").filter(pk__in=gone) if person.works_here]
    return [to_staff(booking, MessageKind.RELEASED, person, details or {}) for person in people]
