"""Choices of bookings, and the sets of statuses that operations and queries share."""

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
# … and those of them whose claim ends at ``hold_expires_at``.
EXPIRING = frozenset({BookingStatus.HELD, BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT})

# The time is kept until the business has answered, or the customer has paid.
WAITING = frozenset({BookingStatus.REQUESTED, BookingStatus.PENDING_PAYMENT})
# A customer may still cancel or move these. A hold is released instead; the others are history.
CHANGEABLE = WAITING | {BookingStatus.CONFIRMED}
# Confirmed at some time and not cancelled, whatever became of the visit.
AGREED = CLAIMING - EXPIRING
# Confirmed, and staff have not marked the visit as over.
EXPECTED = frozenset({BookingStatus.CONFIRMED, BookingStatus.STARTED})
# Confirmed, and neither cancelled nor missed: the price is owed.
STANDING = EXPECTED | {BookingStatus.COMPLETED}
# Staff marked the visit as begun or completed. A past visit that was never marked may not have taken place.
TOOK_PLACE = frozenset({BookingStatus.STARTED, BookingStatus.COMPLETED})
# Staff marked what became of the visit, so its start is past.
MARKED = TOOK_PLACE | {BookingStatus.NO_SHOW}
# The visit does not take place: cancelled, declined, or not confirmed in time.
CALLED_OFF = frozenset({BookingStatus.CANCELLED, BookingStatus.DECLINED, BookingStatus.EXPIRED})
# No visit to expect or to look back on: not booked yet, or cancelled.
NOT_BOOKED = CALLED_OFF | {BookingStatus.HELD}
# These may owe a fee, and no price.
FEE_OWING = frozenset({BookingStatus.CANCELLED, BookingStatus.NO_SHOW})


class BookingChannel(TextChoices):
    WEB = "web", _("website")
    DESK = "desk", _("front desk")
    WALK_IN = "walk_in", _("walk-in")
    KIOSK = "kiosk", _("kiosk")
    WIDGET = "widget", _("widget")
    API = "api", _("API")
    WHATSAPP = "whatsapp", _("WhatsApp")
    LINK = "link", _("link in a message")
    SYSTEM = "system", _("by itself")


class WalkInState(TextChoices):
    WAITING = "waiting", _("waiting")
    SEATED = "seated", _("booked")
    LEFT = "left", _("left")


class ActorKind(TextChoices):
    CUSTOMER = "customer", _("customer")
    STAFF = "staff", _("staff")
    SYSTEM = "system", _("system")


class EventKind(TextChoices):
    """Kinds of history rows. Only STATUS rows change the status; they carry the old and the new one."""

    STATUS = "status", _("status")
    MOVED = "moved", _("moved")
    EXTRAS = "extras", _("extras changed")
    LENGTH = "length", _("length changed")
    CONTACT = "contact", _("contact changed")
    LINK = "link", _("link renewed")
    HOLD_LINK = "hold_link", _("booking link sent")
    MONEY = "money", _("money")
    COMING = "coming", _("said that they are coming")
    ARRIVED = "arrived", _("arrived")
    KEPT = "kept", _("kept outside the hours")


class MoneyEvent(StrEnum):
    """Kinds of history rows about money, stored in ``details["what"]``."""

    PAID = "paid"
    REFUND = "refund"  # decided, not yet arrived
    REFUND_WAITS = "refund_waits"  # waits for approval by staff
    REFUND_LOWERED = "refund_lowered"
    REFUND_DECLINED = "refund_declined"
    REFUNDED = "refunded"  # arrived
    REFUND_FAILED = "refund_failed"
    TAKEN_BACK = "taken_back"  # by the bank, in a dispute
    FEE = "fee"  # charged to the saved card
    CHARGE_FAILED = "charge_failed"
    WAIVED = "waived"  # all or a part of a fee
    REDUCED = "reduced"  # the price was lowered
    PAYMENT_WAIVED = "payment_waived"  # the payment that the terms ask for when booking
    CARD_WAIVED = "card_waived"  # the same, where the terms ask only for a card
    LINK = "link"  # staff had a payment link mailed
    MOVE_PROPOSED = "move_proposed"
    MOVE_WITHDRAWN = "move_withdrawn"
    NO_SHOW_UNDONE = "no_show_undone"
