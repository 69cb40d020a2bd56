"""Outbox handlers of bookings: payments, saved cards, refunds, sign-ins, and staff who come and leave.

A delivery may come twice, late or in any order; the operation checks the booking first.
"""

from datetime import datetime

from bookings.messages.invitations import announce_invitation
from bookings.messages.sign_ins import announce_guessing, announce_sign_in_change
from bookings.operations import catalogue_guard, fees, settle
from core.outbox import Delivery
from staff.models import StaffMember


def payment_succeeded(delivery: Delivery, *, now: datetime) -> None:
    settle.settle_payment(payment_id=delivery.payload["payment_id"], now=now)


def payment_failed(delivery: Delivery, *, now: datetime) -> None:
    """Published only for a fee that was charged to the saved card without the customer."""
    fees.ask_for_fee(payment_id=delivery.payload["payment_id"], now=now)


def fee_waived(delivery: Delivery, *, now: datetime) -> None:
    """Published only where a payment of the fee was pending."""
    fees.collect_rest(payment_id=delivery.payload["payment_id"], now=now)


def card_saved(delivery: Delivery, *, now: datetime) -> None:
    settle.settle_card(saved_card_id=delivery.payload["saved_card_id"], now=now)


def refund_found(delivery: Delivery, *, now: datetime) -> None:
    """Published for a refund that was made in Stripe's dashboard."""
    fees.accept_found_refund(refund_id=delivery.payload["refund_id"], now=now)


def refund_settled(delivery: Delivery, *, now: datetime) -> None:
    fees.note_refund(refund_id=delivery.payload["refund_id"], now=now)


def sign_in_guessed(delivery: Delivery, *, now: datetime) -> None:
    """Published when wrong passwords or wrong codes for a user reach the limit of a day."""
    payload = delivery.payload
    is_of_codes = payload.get("secret") == "code"
    announce_guessing(user_id=payload["user_id"], count=payload["count"], is_of_codes=is_of_codes, now=now)


def sign_in_changed(delivery: Delivery, *, now: datetime) -> None:
    """Published when a user's password or second factor changes."""
    announce_sign_in_change(
        user_id=delivery.payload["user_id"], change=delivery.payload["change"], key=delivery.key, now=now
    )


def staff_left(delivery: Delivery, *, now: datetime) -> None:
    """Published when a staff member is deactivated in the team, or their user is."""
    person = StaffMember.objects.select_related("user").filter(**delivery.payload).first()
    if person is not None:
        catalogue_guard.part_from(person, now=now)


def staff_invited(delivery: Delivery, *, now: datetime) -> None:
    """Published when an owner sends an invitation."""
    announce_invitation(invitation_id=delivery.payload["invitation_id"], now=now)
