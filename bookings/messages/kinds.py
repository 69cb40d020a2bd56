"""The kinds of messages about a booking."""

from enum import StrEnum


class MessageKind(StrEnum):
    """Kinds of messages that an event triggers. RELEASED goes to a staff member whose booking went to another one."""

    CONFIRMED = "confirmed"
    MOVED = "moved"
    REASSIGNED = "reassigned"
    LENGTH = "length"
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
    HOLD_LINK = "hold_link"
    HOLD_LINK_ENDED = "hold_link_ended"
    AGENDA = "agenda"


class PlannedKind(StrEnum):
    """Kinds of messages that are scheduled when a booking is confirmed, for a time before or after the visit."""

    REMINDER = "reminder"
    REVIEW_REQUEST = "review_request"
    FOLLOW_UP = "follow_up"
