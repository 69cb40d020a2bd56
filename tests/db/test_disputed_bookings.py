"""A lost dispute: the booking's amount is owed again, and staff get an alert."""

from typing import Any

import pytest

from bookings.doctor.visits import CHECKS as BOOKING_CHECKS
from bookings.queries.money import money_of
from bookings.refs import subject_ref
from dashboard.permissions import rights_of
from dashboard.presenters.money import ledger_of
from dashboard.presenters.todo import rows_of
from dashboard.todo import hands
from notifications.models import Notification
from payments.doctor import CHECKS as PAYMENT_CHECKS
from payments.operations.disputes import apply_disputes
from payments.queries import balance
from payments.stripe.gateway import Dispute
from staff.enums import Role
from tests.factories import NOW, desk_user
from tests.journeys import arrived, paid_studio, waiting
from tests.money import deliver

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def test_a_payment_that_the_bank_takes_back_is_open_again_and_seen() -> None:
    booking = waiting(paid_studio("full"), days=7)
    payment = arrived(booking, 8000)
    deliver()
    lost = Dispute("du_1", "lost", "fraudulent", 8000)

    for _ in range(2):
        apply_disputes(payment_id=payment.pk, found=[lost], now=NOW)
        deliver()

    booking.refresh_from_db()
    assert booking.status == "confirmed"
    assert balance(subject_ref(booking)).open_minor == 8000
    assert booking.events.filter(details__what="taken_back").count() == 1
    assert not Notification.objects.filter(kind__startswith="refund").exists()
    labels = [entry.label for entry in ledger_of(booking, money_of(booking), now=NOW).entries]
    assert labels[-2:] == ["Taken back by the bank, Visa 4242", "Due at the visit"]
    rights = rights_of(desk_user(Role.OWNER))
    assert rights
    [row] = rows_of(hands(rights, NOW), rights, now=NOW)
    assert row.title == "The bank took a payment back"
    assert [each.label for each in row.actions] == ["Take the money", "Settled"]
    assert [found for check in [*BOOKING_CHECKS, *PAYMENT_CHECKS] for found in check.run(NOW)] == []
