"""Steps that many tests take: hold, confirm, as a guest, at ``factories.NOW``. Every value can be given."""

from datetime import datetime
from itertools import count
from typing import Any

from accounts.contact.contact import Contact
from accounts.operations import record_consent
from bookings.booked import quote_of
from bookings.enums import ActorKind, BookingChannel
from bookings.lifecycle import Actor
from bookings.models import Allocation, Booking, WalkIn
from bookings.operations.confirm import confirm_booking
from bookings.operations.hold import HeldSlot, hold_slot
from bookings.operations.pay import begin_payment
from bookings.operations.visit_progress import complete_visit
from bookings.operations.walk_ins import join_queue
from bookings.refs import subject_ref
from core.outbox import publish
from devservers.stripe import Stripe
from payments.enums import Method, PaymentStatus, Purpose
from payments.models import Payment, SavedCard
from tests.factories import NOW, Studio, cancellation_policy, studio

_intents = count(1)
CARD_WORDS = "Your card may be charged €80.00 at most."
# At least 48 h free, at least 24 h half, else everything.
TIERS = ((2880, "none", 0), (1440, "percent", 5000))

GUEST = Actor(ActorKind.CUSTOMER, BookingChannel.WEB)
LINK = Actor(ActorKind.CUSTOMER, BookingChannel.LINK)
DESK = Actor(ActorKind.STAFF, BookingChannel.DESK, name="Sam")
KIOSK = Actor(ActorKind.CUSTOMER, BookingChannel.KIOSK)
JANA = Contact(name="Jana Weber", email="jana@example.com", phone="+4915155501827", note="")


def hold(place: Studio, hour: int = 10, minute: int = 0, **changes: Any) -> HeldSlot:
    """Hold a local time on the day after ``NOW`` with anyone; ``changes`` replace arguments of ``hold_slot``."""
    wish = {
        "variant_id": place.variant.pk,
        "location_id": place.location.pk,
        "start_minute": place.minute(hour, minute),
        "staff_member_id": None,
        "actor": GUEST,
        "language": "en",
        "now": NOW,
    }
    return hold_slot(**{**wish, **changes})


def confirm(
    booking: Booking,
    *,
    contact: Contact = JANA,
    actor: Actor = GUEST,
    now: datetime = NOW,
    asks_payment: bool | None = None,
    **more: Any,
) -> Booking:
    return confirm_booking(
        booking_id=booking.pk,
        contact=contact,
        consent_text="I agree.",
        actor=actor,
        now=now,
        asks_payment=asks_payment,
        **more,
    )


def booked(place: Studio, hour: int = 10, minute: int = 0, *, contact: Contact = JANA, **changes: Any) -> Booking:
    """Hold and confirm at the same moment."""
    held = hold(place, hour, minute, **changes)
    return confirm(held.booking, contact=contact, now=changes.get("now", NOW))


def held_two(place: Studio, hour: int = 10, *, second_person: int = 1, **changes: Any) -> Booking:
    """Hold two services in a row, by two people: the first and the hour after it, put into one visit.

    No operation holds several services yet: both are held by themselves, then the second one's line and time go over.
    """
    first = hold(place, hour, staff_member_id=place.staff[0].pk, **changes).booking
    wish = {"staff_member_id": place.staff[second_person].pk, "add_on_ids": ()}
    second = hold(place, hour + 1, **{**changes, **wish}).booking
    first.lines.model.objects.filter(booking=second).update(booking=first, position=1)
    second.allocations.update(booking=first)
    price = quote_of(first, first.lines.all())
    first.ends_at, first.total_minor, first.tax_minor = second.ends_at, price.total_minor, price.tax_minor
    first.save()
    second.events.all().delete()
    second.delete()
    return first


def completed(booking: Booking) -> Booking:
    """A visit that took place, as staff mark it at its end."""
    return complete_visit(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at
    )


def walk_in(place: Studio, name: str = "Dana Fox", *, staff: int | None = None, **changes: Any) -> WalkIn:
    """Put a person on the queue; ``staff`` is the position of the staff member whom they ask for."""
    wish = {
        "location_id": place.location.pk,
        "variant_id": place.variant.pk,
        "staff_member_id": None if staff is None else place.staff[staff].pk,
        "contact": Contact(name, email="", phone="", note=""),
        "customer_id": None,
        "actor": DESK,
        "now": NOW,
    }
    return join_queue(**{**wish, **changes})


def claims() -> list[tuple[int, int, int]]:
    """All taken time as (resource id, low minute, high minute)."""
    rows = Allocation.objects.order_by("low_minute", "resource")
    return list(rows.values_list("resource", "low_minute", "high_minute"))


# --- money -----------------------------------------------------------------------------------------------------------


def paid_studio(
    mode: str = "deposit", *, staff: int = 1, service: dict[str, Any] | None = None, **policy: Any
) -> Studio:
    """A studio whose service of 80.00 asks for money when booking: 20 % if it is a deposit, no minutes of grace."""
    values = {"payment_mode": mode, "grace_minutes": 0, "is_fee_capped_at_deposit": False, **policy}
    if mode == "deposit":
        values = {"deposit_value": 2000, **values}
    tiers = values.pop("tiers", TIERS)
    return studio(staff=staff, cancellation_policy=cancellation_policy(*tiers, **values), **(service or {}))


def waiting(place: Studio, *, days: int = 3, hour: int = 10, **changes: Any) -> Booking:
    """A booking that waits for its payment or card, by default on the third day at ten."""
    return booked(place, start_minute=place.minute(hour, days=days), **changes)


def arrived(
    booking: Booking, amount_minor: int, *, purpose: Purpose = Purpose.BOOKING, now: datetime = NOW, **values: Any
) -> Payment:
    """Money that came in online, as the payments app writes it down; what follows from it waits in the outbox."""
    payment = Payment.objects.create(
        bill_id=booking.bill_id,
        subject_ref=subject_ref(booking),
        purpose=purpose,
        currency=booking.currency,
        amount_minor=amount_minor,
        created_at=now,
        **{
            "status": PaymentStatus.SUCCEEDED,
            "method": Method.STRIPE,
            "intent_id": f"pi_{next(_intents)}",
            "card_brand": "visa",
            "card_last4": "4242",
            "succeeded_at": now,
            **values,
        },
    )
    payload = {"payment_id": payment.pk, "subject_ref": payment.subject_ref, "purpose": payment.purpose}
    publish("payment.succeeded", f"payment:{payment.pk}", payload, now=now)
    return payment


def card_kept(booking: Booking, *, cap_minor: int = 8000, now: datetime = NOW) -> SavedCard:
    """A card that the customer agreed to have charged for fees."""
    consent = record_consent(
        customer_id=None, subject_ref=subject_ref(booking), purpose="card_on_file", text=CARD_WORDS, now=now
    )
    return SavedCard.objects.create(
        bill_id=booking.bill_id,
        subject_ref=subject_ref(booking),
        consent=consent,
        payment_method_id="pm_1",
        brand="visa",
        last4="4242",
        currency=booking.currency,
        cap_minor=cap_minor,
        created_at=now,
    )


def begin_and_pay(booking: Booking, stripe: Stripe, amount_minor: int, *, now: datetime = NOW) -> Payment:
    """Start a payment as the page does, and make it at the stand-in for Stripe. Nobody here knows it yet."""
    begin_payment(booking_id=booking.pk, expected_minor=amount_minor, consent_text=CARD_WORDS, now=now)
    payment = Payment.objects.filter(subject_ref=subject_ref(booking)).latest("pk")
    stripe.control.pay(str(payment.intent_id))
    return payment
