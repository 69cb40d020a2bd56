"""Finds everything that belongs to a customer: bookings, the user, and the pseudonyms of mailbox and phone."""

from accounts.contact.mailboxes import normalised_email
from accounts.models import Customer
from bookings.models import Booking
from bookings.refs import booking_ref
from core.personal_data import Person
from notifications.addresses import address_hash
from notifications.enums import Channel


def person_of(customer: Customer) -> Person:
    """Return what the declarations need to find the data of a customer. Five queries at most.

    A mailbox or number that another customer or a booking of another customer has too is not a pseudonym of this one:
    what came from it may be theirs.
    """
    bookings = list(Booking.objects.filter(customer=customer).order_by("pk"))
    records = [customer, *customer.merged_records.order_by("pk")]
    emails = [*(each.email for each in records), *(row.contact_email for row in bookings)]
    mailboxes = {normalised_email(each) for each in emails if each}
    hashes = [*(each.phone_hash for each in records), *(row.phone_hash for row in bookings)]
    numbers = {each for each in hashes if each}
    own = [each.pk for each in records]
    return Person(
        customer_id=customer.pk,
        user_id=customer.user_id,
        refs=tuple(booking_ref(row.pk) for row in bookings),
        pseudonyms=tuple(
            sorted(
                {address_hash(Channel.EMAIL, each) for each in mailboxes - _mailboxes_of_others(own, mailboxes)}
                | (numbers - _numbers_of_others(own, numbers))
            )
        ),
        merged_ids=tuple(own[1:]),
    )


def _mailboxes_of_others(own: list[int], mailboxes: set[str]) -> set[str]:
    others = Customer.objects.exclude(pk__in=own).filter(email_normalised__in=mailboxes)
    return {str(each) for each in others.values_list("email_normalised", flat=True)}


def _numbers_of_others(own: list[int], numbers: set[str]) -> set[str]:
    customers = Customer.objects.exclude(pk__in=own).filter(phone_hash__in=numbers)
    bookings = Booking.objects.exclude(customer__in=own).filter(phone_hash__in=numbers)
    return set(customers.values_list("phone_hash", flat=True)) | set(bookings.values_list("phone_hash", flat=True))
