"""What it proves about a customer that they confirm by the link which staff sent them."""

from dataclasses import dataclass, replace

from django.utils.crypto import constant_time_compare

from accounts.contact.contact import Contact
from accounts.contact.mailboxes import normalised_email
from accounts.models import Customer
from bookings.enums import BookingChannel
from bookings.models import Booking, HoldLink
from bookings.operations._customer_checks import Standing
from notifications.addresses import address_hash
from notifications.enums import Channel


@dataclass(frozen=True, slots=True)
class LinkProof:
    """``is_invited``: staff sent a link to this hold. ``has_proven_email``: it went to the mailbox that the customer
    gives. ``is_known``: staff chose the customer record.
    """

    is_invited: bool = False
    has_proven_email: bool = False
    is_known: bool = False


def link_proof(booking: Booking, contact: Contact) -> LinkProof:
    """Return what the link of a locked hold proves. One query, none for holds that staff did not make."""
    link = HoldLink.objects.filter(booking=booking).first() if booking.channel == BookingChannel.DESK else None
    if link is None:
        return LinkProof()
    given = address_hash(Channel.EMAIL, contact.email) if contact.email else ""
    return LinkProof(
        is_invited=True,
        has_proven_email=link.channel == Channel.EMAIL and constant_time_compare(link.address_hash, given),
        is_known=booking.customer_id is not None,
    )


def as_invited(standing: Standing, booking: Booking, contact: Contact) -> Standing:
    """Return the standing of an invited customer who gives an address that is not proven.

    Staff chose this customer, so no mail asks about the mailbox. Missed visits count only under the address of the
    chosen record: the page must not tell whether the owner of another address missed any.
    """
    own = Customer.objects.filter(pk=booking.customer_id or 0).values_list("email", flat=True).first() or ""
    is_own = bool(own) and normalised_email(own) == normalised_email(contact.email)
    return replace(standing, looks_at_no_shows=False, must_prepay=standing.must_prepay and is_own)
