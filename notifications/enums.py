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


class Purpose(TextChoices):
    """Service messages are about something agreed. Marketing needs an opt-in and an unsubscribe link."""

    SERVICE = "service", _("service")
    MARKETING = "marketing", _("marketing")


class SuppressionReason(TextChoices):
    """Why an address gets no more messages by a channel. UNSUBSCRIBED ends only marketing, the others everything."""

    STOP = "stop", _("answered STOP")
    UNSUBSCRIBED = "unsubscribed", _("unsubscribed")
    BOUNCED = "bounced", _("does not exist")
    COMPLAINED = "complained", _("reported us as spam")
    UNREACHABLE = "unreachable", _("cannot receive this")


class InboundOutcome(TextChoices):
    """What became of a message that a customer sent to the business."""

    WAITING = "waiting", _("not looked at yet")
    STOPPED = "stopped", _("gets nothing more")
    RESTARTED = "restarted", _("gets messages again")
    IGNORED = "ignored", _("left to the front desk")
