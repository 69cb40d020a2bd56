"""What a customer has to pay when booking: nothing, a saved card, a deposit or the full price.

Pure: terms and amounts in, a demand out. Money is integer minor units. What Stripe cannot charge is never asked for.
"""

from dataclasses import dataclass

from bookings.rules.fees import deposit_of, deposit_taken, highest_fee
from bookings.rules.terms import Terms
from payments.stripe.amounts import chargeable
from services.enums import PaymentMode


@dataclass(frozen=True, slots=True)
class Demand:
    """What the customer must do before the booking is confirmed. ``due_now_minor + due_later_minor`` is the total.

    ``saves_card``: a card is saved, and later fees may charge at most ``cap_minor`` to it, which is the highest fee
    less what is paid now; 0 where no card is saved. ``has_extras``: extras are paid now, with a deposit or alone.
    """

    mode: PaymentMode
    due_now_minor: int
    due_later_minor: int
    saves_card: bool = False
    cap_minor: int = 0
    has_extras: bool = False

    @property
    def needs_stripe(self) -> bool:
        """Whether the customer has to pay or leave a card first."""
        return self.due_now_minor > 0 or self.saves_card


def payment_demand(
    terms: Terms,
    *,
    total_minor: int,
    at_visit_minor: int,
    at_booking_minor: int = 0,
    currency: str,
    has_stripe: bool,
    is_exempt: bool = False,
    must_prepay: bool = False,
    by_staff: bool = False,
    asked_mode: PaymentMode | None = None,
) -> Demand:
    """Return what is asked for a visit of ``total_minor``.

    ``at_visit_minor`` are the extras that are paid at the visit, ``at_booking_minor`` those that are paid when booking,
    both with tax. A percentage applies to the rest.

    Without Stripe everything is paid at the visit. ``is_exempt``: this customer is not asked to pay in advance; this
    also wins over ``must_prepay``, by which a customer with too many missed visits pays everything. ``by_staff``: the
    desk books without asking for money; ``asked_mode`` is what the desk asks for in place of the terms.

    A deposit too small to charge becomes a card on file. A deposit as large as the price becomes the whole price. A
    card that no fee could ever be charged to is not asked for.
    """
    base = total_minor - at_visit_minor
    is_free = not has_stripe or is_exempt or by_staff
    mode = asked_mode or _mode(terms, is_free=is_free, must_prepay=must_prepay)
    # CARD and VENUE ask for nothing but such extras now; what Stripe cannot charge of them is paid at the visit.
    extras = 0 if is_free or mode == PaymentMode.NONE else at_booking_minor
    if mode in {PaymentMode.CARD, PaymentMode.VENUE}:
        extras = chargeable(extras, currency)
    keeps_card = terms.saves_card or (mode == PaymentMode.CARD and extras > 0)
    due = 0
    if mode == PaymentMode.DEPOSIT or (extras and mode != PaymentMode.FULL):
        rest = base - at_booking_minor
        due = extras + (deposit_of(terms, rest) if mode == PaymentMode.DEPOSIT else 0)
        mode = PaymentMode.FULL if due >= base else PaymentMode.DEPOSIT
    if mode == PaymentMode.FULL:
        due = base
    due = chargeable(due, currency)
    if mode in {PaymentMode.DEPOSIT, PaymentMode.FULL} and not due:
        mode = PaymentMode.CARD
    cap = _cap(terms, mode, keeps_card=keeps_card, total_minor=total_minor, due_minor=due, currency=currency)
    if mode == PaymentMode.CARD and not cap:
        mode = PaymentMode.VENUE
    has_extras = mode == PaymentMode.DEPOSIT and extras > 0
    return Demand(mode, due, total_minor - due, saves_card=cap > 0, cap_minor=cap, has_extras=has_extras)


def _mode(terms: Terms, *, is_free: bool, must_prepay: bool) -> PaymentMode:
    if is_free:
        return PaymentMode.NONE if terms.payment_mode == PaymentMode.NONE else PaymentMode.VENUE
    return PaymentMode.FULL if must_prepay else terms.payment_mode


def _cap(terms: Terms, mode: PaymentMode, *, keeps_card: bool, total_minor: int, due_minor: int, currency: str) -> int:
    """Return the most that fees may take from the card; 0 where none is saved, or Stripe would not charge so little."""
    if mode != PaymentMode.CARD and not (keeps_card and due_minor):
        return 0
    deposit = deposit_taken(terms, payment_mode=mode, due_now_minor=due_minor, total_minor=total_minor)
    left = max(0, highest_fee(terms, total_minor=total_minor, deposit_minor=deposit) - due_minor)
    return left if chargeable(left, currency) else 0
