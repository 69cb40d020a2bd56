"""The channels, with what other modules have to know of each.

That is the kind of address, what the channel can carry, its name, and whether this site has set it up. The classes that
send are in ``channels``.
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
    """One channel. ``sender`` is the dotted name of the sending class.

    It is imported with the first message, so a site without Twilio never loads Twilio's library. ``short_file`` under
    templates/notifications replaces the ``sms.txt`` of a message.

    ``has_html`` means a full letter; other channels carry a few lines. ``is_on_by_default`` holds without a
    MessageRule. ``is_configured`` returns whether this site has an account and a sender for the channel.
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
    # Text messages cost money, so they are off until the business switches them on.
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
    """Return the channels that send to this kind of address, in the order of CHANNELS."""
    return tuple(channel for channel, known in CHANNELS.items() if known.address is address)
