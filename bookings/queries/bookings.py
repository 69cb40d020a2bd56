"""Reads of bookings that several pages and operations share. They neither write nor lock."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Model, Prefetch, Q, QuerySet
from django.db.models.functions import Lower

from accounts.contact.mailboxes import normalised_email, same_mailbox
from bookings.enums import BookingStatus, EventKind
from bookings.links import LinkRole, read_token, token_is_valid
from bookings.models import Booking, BookingEvent, BookingLine, MoveProposal
from bookings.money_events import without_settled
from bookings.refs import booking_ref, subject_ref
from core.reads import read_joined, set_children
from core.references import token_hash, trimmed_token
from payments.enums import LIVE_PAYMENTS, PaymentStatus, SetupStatus
from payments.models import CardSetup, Payment
from services.models import AddOn, Category, Location, Resource, ResourceType, Service, ServiceVariant
from services.queries import booking_policies
from staff.models import StaffMember

_LINKS_OF_LINES = ("staff_member", "staff_member__resource", "staff_member__user", "variant", "variant__service")
_LINES_OF_PAGES = Prefetch(
    "lines",
    BookingLine.objects.select_related("staff_member__resource", "staff_member__user", "variant__service"),
)

# Most overdue bookings that one sweep reads.
_OVERDUE = 200
# A succeeded payment is settled within seconds. After this time it counts as settled.
_JUST_PAID = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LinkedBooking:
    """A booking opened by a magic link, and the role of the link."""

    booking: Booking
    role: LinkRole


def booking_by_hold_token(token: str) -> Booking | None:
    """Return the booking that was held with this token, in any status."""
    return Booking.objects.filter(hold_token_hash=token_hash(trimmed_token(token))).first()


def booking_by_link(raw: str) -> LinkedBooking | None:
    """Return the booking of a magic link; None for any token that is not exactly one that we issued."""
    token = read_token(raw)
    if token is None:
        return None
    booking = Booking.objects.filter(reference=token.reference).first()
    if booking is None or not token_is_valid(booking, token.role, token.mac):
        return None
    return LinkedBooking(booking, token.role)


def own_booking_id(customer_id: int, reference: str) -> int | None:
    """Return the id of a customer's booking that was ever agreed or waits to be; None for any other reference."""
    own = Booking.objects.filter(customer_id=customer_id, reference=reference).exclude(status=BookingStatus.HELD)
    agreed = own.exclude(status=BookingStatus.EXPIRED, payment_mode="")
    return agreed.values_list("pk", flat=True).first()


def held_line(token: str, now: datetime) -> BookingLine | None:
    """Return the line of a live hold, with its booking, location and staff member, in one query."""
    lines = BookingLine.objects.select_related("booking__location", "staff_member")
    live = {"booking__status": BookingStatus.HELD, "booking__hold_expires_at__gt": now}
    return lines.filter(booking__hold_token_hash=token_hash(trimmed_token(token)), **live).first()


def booking_page(booking_id: int) -> Booking:
    """Read a booking with everything its pages show (lines, staff, services, location, history) in 3 queries.

    :raises Booking.DoesNotExist: when there is none.
    """
    return (
        Booking.objects.select_related("location", "customer", "bill")
        .prefetch_related(_LINES_OF_PAGES, Prefetch("events", BookingEvent.objects.order_by("id")))
        .get(pk=booking_id)
    )


def held_page(token: str) -> Booking | None:
    """Read the booking that was held with this token, in any status, for its own page, in 2 queries."""
    condition = "WHERE bookings_booking.hold_token_hash = %s"
    found = read_joined(Booking, ("location", "unproven", "hold_link"), condition, [token_hash(trimmed_token(token))])
    if not found:
        return None
    of_booking = "WHERE bookings_bookingline.booking_id = %s ORDER BY bookings_bookingline.position"
    set_children(found[0], "lines", read_joined(BookingLine, _LINKS_OF_LINES, of_booking, [found[0].pk]))
    return found[0]


def hold_left_at(booking: Booking) -> datetime:
    """Return when a hold became a booking. One query."""
    left = BookingEvent.objects.filter(booking=booking, kind=EventKind.STATUS, from_status=BookingStatus.HELD)
    return left.values_list("at", flat=True).order_by("id")[0]


