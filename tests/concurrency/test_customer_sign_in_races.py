"""Signing in twice at once, and while a guest books with the same address."""

from dataclasses import replace

import pytest

from accounts.models import Customer, User
from bookings.operations.customer_sign_in import claim_mailbox
from tests import factories
from tests.concurrency.racing import race, rounds, tally, violations
from tests.factories import NOW
from tests.journeys import JANA, confirm, hold

pytestmark = pytest.mark.django_db(transaction=True)


@rounds(4, 20)
def test_two_codes_typed_at_once_make_one_user(rounds: int) -> None:
    factories.studio()
    for number in range(rounds):
        email = f"jana{number}@example.com"
        outcomes = race([lambda email=email: claim_mailbox(email=email, language="en", now=NOW) for _ in range(3)])

        assert tally(outcomes) == {"Customer": 3}
        user = User.objects.get(email=email)
        assert [each.user for each in outcomes] == [user] * 3
        assert Customer.objects.get(email=email).user == user


@rounds(4, 20)
def test_signing_in_while_a_guest_books_leaves_one_owner_of_the_mailbox(rounds: int) -> None:
    place = factories.studio()
    for number in range(rounds):
        contact = replace(JANA, email=f"jana{number}@example.com", phone=f"+49155555018{number:02}")
        held = hold(place, start_minute=place.minute(10, days=2 + number)).booking
        signed_in, booking = race(
            [
                lambda email=contact.email: claim_mailbox(email=email, language="en", now=NOW),
                lambda held=held, contact=contact: confirm(held, contact=contact),
            ]
        )

        owner = Customer.objects.get(email_normalised=contact.email)
        assert signed_in == owner
        assert owner.user is not None
        booking.refresh_from_db()
        # Signed in first, the customer has no name yet, so the guest's record is another one until the next sign-in.
        assert booking.customer is not None
    assert violations() == {}
