"""How many bookings stand before anybody acted from the mailbox or paid, and what happens above that."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Consent
from bookings.errors import AlreadyThatTime, TooManyUnproven
from bookings.models import Booking, UnprovenBooking
from bookings.operations.cancel import cancel_booking
from bookings.operations.proven_customer import link_proven_customer
from bookings.operations.settle import settle_payment
from notifications.models import Notification
from tests.factories import NOW, Studio, studio
from tests.journeys import DESK, GUEST, JANA, KIOSK, LINK, arrived, booked, confirm, hold, paid_studio

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.UNPROVEN_BOOKINGS_PER_EMAIL = settings.UNPROVEN_BOOKINGS_PER_PHONE = 2
    settings.UNPROVEN_BOOKINGS_PER_VISITOR, settings.UNPROVEN_BOOKINGS_PER_ADDRESS = 3, 4
    settings.UNPROVEN_BOOKINGS_OF_KNOWN = 3


def status_of_next(place: Studio, hour: int, *, email: str = "", phone: str = "", **changes: Any) -> str:
    contact = replace(JANA, email=email or JANA.email, phone=phone or JANA.phone)
    return booked(place, hour, contact=contact, **changes).status


@pytest.mark.parametrize(
    ("same", "limit"),
    [
        (lambda n: {"email": ["Jana@Example.com", "jana@example.com"][n % 2], "phone": f"+49151555000{n:02d}"}, 2),
        (lambda n: {"email": f"j{n}@example.com"}, 2),
        (lambda n: {"email": f"j{n}@example.com", "phone": f"+49151555000{n:02d}", "visitor_hash": "v"}, 3),
        (lambda n: {"email": f"j{n}@example.com", "phone": f"+49151555000{n:02d}", "address_hash": "a"}, 4),
    ],
    ids=["email", "phone", "visitor", "address"],
)
def test_above_the_limit_the_mailbox_is_asked(same: Any, limit: int) -> None:
    place = studio()

    found = [status_of_next(place, 9 + number, **same(number)) for number in range(limit + 1)]

    assert found == ["confirmed"] * limit + ["held"]


def test_what_waits_for_the_mailbox_is_held_for_half_an_hour_and_mailed_once() -> None:
    place = studio()
    for hour in (9, 10):
        booked(place, hour)
    held = hold(place, 11).booking

    first = confirm(held)
    again = confirm(held, now=NOW + timedelta(minutes=20))

    assert first == again
    again.refresh_from_db()
    assert (again.status, again.hold_expires_at) == ("held", NOW + timedelta(minutes=30))
    assert (again.contact_email, again.payment_mode, again.bill_id) == (JANA.email, "", None)
    mail = Notification.objects.get(subject_ref=f"booking:{held.pk}")
    assert (mail.kind, mail.channel, mail.address) == ("confirm_by_mail", "email", JANA.email)
    assert Consent.objects.count() == 2


def test_mails_that_ask_a_mailbox_are_few() -> None:
    place = studio()
    for hour in (9, 10):
        booked(place, hour)
    for hour in (11, 12, 13):
        assert confirm(hold(place, hour).booking).status == "held"

    held = hold(place, 14).booking
    with pytest.raises(TooManyUnproven):
        confirm(held, contact=replace(JANA, email="JANA@example.com"))
    later = NOW + timedelta(minutes=61)

    assert confirm(hold(place, 15, now=later).booking, now=later).status == "held"


def test_the_answer_from_the_mailbox_books_whatever_the_limit() -> None:
    place = studio()
    for hour in (9, 10):
        booked(place, hour)
    held = confirm(hold(place, 11).booking)

    link_proven_customer(booking_id=held.pk, now=NOW)
    done = confirm(held, actor=LINK, has_proven_email=True)

    assert done.status == "confirmed"
    assert done.customer
    assert done.customer.email_proven_at == NOW
    # The mailbox is known from now on, and what was booked with the same contact before counts no more.
    later = [booked(place, hour) for hour in (12, 13, 14, 15)]
    assert [each.status for each in later] == ["confirmed"] * 3 + ["held"]
    # A later proof is one of its own booking alone.
    link_proven_customer(booking_id=later[0].pk, now=NOW + timedelta(minutes=1))
    assert set(UnprovenBooking.objects.values_list("booking", flat=True)) == {each.pk for each in later[1:]}


@pytest.mark.parametrize("way", ["cancelled", "over", "proven"])
def test_what_is_over_or_proven_counts_no_more(way: str) -> None:
    place = studio()
    first, _ = booked(place, 9), booked(place, 10)
    now = NOW
    if way == "cancelled":
        cancel_booking(
            booking_id=first.pk, expected_sequence=first.ical_sequence, expected_fee_minor=0, actor=LINK, now=NOW
        )
    elif way == "over":
        now = first.ends_at
    else:
        link_proven_customer(booking_id=first.pk, now=NOW)

    assert booked(place, 12, now=now).status == "confirmed"


def test_paying_shows_as_much_as_the_mail(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk", "pk"
    place = paid_studio()

    waiting = [booked(place, hour) for hour in (9, 10, 11)]
    for each in waiting:
        settle_payment(payment_id=arrived(each, 1600).pk, now=NOW)

    assert {each.status for each in Booking.objects.all()} == {"confirmed"}
    settings.STRIPE_SECRET_KEY = ""
    assert booked(place, 12).status == "confirmed"


@pytest.mark.parametrize("actor", [DESK, KIOSK])
def test_whom_the_business_sees_is_not_limited(actor: Any) -> None:
    place = studio()

    found = [confirm(hold(place, hour, actor=actor).booking, actor=actor) for hour in (9, 10, 11, 12)]

    assert {each.status for each in found} == {"confirmed"}


def test_pseudonyms_are_kept_and_not_what_was_typed() -> None:
    booked(studio(), visitor_hash="v", address_hash="a")

    row = UnprovenBooking.objects.get()
    assert (row.visitor_hash, row.address_hash, row.asked_at) == ("v", "a", None)
    assert JANA.email not in row.email_hash
    assert len({row.email_hash, row.phone_hash}) == 2


def test_a_second_visit_at_the_same_time_is_asked_about_and_allowed() -> None:
    place = studio(staff=3)
    booked(place, 10, visitor_hash="v")
    overlapping = hold(place, 10, 30, visitor_hash="v").booking

    with pytest.raises(AlreadyThatTime):
        confirm(overlapping, contact=replace(JANA, email="Jana@example.com"))
    assert confirm(overlapping, accepts_second=True).status == "confirmed"


@pytest.mark.parametrize(("email", "visitor"), [(JANA.email, "w"), ("other@example.com", "v")])
def test_who_types_the_address_of_another_learns_nothing_about_that_persons_time(email: str, visitor: str) -> None:
    place = studio(staff=2)
    booked(place, 10, visitor_hash="v")

    second = hold(place, 10, visitor_hash=visitor, actor=GUEST).booking

    assert confirm(second, contact=replace(JANA, email=email)).status == "confirmed"
