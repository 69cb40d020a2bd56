"""Enums of the catalogue and its policies."""

from django.db.models import IntegerChoices, TextChoices
from django.utils.translation import gettext_lazy as _


class Weekday(IntegerChoices):
    """Numbered as in ``date.weekday()``: Monday is 0."""

    MONDAY = 0, _("Monday")
    TUESDAY = 1, _("Tuesday")
    WEDNESDAY = 2, _("Wednesday")
    THURSDAY = 3, _("Thursday")
    FRIDAY = 4, _("Friday")
    SATURDAY = 5, _("Saturday")
    SUNDAY = 6, _("Sunday")


class ResourceKind(TextChoices):
    PERSON = "person", _("person")
    ROOM = "room", _("room")
    EQUIPMENT = "equipment", _("equipment")


class Delivery(TextChoices):
    LOCATION = "location", _("at a location")
    CUSTOMER = "customer", _("at the customer's address")
    PHONE = "phone", _("by phone")
    ONLINE = "online", _("online")


class FeeKind(TextChoices):
    NONE = "none", _("free")
    PERCENT = "percent", _("percent of the price")
    FIXED = "fixed", _("fixed amount")
    ALL = "all", _("the whole price")


class OverLimit(TextChoices):
    BLOCKED = "blocked", _("no further move online")
    FEE = "fee", _("a fee per move")


class PaymentMode(TextChoices):
    """What a customer pays when booking."""

    NONE = "none", _("no payment")
    VENUE = "venue", _("pay at the visit")
    DEPOSIT = "deposit", _("deposit now, rest at the visit")
    FULL = "full", _("pay everything now")
    CARD = "card", _("card on file, charged only for fees")


class DepositKind(TextChoices):
    PERCENT = "percent", _("percent of the price")
    FIXED = "fixed", _("fixed amount")


class DepositRule(TextChoices):
    """What happens to a deposit when the customer may cancel for free."""

    REFUND_IF_FREE = "refund_if_free", _("goes back")
    ALWAYS_KEEP = "always_keep", _("is kept in any case")


class ProposalKind(TextChoices):
    """What a manager proposes to change."""

    SERVICE = "service", _("Service")
    NEW_SERVICE = "new_service", _("New service")
    HOURS = "hours", _("Opening hours")


class Decision(TextChoices):
    """How a proposal ended. One without a decision waits."""

    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")
    WITHDRAWN = "withdrawn", _("Withdrawn")
