"""What the outbox starts here: money, cards and refunds of bookings, and people who leave.

Each may come twice, late or in any order; the operation looks at the booking first.
"""

from datetime import datetime

from bookings.messages.sign_ins import announce_guessing
from bookings.operations import catalogue_guard, fees, settle
from core.outbox import Delivery
from staff.models import StaffMember


def payment_succeeded(delivery: Delivery, *, now: datetime) -> None:
    settle.settle_payment(payment_id=delivery.payload["payment_id"], now=now)


def payment_failed(delivery: Delivery, *, now: datetime) -> None:
    """Only of a fee charged while the customer was away."""
    fees.ask_for_fee(payment_id=delivery.payload["payment_id"], now=now)


def fee_waived(delivery: Delivery, *, now: datetime) -> None:
    """Only where a payment of the fee was waiting."""
    fees.collect_rest(payment_id=delivery.payload["payment_id"], now=now)


def card_saved(delivery: Delivery, *, now: datetime) -> None:
    settle.settle_card(saved_card_id=delivery.payload["saved_card_id"], now=now)


def refund_found(delivery: Delivery, *, now: datetime) -> None:
    """Of a refund that was made in Stripe's dashboard."""
    fees.accept_found_refund(refund_id=delivery.payload["refund_id"], now=now)


def refund_settled(delivery: Delivery, *, now: datetime) -> None:
    fees.note_refund(refund_id=delivery.payload["refund_id"], now=now)


def sign_in_guessed(delivery: Delivery, *, now: datetime) -> None:
    """Wrong passwords for a sign-in reached the limit of a day."""
    announce_guessing(user_id=delivery.payload["user_id"], count=delivery.payload["count"], now=now)


def staff_left(delivery: Delivery, *, now: datetime) -> None:
    """Somebody was switched off on the team, or in the list of those who sign in."""
    person = StaffMember.objects.select_related("user").filter(**delivery.payload).first()
    if person is not None:
        catalogue_guard.part_from(person, now=now)
