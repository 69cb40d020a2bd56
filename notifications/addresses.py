"""Pseudonyms of addresses. They are equal for the same mailbox or phone, and useless without this site's LINK_KEY."""

from django.conf import settings

from accounts.contact.mailboxes import normalised_email
from accounts.contact.same_phones import phone_hash
from core.references import keyed_hash
from notifications.channel_types import AddressKind, of_kind

# SMS and WhatsApp reach the same phone. A customer who answers STOP to one means both.
TEXT_CHANNELS = of_kind(AddressKind.PHONE)


def address_hash(channel: str, address: str) -> str:
    """Return the pseudonym of an e-mail address or a phone number (E.164, with or without ``whatsapp:``).

    LINK_KEY is never rotated: with another key the site would write again to customers who answered STOP.
    """
    if channel in TEXT_CHANNELS:
        return phone_hash(address)
    return keyed_hash(settings.LINK_KEY, f"{channel}:{normalised_email(address)}")
