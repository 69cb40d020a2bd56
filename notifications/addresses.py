"""Pseudonyms of addresses: equal for the same mailbox or phone, useless without the key of this site."""

from django.conf import settings

from accounts.contact.mailboxes import normalised_email
from accounts.contact.same_phones import phone_hash
from core.references import keyed_hash
from notifications.channel_types import AddressKind, of_kind

# Both reach the same phone, and whoever answers STOP to one means both.
TEXT_CHANNELS = of_kind(AddressKind.PHONE)


def address_hash(channel: str, address: str) -> str:
    """Return the pseudonym of an e-mail address or a phone number (E.164, with or without ``whatsapp:``).

    LINK_KEY is the one key that is never rotated: with another one, whoever said STOP would be written to again.
    """
    if channel in TEXT_CHANNELS:
        return phone_hash(address)
    return keyed_hash(settings.LINK_KEY, f"{channel}:{normalised_email(address)}")