def has_said_coming(booking: Booking) -> bool:
    """Return whether the customer confirmed that they are coming at the visit's current time."""
    return any(
        event.kind == EventKind.COMING and datetime.fromisoformat(event.details["starts_at"]) == booking.starts_at
        for event in booking.events.all()
    )


def add_ons_of(booking: Booking) -> list[AddOn]:
    """Return the extras on offer for the services of a booking, in the order set by the business."""
    return list(AddOn.objects.filter(service__variants__booking_lines__booking=booking, is_active=True).distinct())


def live_proposal(booking: Booking, now: datetime) -> MoveProposal | None:
    """Return the proposed move of a booking that waits for payment.

    None when its time is no longer kept, or the booking has moved since.
    """
    live = MoveProposal.objects.filter(booking=booking, expires_at__gt=now, sequence=booking.ical_sequence)
    return live.order_by("-pk").first()


def unsettled_payments(booking: Booking) -> QuerySet[Payment]:
    """Return the payments that succeeded and are not in the booking's history yet.

    Once they are settled, the booking may owe nothing more.
    """
    came = Payment.objects.filter(subject_ref=subject_ref(booking), status=PaymentStatus.SUCCEEDED)
    return without_settled(came, booking)


def lead_minutes_of(booking: Booking) -> int:
    """Return the notice in minutes that the rules require today for the booking's services: the longest of them."""
    rules = booking_policies(Service.objects.filter(variants__booking_lines__booking=booking))
    return max(rules.values_list("lead_minutes", flat=True))


def missed_visits(normalised: str) -> QuerySet[Booking]:
    """Return the missed visits that were booked with this address.

    ``normalised`` comes from ``accounts.contact.mailboxes.normalised_email``.
    """
    forms = same_mailbox(normalised)
    return Booking.objects.annotate(mailbox=Lower("contact_email")).filter(
        status=BookingStatus.NO_SHOW, mailbox__in=forms
    )


def same_customer(booking: Booking) -> QuerySet[Booking]:
    """Return the other bookings of the same customer: by the record, the mailbox or the phone number."""
    same = Q(pk__in=[])
    if booking.customer_id:
        same |= Q(customer_id=booking.customer_id)
    if booking.contact_email:
        same |= Q(mailbox__in=same_mailbox(normalised_email(booking.contact_email)))
    if booking.phone_hash:
        same |= Q(phone_hash=booking.phone_hash)
    return Booking.objects.annotate(mailbox=Lower("contact_email")).filter(same).exclude(pk=booking.pk)


def open_requests(now: datetime) -> QuerySet[Booking]:
    """Return the requests that wait for an answer, those that expire first at the top."""
    waiting = Booking.objects.filter(status=BookingStatus.REQUESTED, hold_expires_at__gt=now)
    return waiting.order_by("hold_expires_at", "pk")


def payments_in_overdue_bookings(now: datetime) -> dict[int, list[Payment | CardSetup]]:
    """Return the payments and card setups that may still confirm bookings whose time to pay is over.

    By booking, longest overdue first: those that are pending, and those that have just succeeded.
    """
    overdue = Booking.objects.filter(status=BookingStatus.PENDING_PAYMENT, hold_expires_at__lte=now)
    ids = {booking_ref(pk): pk for pk in overdue.order_by("hold_expires_at").values_list("pk", flat=True)[:_OVERDUE]}
    if not ids:
        return {}
    recently = now - _JUST_PAID
    fresh = Q(status__in=LIVE_PAYMENTS) | Q(status=PaymentStatus.SUCCEEDED, succeeded_at__gt=recently)
    rows: list[Payment | CardSetup] = list(Payment.objects.filter(fresh, subject_ref__in=ids))
    # A card setup that succeeded long ago without confirming the booking was not accepted, because the customer's
    # consent no longer applied.
    is_old = Q(status=SetupStatus.SUCCEEDED, checked_at__lte=recently)
    rows += CardSetup.objects.filter(subject_ref__in=ids).exclude(status=SetupStatus.CANCELLED).exclude(is_old)
    found: dict[int, list[Payment | CardSetup]] = {}
    for ref, booking_id in ids.items():
        if own := [row for row in rows if row.subject_ref == ref]:
            found[booking_id] = own
    return found


def is_bookable(thing: Model) -> bool:
    """Return whether bookings can need such an object, so that ``future_bookings_of`` supports it."""
    return isinstance(thing, (StaffMember, Resource, ResourceType, Location, Category, Service, ServiceVariant, AddOn))
