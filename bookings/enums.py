"""Choices of bookings, and which statuses take time."""

from enum import StrEnum

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class BookingStatus(TextChoices):
    HELD = "held", _("held")
    REQUESTED = "requested", _("waiting for an answer")
    PENDING_PAYMENT = "pending_payment", _("waiting for payment")
    CONFIRMED = "confirmed", _("confirmed")
    STARTED = "started", _("in progress")
    COMPLETED = "completed", _("done")
    NO_SHOW = "no_show", _("did not come")
    CANCELLED = "cancelled", _("cancelled")
    DECLINED = "declined", _("declined")
    EXPIRED = "expired", _("hold ended")


# Statuses that own allocations (I2 in docs/invariants.md) …
CLAIMING = frozenset(
    {
        BookingStatus.HELD,
        BookingStatus.REQUESTED,
        BookingStatus.PENDING_PAYMENT,
        BookingStatus.CONFIRMED,
        BookingStatus.STARTED,
        BookingStatus.COMPLETED,
        BookingStatus.NO_SHOW,
    }
)
# … of these, the ones whose claim ends by itself at ``hold_expires_at``.
EXPIRING = frozenset({BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT})

# The time is kept until the business has answered, or the customer has paid.
WAITING = frozenset({BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT})
# What a customer may still call off or move. A hold is released instead, the rest is history.
CHANGEABLE = WAITING | {BookingStatus.CONFIRMED}
# Agreed and not called off, whatever became of the visit.
AGREED = CLAIMING - EXPIRING
# Agreed, and staff have not marked that it is over.
EXPECTED = frozenset({BookingStatus.CONFIRMED, BookingStatus.STARTED})
# Agreed and neither called off nor missed: the price is owed.
STANDING = EXPECTED | {BookingStatus.COMPLETED}
# A visit that staff marked as begun or done. One that is past and was never marked may not have taken place.
TOOK_PLACE = frozenset({BookingStatus.STARTED, BookingStatus.COMPLETED})
# Staff marked what became of the visit, so its start is past.
MARKED = TOOK_PLACE | {BookingStatus.NO_SHOW}
# The visit does not take place: called off, declined, or not agreed in time.
CALLED_OFF = frozenset({BookingStatus.CANCELLED, BookingStatus.DECLINED, BookingStatus.EXPIRED})
# These may owe a fee, and no price.
FEE_OWING = frozenset({BookingStatus.CANCELLED, BookingStatus.NO_SHOW})


class BookingChannel(TextChoices):
    WEB = "web", _("website")
    DESK = "desk", _("front desk")
    KIOSK = "kiosk", _("kiosk")
    WIDGET = "widget", _("widget")
    API = "api", _("API")
    WHATSAPP = "whatsapp", _("WhatsApp")
    LINK = "link", _("link in a message")
    SYSTEM = "system", _("by itself")


class ActorKind(TextChoices):
    CUSTOMER = "customer", _("customer")
    STAFF = "staff", _("staff")
    SYSTEM = "system", _("system")


class EventKind(TextChoices):
    """What a history row tells. Status rows carry from and to; the others leave the status as it is."""

    STATUS = "status", _("status")
    MOVED = "moved", _("moved")
    EXTRAS = "extras", _("extras changed")
    CONTACT = "contact", _("contact changed")
    LINK = "link", _("link renewed")
    MONEY = "money", _("money")
    COMING = "coming", _("said that they are coming")
    ARRIVED = "arrived", _("arrived")


class MoneyEvent(StrEnum):
    """What a history row of kind MONEY tells, in ``details["what"]``."""

    PAID = "paid"
    REFUND = "refund"  # decided, and on its way
    REFUND_WAITS = "refund_waits"  # until staff approve it
    REFUND_LOWERED = "refund_lowered"
    REFUND_DECLINED = "refund_declined"
    REFUNDED = "refunded"  # has arrived
    REFUND_FAILED = "refund_failed"
    TAKEN_BACK = "taken_back"  # by the bank, after a dispute
    FEE = "fee"  # is charged to the saved card
    CHARGE_FAILED = "charge_failed"
    WAIVED = "waived"  # a fee, or a part of it
    REDUCED = "reduced"  # the price
    PAYMENT_WAIVED = "payment_waived"  # the one that was asked for when booking
    CARD_WAIVED = "card_waived"  # likewise, where only a card was asked for
    LINK = "link"  # to pay, was mailed because staff asked for it
    MOVE_PROPOSED = "move_proposed"
    MOVE_WITHDRAWN = "move_withdrawn"
    NO_SHOW_UNDONE = "no_show_undone"
