"""Reads of settings, cases, and of what the next night deletes."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models import DateTimeField, Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Cast

from accounts.models import Customer, CustomerEvent
from bookings.enums import AGREED, BookingStatus
from bookings.models import Booking, BookingEvent, FollowUp, SessionNote
from bookings.refs import ref_column
from notifications.retention import old_messages
from payments.models import Receipt
from privacy.enums import UNFINISHED
from privacy.hindrances import may_be_anonymised
from privacy.models import PrivacyCase, ReadingAlert, ReadingLimits, Retention
from privacy.rules import SOON_DAYS, months_before

# A hold that was never booked has no personal data after a day; everything else ends in one of these.
_OVER = sorted(AGREED | {BookingStatus.CANCELLED, BookingStatus.DECLINED, BookingStatus.EXPIRED})


def retention() -> Retention:
    """Return how long data is kept; without a row everything is kept."""
    return Retention.objects.filter(pk=1).first() or Retention(pk=1)


def messages_before(now: datetime) -> datetime:
    """Return the moment before which messages are deleted (``settings.MESSAGES_KEPT_SINCE``)."""
    months = retention().messages_months
    return months_before(now, months) if months else now - timedelta(days=settings.MESSAGES_KEPT_DAYS)


# --- what is due ------------------------------------------------------------------------------------------------------


def bookings_due(kept: Retention, now: datetime) -> QuerySet[Booking]:
    """Return finished and cancelled bookings that are to be anonymised. An open balance does not hinder it."""
    if not kept.bookings_months:
        return Booking.objects.none()
    over = Booking.objects.filter(status__in=_OVER, anonymised_at=None).exclude(contact_name="", customer=None)
    return may_be_anonymised(over.filter(ends_at__lt=months_before(now, kept.bookings_months)), now=now)


def notes_due(kept: Retention, now: datetime) -> QuerySet[Booking]:
    """Return past bookings with session notes or follow-ups."""
    if not kept.notes_months:
        return Booking.objects.none()
    past = Booking.objects.filter(ends_at__lt=months_before(now, kept.notes_months))
    notes = SessionNote.objects.filter(booking=OuterRef("pk"))
    return past.filter(Exists(notes) | Exists(FollowUp.objects.filter(booking=OuterRef("pk"))))


def answers_due(kept: Retention, now: datetime) -> QuerySet[Booking]:
    """Return past bookings with a note of the customer or the address of a home visit."""
    if not kept.answers_months:
        return Booking.objects.none()
    past = Booking.objects.filter(ends_at__lt=months_before(now, kept.answers_months))
    return past.exclude(customer_note="", visit_address="")


def contacts_due(kept: Retention, now: datetime) -> QuerySet[Customer]:
    """Return customers without any booking that is not anonymised. A merged record goes with the one that it leads to.

    A blocked customer stays, because the block needs the address; so does one with an open case, and one who has signed
    in since.
    """
    if not kept.contact_months:
        return Customer.objects.none()
    before = months_before(now, kept.contact_months)
    idle = Q(user=None) | Q(user__last_login=None) | Q(user__last_login__lt=before)
    asking = PrivacyCase.objects.filter(customer=OuterRef("pk"), state__in=sorted(UNFINISHED))
    old = Customer.objects.filter(idle, erased_at=None, merged_into=None, is_blocked=False, created_at__lt=before)
    return old.exclude(Exists(Booking.objects.filter(customer=OuterRef("pk")))).exclude(Exists(asking))


def log_rows_due(kept: Retention, now: datetime) -> QuerySet[LogEntry]:
    if not kept.logs_months:
        return LogEntry.objects.none()
    return LogEntry.objects.filter(action_time__lt=months_before(now, kept.logs_months))


def reasons_due(kept: Retention, now: datetime) -> QuerySet[BookingEvent]:
    """Return the rows of bookings' histories with words of staff."""
    if not kept.logs_months:
        return BookingEvent.objects.none()
    return BookingEvent.objects.filter(at__lt=months_before(now, kept.logs_months)).exclude(reason="")


def trust_reasons_due(kept: Retention, now: datetime) -> QuerySet[CustomerEvent]:
    """Return the rows of customers' histories with words of staff, unless the customer is blocked because of them."""
    if not kept.logs_months:
        return CustomerEvent.objects.none()
    old = CustomerEvent.objects.filter(at__lt=months_before(now, kept.logs_months)).exclude(reason="")
    return old.exclude(customer__is_blocked=True)


def receipts_due(kept: Retention, now: datetime) -> QuerySet[Receipt]:
    """Return receipts of anonymised bookings whose name need not be kept any longer."""
    before = months_before(now, 12 * kept.receipt_name_years)
    named = Receipt.objects.filter(issued_at__lt=before).exclude(contents__customer_name="")
    anonymised = Booking.objects.filter(anonymised_at__isnull=False).annotate(ref=ref_column())
    return named.filter(subject_ref__in=anonymised.values("ref"))


def due_counts(kept: Retention, now: datetime) -> dict[str, int]:
    """Return how many records the next night deletes or empties under these settings, by the name of the setting.

    ``kept`` need not be saved. Nine queries at most.
    """
    logs = (log_rows_due(kept, now), reasons_due(kept, now), trust_reasons_due(kept, now))
    return {
        "bookings_months": bookings_due(kept, now).count(),
        "contact_months": contacts_due(kept, now).count(),
        "notes_months": notes_due(kept, now).count(),
        "answers_months": answers_due(kept, now).count(),
        "messages_months": _messages_due(kept, now),
        "logs_months": sum(rows.count() for rows in logs),
        "receipt_name_years": receipts_due(kept, now).count(),
    }


def _messages_due(kept: Retention, now: datetime) -> int:
    if not kept.messages_months:
        return 0
    return old_messages(before=months_before(now, kept.messages_months)).count()


# --- cases ------------------------------------------------------------------------------------------------------------


def cases_due_soon(now: datetime) -> QuerySet[PrivacyCase]:
    """Return the open cases whose due date is within a week or past, by the dates of UTC."""
    dated = PrivacyCase.objects.annotate(due_at=Cast("due_on", DateTimeField()))
    return dated.filter(state__in=sorted(UNFINISHED), due_at__lte=now + timedelta(days=SOON_DAYS))


# --- unusual reading --------------------------------------------------------------------------------------------------


def reading_limits() -> ReadingLimits:
    """Return the limits of reading; without a row the usual ones."""
    return ReadingLimits.objects.filter(pk=1).first() or ReadingLimits(pk=1)


def open_reading_alerts() -> QuerySet[ReadingAlert]:
    """Return the alerts that no owner has settled, the oldest first."""
    return ReadingAlert.objects.filter(settled_at=None).order_by("found_at", "pk")
