"""A customer's choices about messages. Acting by the mailed link proves that the mailbox is theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import Customer
from accounts.operations import agree_to_marketing, choose_channels, set_quiet_hours, withdraw_marketing
from bookings.models import Booking
from bookings.operations._transaction import booking_transaction
from bookings.operations.proven_customer import link_proven_customer
from bookings.refs import subject_ref
from notifications.devices import Keys, add_device
from notifications.enums import Channel
from notifications.unsubscribing import subscribe_again


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the customer chose.

    ``quiet_hours`` are minutes from midnight at the location; two equal values mean none. ``consent_text`` is the exact
    text that was shown next to the choice of news.
    """

    channels: Mapping[str, bool]
    quiet_hours: tuple[int, int]
    wants_news: bool
    consent_text: str


@booking_transaction
def choose_messages(*, booking_id: int, chosen: Chosen, now: datetime) -> None:
    """Store what the owner of the mailbox chose, for all their bookings. Locks: the customer, if news are chosen."""
    booking = link_proven_customer(booking_id=booking_id, now=now)
    customer_id, _ref = _person(booking)
    _store(
        customer_id,
        chosen,
        email=booking.contact_email,
        time_zone=booking.location.time_zone,
        agreed_for=subject_ref(booking),
        now=now,
    )


@transaction.atomic
def choose_own_messages(*, customer_id: int, chosen: Chosen, time_zone: str, now: datetime) -> None:
    """Store what a signed-in customer chose. Locks: the customer, if news are chosen.

    ``time_zone`` is that of the quiet hours.
    """
    customer = Customer.objects.get(pk=customer_id)
    ref = f"customer:{customer_id}"
    _store(customer_id, chosen, email=customer.email, time_zone=time_zone, agreed_for=ref, now=now)


@transaction.atomic
def stop_own_messages(*, customer_id: int, now: datetime) -> None:
    """Stop for a signed-in customer what ``stop_all_but_needed`` stops."""
    choose_channels(person_ref=f"customer:{customer_id}", wanted=dict.fromkeys(Channel.values, False), now=now)
    withdraw_marketing(customer_id=customer_id, now=now)


@booking_transaction
def stop_all_but_needed(*, booking_id: int, now: datetime) -> None:
    """Stop reminders, text messages, notifications and news.

    Messages about what is agreed, changed or paid still come by e-mail.
    """
    customer_id, person_ref = _person(link_proven_customer(booking_id=booking_id, now=now))
    with transaction.atomic():
        choose_channels(person_ref=person_ref, wanted=dict.fromkeys(Channel.values, False), now=now)
        withdraw_marketing(customer_id=customer_id, now=now)


@booking_transaction
def register_device(*, booking_id: int, endpoint: str, keys: Keys, now: datetime) -> None:
    """Send web push to this device of the mailbox's owner, and switch the channel on.

    :raises UnknownPushService: when the address does not belong to a browser vendor's push service.
    """
    _, person_ref = _person(link_proven_customer(booking_id=booking_id, now=now))
    with transaction.atomic():
        add_device(person_ref=person_ref, endpoint=endpoint, keys=keys, now=now)
        choose_channels(person_ref=person_ref, wanted={Channel.PUSH: True}, now=now)


@transaction.atomic
def _store(customer_id: int, chosen: Chosen, *, email: str, time_zone: str, agreed_for: str, now: datetime) -> None:
    """``agreed_for`` is the reference of what the consent to news was given for."""
    person_ref = f"customer:{customer_id}"
    start_minute, end_minute = chosen.quiet_hours
    choose_channels(person_ref=person_ref, wanted=chosen.channels, now=now)
    set_quiet_hours(person_ref=person_ref, start_minute=start_minute, end_minute=end_minute, time_zone=time_zone)
    if chosen.wants_news:
        agree_to_marketing(customer_id=customer_id, subject_ref=agreed_for, text=chosen.consent_text, now=now)
        subscribe_again(email=email)
    else:
        withdraw_marketing(customer_id=customer_id, now=now)


def _person(booking: Booking) -> tuple[int, str]:
    if booking.customer_id is None:
        raise ValueError("A booking without a mailbox has no link that travels by mail.")
    return booking.customer_id, f"customer:{booking.customer_id}"
