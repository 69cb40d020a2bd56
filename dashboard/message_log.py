"""Named reads of the message log. Each takes the rights of the reader and runs a fixed number of queries."""

from collections.abc import Sequence

from django.db.models import QuerySet

from bookings.models import Booking
from bookings.refs import booking_id_of, ref_column, subject_ref
from dashboard.permissions import Rights, bookings_run_by
from notifications.enums import NotificationStatus
from notifications.models import Notification
from notifications.queries import sent_again

MOST_SHOWN = 100
FAILED = (NotificationStatus.PERMANENT_FAILURE, NotificationStatus.TECHNICAL_FAILURE)
WAITING = (NotificationStatus.QUEUED, NotificationStatus.SENDING, NotificationStatus.TEMPORARY_FAILURE)


def messages_visible_to(rights: Rights) -> QuerySet[Notification]:
    """Return the messages about bookings that the reader may see; a reader of every place sees every message."""
    if rights.location_ids is None:
        return Notification.objects.all()
    refs = bookings_run_by(rights).annotate(ref=ref_column())
    return Notification.objects.filter(subject_ref__in=refs.values("ref"))


def latest(rights: Rights, statuses: Sequence[str] = ()) -> list[Notification]:
    """Return the latest messages, ``MOST_SHOWN`` at most; ``statuses`` narrows them when given. One query."""
    found = messages_visible_to(rights)
    if statuses:
        found = found.filter(status__in=statuses)
    return list(found.order_by("-id")[:MOST_SHOWN])


def of_booking(booking: Booking) -> list[Notification]:
    """Return every message about a booking, planned ones included, the latest first. One query."""
    return list(Notification.objects.filter(subject_ref=subject_ref(booking)).order_by("-id"))


def failed_count(booking: Booking) -> int:
    """Count the messages about a booking that failed and were not resent. One query."""
    about = Notification.objects.filter(subject_ref=subject_ref(booking), status__in=FAILED)
    return about.filter(~sent_again()).count()


def message_by_number(rights: Rights, number: int) -> Notification | None:
    return messages_visible_to(rights).filter(pk=number).first()


def bookings_of(rights: Rights, rows: Sequence[Notification]) -> dict[str, Booking]:
    """Return the bookings that messages are about, by the subject of the message. One query."""
    ids = list(filter(None, (booking_id_of(row.subject_ref) for row in rows)))
    found = bookings_run_by(rights).filter(pk__in=ids).select_related("location")
    return {subject_ref(booking): booking for booking in found}
