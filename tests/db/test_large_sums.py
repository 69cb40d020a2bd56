"""The largest allowed price with extras of the same price: every amount fits into its column and is exact."""

from typing import Any

import pytest

from bookings.doctor.money import CHECKS as MONEY_CHECKS
from bookings.doctor.visits import CHECKS as BOOKING_CHECKS
from bookings.operations import desk_payment
from bookings.operations.cancel import cancel_booking
from bookings.operations.no_show import mark_no_show
from bookings.refs import subject_ref
from core.money import MOST_MINOR
from dashboard.permissions import rights_of
from dashboard.todo import hands
from payments.enums import Method
from payments.models import Refund
from payments.queries import balance
from staff.enums import Role
from tests.factories import NOW, Studio, add_on, desk_user
from tests.journeys import DESK, booked, paid_studio
from tests.money import deliver

pytestmark = pytest.mark.django_db
EXTRAS = 12
# With a tax of as much again on top.
TOTAL = 2 * (EXTRAS + 1) * MOST_MINOR


def dear_studio(**policy: Any) -> tuple[Studio, list[int]]:
    place = paid_studio("venue", service={"price_minor": MOST_MINOR, "tax_basis_points": 10_000}, **policy)
    place.business.prices_include_tax = False
    place.business.save()
    extras = [add_on(place.variant.service, price_minor=MOST_MINOR, extra_minutes=0).pk for _ in range(EXTRAS)]
    return place, extras


def test_the_dearest_visit_is_booked_paid_in_cash_and_given_back() -> None:
    place, extras = dear_studio()
    booking = booked(place, add_on_ids=extras)

    taken = desk_payment.record_payment(
        booking_id=booking.pk,
        method=Method.CASH,
        amount_minor=TOTAL,
        note="",
        request_key="form-1",
        actor=DESK,
        now=NOW,
    )
    deliver()
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=0, actor=DESK, now=NOW
    )

    booking.refresh_from_db()
    assert (booking.total_minor, booking.tax_minor) == (TOTAL, TOTAL // 2)
    assert Refund.objects.get(payment=taken).amount_minor == TOTAL
    assert balance(subject_ref(booking)).excess_minor == 0
    assert [found for check in [*BOOKING_CHECKS, *MONEY_CHECKS] for found in check.run(NOW)] == []


def test_the_dearest_fee_is_owed_in_full() -> None:
    place, extras = dear_studio(no_show_fee_kind="all")
    booking = booked(place, add_on_ids=extras)

    mark_no_show(booking_id=booking.pk, expected_sequence=booking.ical_sequence, actor=DESK, now=booking.ends_at)

    assert balance(subject_ref(booking)).open_minor == TOTAL
    found = hands(rights_of(desk_user(Role.OWNER)), booking.ends_at)
    assert [each.pk for each in found.unpaid] == [booking.pk]
