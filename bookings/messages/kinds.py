"""The kinds of messages about a booking."""

from enum import StrEnum


class MessageKind(StrEnum):
    """What a message tells. RELEASED goes to a staff member whose booking went to somebody else."""

    CONFIRMED = "confirmed"
    MOVED = "moved"
    REASSIGNED = "reassigned"
    CANCELLED = "cancelled"
    RELEASED = "released"
    PAYMENT_REQUIRED = "payment_required"
    PAYMENT_RECEIVED = "payment_received"
    LATE_PAYMENT_REFUNDED = "late_payment_refunded"
    FEE_DUE = "fee_due"
    REFUND_APPROVED = "refund_approved"
    REFUND_LOWERED = "refund_lowered"
    REFUND_DONE = "refund_done"
    MISSED = "missed"
    REQUESTED = "requested"
    DECLINED = "declined"
    HOLD_ENDED = "hold_ended"
    HELP_ANSWER = "help_answer"
    CONFIRM_BY_MAIL = "confirm_by_mail"


# Told whether or not the visit is over, and never replaced by the news of another time.
MONEY_KINDS = frozenset(
    {
        MessageKind.PAYMENT_REQUIRED,
        MessageKind.PAYMENT_RECEIVED,
        MessageKind.LATE_PAYMENT_REFUNDED,
        MessageKind.FEE_DUE,
        MessageKind.REFUND_APPROVED,
        MessageKind.REFUND_LOWERED,
        MessageKind.REFUND_DONE,
        MessageKind.MISSED,
        MessageKind.REQUESTED,
        MessageKind.DECLINED,
        MessageKind.HOLD_ENDED,
        MessageKind.HELP_ANSWER,
        MessageKind.CONFIRM_BY_MAIL,
    }
)
