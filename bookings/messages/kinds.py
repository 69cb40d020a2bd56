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
    AGENDA = "agenda"


class PlannedKind(StrEnum):
    """What is planned when a booking is agreed, for some time before or after the visit."""

    REMINDER = "reminder"
    REVIEW_REQUEST = "review_request"
    FOLLOW_UP = "follow_up"
