"""Choices of messages. Statuses follow GOV.UK Notify."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Channel(TextChoices):
    EMAIL = "email", _("e-mail")
    SMS = "sms", _("SMS")
    WHATSAPP = "whatsapp", _("WhatsApp")
    PUSH = "push", _("web push")


class RecipientRole(TextChoices):
    CUSTOMER = "customer", _("customer")
    STAFF = "staff", _("staff")


class NotificationStatus(TextChoices):
    QUEUED = "queued", _("queued")
    SENDING = "sending", _("being sent")
    SENT = "sent", _("sent")
    DELIVERED = "delivered", _("delivered")
    TEMPORARY_FAILURE = "temporary-failure", _("will be tried again")
    PERMANENT_FAILURE = "permanent-failure", _("could not be delivered")
    TECHNICAL_FAILURE = "technical-failure", _("failed on our side")
    CANCELLED = "cancelled", _("no longer wanted")
