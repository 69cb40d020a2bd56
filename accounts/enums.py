"""Choices of the access log: what was done, with which record, and what is unusual about it."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Reading(models.TextChoices):
    """What a user did with a record. ``REFUSED``: asked for one that they may not see, or that does not exist."""

    VIEWED = "viewed", _("Viewed")
    CHANGED = "changed", _("Changed")
    SEARCHED = "searched", _("Searched")
    EXPORTED = "exported", _("Downloaded")
    REFUSED = "refused", _("Refused")


class RecordKind(models.TextChoices):
    """Which record. The last four are lists, which have no reference."""

    CUSTOMER = "customer", _("Customer")
    BOOKING = "booking", _("Booking")
    NOTES = "notes", _("Session notes")
    RECEIPT = "receipt", _("Receipt")
    MESSAGES = "messages", _("Messages of a booking")
    CUSTOMERS = "customers", _("List of customers")
    BOOKINGS = "bookings", _("List of bookings")
    PAYMENTS = "payments", _("List of payments")
    SENT = "sent", _("Message log")
    ACCESS = "access", _("Access log")
