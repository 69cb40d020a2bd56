"""What every other module has to know of a channel, once for each: how a person is reached by it, what it can carry,
what it is called, and whether this site has what it needs. How it sends is in ``channels``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from notifications.enums import Channel

Text = str | Promise


class AddressKind(StrEnum):
    """What a channel sends to: a mailbox, a phone number, or the devices that a person has registered."""

    MAILBOX = "mailbox"
    PHONE = "phone"
    DEVICES = "devices"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelType:
    """``sender`` is the dotted name of its class, imported when the first message needs it: a site without Twilio never
    loads its library. ``short_file`` under templates/notifications replaces the ``sms.txt`` of a message.

    ``has_html``: its words are a whole letter, else a few lines. ``is_on_by_default``: rules need not switch it on.
    ``is_configured`` says whether this site has an account and a sender for it.
    """

    sender: str
    address: AddressKind
    choice_label: Text
    one_message: Text
    has_html: bool = False
    has_subject: bool = False
    is_on_by_default: bool = False
    short_file: str = ""
    is_configured: Callable[[], bool] = lambda: True


def _has_sms() -> bool:
    has_sender = settings.TWILIO_SMS_FROM or settings.TWILIO_MESSAGING_SERVICE_SID
    return bool(settings.TWILIO_ACCOUNT_SID and has_sender)


def _has_whatsapp() -> bool:
    return bool(settings.TWILIO_ACCOUNT_SID and settings.TWILIO_WHATSAPP_FROM)


def _has_push() -> bool:
    return bool(settings.VAPID_PRIVATE_KEY)


CHANNELS: Mapping[Channel, ChannelType] = {
    Channel.EMAIL: ChannelType(
        sender="notifications.channels.email.EmailChannel",
        address=AddressKind.MAILBOX,
        choice_label=_("Reminders by e-mail"),
        one_message=_("an e-mail"),
        has_html=True,
        has_subject=True,
        is_on_by_default=True,
    ),
    # Texts cost money, so they are on only where the business says so.
    Channel.SMS: ChannelType(
        sender="notifications.channels.twilio.SmsChannel",
        address=AddressKind.PHONE,
        choice_label=_("SMS"),
        one_message=_("a text"),
        is_configured=_has_sms,
    ),
    Channel.WHATSAPP: ChannelType(
        sender="notifications.channels.twilio.WhatsappChannel",
        address=AddressKind.PHONE,
        choice_label=_("WhatsApp"),
        one_message=_("a WhatsApp message"),
        is_configured=_has_whatsapp,
    ),
    Channel.PUSH: ChannelType(
        sender="notifications.channels.push.PushChannel",
        address=AddressKind.DEVICES,
        choice_label=_("Notifications on this and your other devices"),
        one_message=_("a notification"),
        has_subject=True,
        is_on_by_default=True,
        short_file="_push.txt",
        is_configured=_has_push,
    ),
}


def of_kind(address: AddressKind) -> tuple[Channel, ...]:
    """Return the channels that send to an address of a kind, in order."""
    return tuple(channel for channel, known in CHANNELS.items() if known.address is address)
