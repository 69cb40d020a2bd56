"""Methods, purposes, reasons and statuses of payments, refunds and card setups, and the kinds of money alerts."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Method(TextChoices):
    """How money changes hands. STRIPE is everything the payment page offers: cards, wallets, local methods."""

    STRIPE = "stripe", _("online")
    CASH = "cash", _("cash")
    TERMINAL = "terminal", _("card terminal")
    TRANSFER = "transfer", _("bank transfer")


class Purpose(TextChoices):
    """What a payment is for. BOOKING is due before the booking is confirmed; BALANCE is any later part of the price."""

    BOOKING = "booking", _("due when booking")
    BALANCE = "balance", _("balance")
    FEE = "fee", _("fee")
    MOVE = "move", _("fee for moving")


class PaymentStatus(TextChoices):
    """CREATED: our row is written, Stripe's answer is not stored yet. OPEN: the customer has to act."""

    CREATED = "created", _("being prepared")
    OPEN = "open", _("not paid yet")
    PROCESSING = "processing", _("being checked")
    SUCCEEDED = "succeeded", _("paid")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("called off")


# An open payment: it may still succeed without a further request of ours.
LIVE_PAYMENTS = frozenset({PaymentStatus.CREATED, PaymentStatus.OPEN, PaymentStatus.PROCESSING})


class RefundStatus(TextChoices):
    """AWAITING_APPROVAL and DECLINED exist where staff decide about refunds first. Stripe knows neither."""

    AWAITING_APPROVAL = "awaiting_approval", _("waiting for approval")
    QUEUED = "queued", _("approved")
    SUBMITTED = "submitted", _("on its way to the bank")
    PENDING = "pending", _("waiting at the bank")
    REQUIRES_ACTION = "requires_action", _("waiting for the customer")
    SUCCEEDED = "succeeded", _("done")
    FAILED = "failed", _("could not be returned")
    CANCELLED = "cancelled", _("called off")
    DECLINED = "declined", _("declined")


# Refunds that reduce what is left of a payment: all except those that certainly did not happen.
COUNTING_REFUNDS = frozenset(RefundStatus) - {RefundStatus.FAILED, RefundStatus.CANCELLED, RefundStatus.DECLINED}


class RefundReason(TextChoices):
    POLICY = "policy", _("by the rules of the booking")
    BUSINESS = "business", _("the business cancelled")
    STAFF = "staff", _("decided by staff")
    LATE = "late", _("paid after the time was gone")
    EXCESS = "excess", _("more was paid than is owed")
    EXTERNAL = "external", _("made at the payment provider")
    DISPUTE = "dispute", _("taken back by the bank")


class SetupStatus(TextChoices):
    CREATED = "created", _("being prepared")
    OPEN = "open", _("no card yet")
    PROCESSING = "processing", _("being checked")
    SUCCEEDED = "succeeded", _("card saved")
    CANCELLED = "cancelled", _("called off")


class AlertKind(TextChoices):
    """Why a staff member has to look at something. An alert stays on one list until it is resolved."""

    REFUND_FAILED = "refund_failed", _("A refund could not be returned")
    CHARGE_FAILED = "charge_failed", _("A fee could not be charged")
    LATE_PAYMENT = "late_payment", _("Money came after the time was gone")
    AMOUNT_DIFFERS = "amount_differs", _("Another sum was paid than was asked for")
    UNKNOWN_MONEY = "unknown_money", _("Money without a booking")
    WRONG_ACCOUNT = "wrong_account", _("A notice from another account or mode")
    DISPUTE = "dispute", _("A customer disputes a payment")
    DISPUTE_LOST = "dispute_lost", _("The bank took a payment back")
    EXTERNAL_REFUND = "external_refund", _("A refund was made at the payment provider")
    REFUND_WAITS = "refund_waits", _("A refund waits for your decision")
    STUCK = "stuck", _("The payment provider did not answer for long")
