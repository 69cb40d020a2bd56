"""What one booking owes, and its payments and refunds, read once for pages and messages. Reads only."""

from dataclasses import dataclass

from bookings.models import Booking
from bookings.refs import subject_ref
from bookings.reported_money import has_reported_money
from bookings.rules.settlement import Paid
from payments import queries
from payments.enums import PaymentStatus
from payments.models import BillLine, Payment, Receipt, Refund, SavedCard
from payments.queries import Balance
from payments.stripe import gateway

_FEES = frozenset({BillLine.Kind.CANCELLATION_FEE, BillLine.Kind.NO_SHOW_FEE, BillLine.Kind.WAIVER})


@dataclass(frozen=True, slots=True)
class BookingMoney:
    """A booking's money. Rows are oldest first.

    ``payments`` are those that succeeded, ``attempts`` all of them, with those that failed. ``card`` is one that fees
    can be charged to. ``is_settling``: Stripe reported money that is not in the booking's history yet.
    """

    balance: Balance
    bill_lines: tuple[BillLine, ...] = ()
    attempts: tuple[Payment, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    card: SavedCard | None = None
    is_settling: bool = False

    @property
    def payments(self) -> list[Payment]:
        return [each for each in self.attempts if each.status == PaymentStatus.SUCCEEDED]

    @property
    def paid(self) -> Paid:
        """What was paid for the visit or for cancelling it, in minor units, less the fees for moves."""
        moves = sum(line.gross_minor for line in self.bill_lines if line.kind == BillLine.Kind.CHANGE_FEE)
        cap_minor = self.card.cap_minor if self.card else None
        return Paid(max(0, self.balance.net_paid_minor - moves), cap_minor)

    @property
    def fee_minor(self) -> int:
        """Return what is left of a fee for cancelling or not coming, less the waived parts."""
        return max(0, sum(line.gross_minor for line in self.bill_lines if line.kind in _FEES))

    @property
    def receipt_numbers(self) -> dict[str, str]:
        """Return the numbers of receipts by the reference they are for: ``payment:1`` and ``refund:1``."""
        return {
            f"payment:{receipt.payment_id}" if receipt.payment_id else f"refund:{receipt.refund_id}": receipt.number
            for receipt in self.receipts
        }

    @property
    def is_being_checked(self) -> bool:
        """Return whether the bank is still checking a payment, or a reported payment is still being settled."""
        return self.is_settling or any(each.status == PaymentStatus.PROCESSING for each in self.attempts)

    @property
    def refunds(self) -> list[Refund]:
        """Return the refunds, each with its payment."""
        return sorted((each for payment in self.attempts for each in _refunds(payment)), key=lambda refund: refund.pk)


NO_MONEY = BookingMoney(Balance(0, 0, 0))


def money_of(booking: Booking) -> BookingMoney:
    """Read all rows about the money of a booking, in 7 queries; none without a bill."""
    if booking.bill_id is None:
        return NO_MONEY
    subject = subject_ref(booking)
    return BookingMoney(
        balance=queries.balance(subject),
        bill_lines=tuple(queries.lines_of(subject)),
        attempts=tuple(queries.payments_of(subject)),
        receipts=tuple(queries.receipts_of(subject)),
        card=queries.saved_card(subject) if gateway.is_configured() else None,
        is_settling=has_reported_money(booking),
    )


def _refunds(payment: Payment) -> list[Refund]:
    found = list(payment.refunds.all())
    for refund in found:
        refund.payment = payment
    return found
