"""Making a visit longer or shorter: claims, price, messages, and what is refused."""

from datetime import timedelta
from typing import Any

import pytest

from bookings.errors import (
    AlreadyCancelled,
    LengthDoesNotFit,
    LengthNotOffered,
    NoLengthReason,
    SameLength,
    SeveralServices,
    StalePage,
    VisitBegun,
)
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.change_length import change_length
from bookings.operations.desk_payment import lower_price
from bookings.operations.move import reschedule_booking
from bookings.operations.visit_progress import start_visit
from core.outbox import drain
from notifications.models import Notification
from notifications.operations import send_due
from payments.enums import Purpose
from payments.models import Refund
from payments.queries import balance
from services.models import Service, ServiceVariant
from staff.models import Qualification
from tests import factories
from tests.concurrency.racing import violations
from tests.factories import NOW, Studio
from tests.journeys import DESK, arrived, booked, claims, confirm, held_two, hold, waiting

pytestmark = pytest.mark.django_db


@pytest.fixture
def place() -> Studio:
    return factories.studio(staff=2, buffer_after_minutes=15)


def longer(place: Studio, *, minutes: int = 90, price_minor: int = 11000, **values: Any) -> ServiceVariant:
    """Another variant of the service, which everybody performs."""
    made = factories.variant(place.variant.service, minutes=minutes, price_minor=price_minor, **values)
    Qualification.objects.bulk_create(Qualification(staff_member=each, variant=made) for each in place.staff)
    return made


def change(booking: Booking, **changes: Any) -> Booking:
    arguments = {
        "booking_id": booking.pk,
        "variant_id": None,
        "minutes": None,
        "expected_sequence": booking.ical_sequence,
        "expected_total_minor": booking.total_minor,
        "actor": DESK,
        "now": NOW,
        "reason": "Needs more time",
    }
    return change_length(**{**arguments, **changes})


def own(place: Studio, hour: int = 10) -> Booking:
    return booked(place, hour, staff_member_id=place.staff[0].pk)


def test_by_hand_the_end_and_the_claims_change_and_the_price_stays(place: Studio) -> None:
    booking = own(place)

    change(booking, minutes=75)

    booking.refresh_from_db()
    line = booking.lines.get()
    assert (booking.starts_at, booking.ends_at, line.ends_at) == (place.at(10), place.at(11, 15), place.at(11, 15))
    assert (booking.total_minor, line.price_minor, line.variant) == (8000, 8000, place.variant)
    assert claims() == [(place.staff[0].resource_id, place.minute(10), place.minute(11, 30))]
    event = booking.events.last()
    assert event
    assert (event.kind, event.reason, event.actor_name) == ("length", "Needs more time", "Sam")
    assert event.details == {
        "from": {"minutes": 60, "variant_id": place.variant.pk, "total_minor": 8000},
        "to": {"minutes": 75, "variant_id": place.variant.pk, "total_minor": 8000},
    }
    assert violations() == {}


def test_a_shorter_visit_frees_the_rest(place: Studio) -> None:
    booking = own(place)

    change(booking, minutes=30)

    assert claims() == [(place.staff[0].resource_id, place.minute(10), place.minute(10, 45))]
    assert hold(place, 10, 45, staff_member_id=place.staff[0].pk)
    assert violations() == {}


def test_another_variant_brings_its_length_and_its_price(place: Studio) -> None:
    variant = longer(place)
    booking = own(place)

    change(booking, variant_id=variant.pk, expected_total_minor=11000, reason="")

    booking.refresh_from_db()
    line = booking.lines.get()
    assert (line.variant, line.price_minor, booking.total_minor) == (variant, 11000, 11000)
    assert booking.ends_at == place.at(11, 30)
    assert balance(f"booking:{booking.pk}").owed_minor == 11000
    assert violations() == {}


def test_the_length_and_price_of_the_staff_member_count_with_the_extras(place: Studio) -> None:
    variant = longer(place)
    Qualification.objects.filter(staff_member=place.staff[0], variant=variant).update(
        work_minutes=100, price_minor=12000
    )
    extra = factories.add_on(place.variant.service, price_minor=600, extra_minutes=10)
    booking = booked(place, 10, staff_member_id=place.staff[0].pk, add_on_ids=(extra.pk,))
    assert booking.total_minor == 8600

    change(booking, variant_id=variant.pk, expected_total_minor=12600)

    booking.refresh_from_db()
    assert (booking.ends_at, booking.total_minor) == (place.at(11, 50), 12600)
    assert violations() == {}


def test_of_a_lower_price_what_was_paid_too_much_goes_back(place: Studio) -> None:
    variant = longer(place, minutes=30, price_minor=5000)
    booking = own(place)
    arrived(booking, 8000, purpose=Purpose.BALANCE)
    drain(now=NOW)

    change(booking, variant_id=variant.pk, expected_total_minor=5000)

    assert [refund.amount_minor for refund in Refund.objects.all()] == [3000]
    assert balance(f"booking:{booking.pk}").owed_minor == 5000


def test_what_staff_took_off_the_price_stays_off(place: Studio) -> None:
    variant = longer(place)
    booking = own(place)
    reduced = lower_price(booking_id=booking.pk, amount_minor=1000, reason="Late", actor=DESK, now=NOW)

    change(reduced, variant_id=variant.pk, expected_total_minor=10000)

    booking.refresh_from_db()
    assert booking.total_minor == 10000
    assert violations() == {}


def test_a_price_that_has_changed_since_the_page_is_not_taken(place: Studio) -> None:
    variant = longer(place)
    booking = own(place)
    ServiceVariant.objects.filter(pk=variant.pk).update(price_minor=12000)

    with pytest.raises(StalePage):
        change(booking, variant_id=variant.pk, expected_total_minor=11000)
    booking.refresh_from_db()
    assert booking.total_minor == 8000


def test_customer_and_staff_member_are_informed_and_reminders_follow(place: Studio) -> None:
    booking = own(place)
    send_due(now=NOW, limit=50)

    change(booking, minutes=90)

    sent = Notification.objects.filter(version=1).exclude(kind="review_request")
    assert [row.recipient_role for row in sent.filter(kind="length").order_by("pk")] == ["customer", "staff"]
    assert sent.filter(kind="reminder", status="queued").exists()
    assert send_due(now=NOW, limit=50) == 2


def test_after_an_untold_move_one_message_tells_the_new_time(place: Studio) -> None:
    booking = own(place)
    send_due(now=NOW, limit=50)
    moved = reschedule_booking(
        booking_id=booking.pk,
        start_minute=place.minute(14),
        staff_member_id=None,
        expected_sequence=0,
        expected_fee_minor=0,
        actor=DESK,
        now=NOW,
    )

    change(moved, minutes=90)
    send_due(now=NOW + timedelta(minutes=2), limit=50)

    told = Notification.objects.filter(status="sent", version__gt=0).order_by("pk")
    assert [(row.kind, row.recipient_role, row.version) for row in told] == [
        ("moved", "customer", 2),
        ("moved", "staff", 2),
    ]


def test_twice_the_same_is_once(place: Studio) -> None:
    booking = own(place)

    change(booking, minutes=90)
    again = change(booking, minutes=90, expected_sequence=0)

    assert again.ical_sequence == 1
    assert booking.events.filter(kind="length").count() == 1


def test_another_page_that_is_older_changes_nothing(place: Studio) -> None:
    booking = own(place)
    change(booking, minutes=90)

    with pytest.raises(StalePage):
        change(booking, minutes=75, expected_sequence=0)


def test_the_time_after_it_is_taken(place: Studio) -> None:
    booking = own(place)
    other = own(place, 12)
    before = claims()

    with pytest.raises(LengthDoesNotFit):
        change(booking, minutes=120)

    assert claims() == before
    booking.refresh_from_db()
    assert (booking.ends_at, booking.ical_sequence) == (place.at(11), 0)
    cancel_booking(booking_id=other.pk, expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW)
    assert change(booking, minutes=120).ends_at == place.at(12)


def test_the_rules_are_set_aside_by_name_only(place: Studio) -> None:
    booking = booked(place, 15, 30, staff_member_id=place.staff[0].pk)

    with pytest.raises(LengthDoesNotFit):
        change(booking, minutes=120)
    change(booking, minutes=120, overrides=frozenset({"working_hours", "opening_hours"}))

    event = booking.events.last()
    assert event
    assert event.details["overrides"] == ["opening_hours", "working_hours"]


def test_without_its_buffer_a_visit_fits_before_the_next_one(place: Studio) -> None:
    booking = own(place)
    own(place, 12)

    change(booking, minutes=120, overrides=frozenset({"buffers"}))

    assert claims()[0] == (place.staff[0].resource_id, place.minute(10), place.minute(12))
    assert violations() == {}


def test_the_room_stays_if_it_is_free_for_that_long(place: Studio) -> None:
    kind = factories.resource_type()
    factories.requirement(place.variant.service, kind)
    rooms = [factories.room(place.location, kind) for _ in range(2)]
    other = booked(place, 10, staff_member_id=place.staff[1].pk)
    booking = own(place)
    cancel_booking(booking_id=other.pk, expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW)

    change(booking, minutes=90)

    assert {claim[0] for claim in claims()} == {rooms[1].pk, place.staff[0].resource_id}


def test_a_late_customer_gets_the_whole_visit(place: Studio) -> None:
    booking = own(place)

    assert change(booking, minutes=80, now=place.at(10, 20)).ends_at == place.at(11, 20)


def test_limits_of_the_day_and_notice_do_not_bind_a_start_that_stays(place: Studio) -> None:
    place.business.booking_policy.lead_minutes = 3 * 1440
    booking = own(place)
    place.business.booking_policy.save()
    Service.objects.update(daily_limit=1)

    assert change(booking, minutes=90).ends_at == place.at(11, 30)


def test_refusals(place: Studio) -> None:
    variant = longer(place)
    stranger = factories.variant(place.variant.service, minutes=45)
    booking, off, begun = own(place), own(place, 12), own(place, 14)
    cancel_booking(booking_id=off.pk, expected_sequence=0, expected_fee_minor=0, actor=DESK, now=NOW)
    start_visit(booking_id=begun.pk, expected_sequence=0, actor=DESK, now=place.at(14))

    for arguments, error in (
        ({"minutes": 60}, SameLength),
        ({"minutes": 90, "reason": ""}, NoLengthReason),
        ({"minutes": 3}, LengthNotOffered),
        ({"minutes": 2000}, LengthNotOffered),
        ({"variant_id": stranger.pk}, LengthNotOffered),
        ({"variant_id": place.variant.pk}, LengthNotOffered),
        ({"minutes": 90, "now": place.at(11)}, VisitBegun),
    ):
        with pytest.raises(error):
            change(booking, **arguments)
    with pytest.raises(AlreadyCancelled):
        change(off, minutes=90, expected_sequence=1)
    with pytest.raises(VisitBegun):
        change(begun, minutes=90, now=place.at(14, 5))
    with pytest.raises(VisitBegun):
        change(begun, variant_id=variant.pk, now=place.at(14, 5))
    assert not Notification.objects.filter(kind="length").exists()


def test_while_a_payment_is_awaited_only_the_minutes_change(place: Studio, settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_x", "pk_test_x"
    terms = factories.cancellation_policy(payment_mode="deposit", deposit_value=2000)
    place.business.cancellation_policy = terms
    place.business.save()
    variant = longer(place)
    booking = waiting(place)
    assert booking.status == "pending_payment"

    with pytest.raises(LengthNotOffered):
        change(booking, variant_id=variant.pk, expected_total_minor=11000)
    assert change(booking, minutes=90).total_minor == 8000


def test_a_visit_of_two_services_keeps_its_length() -> None:
    booking = confirm(held_two(factories.studio(staff=2)))

    with pytest.raises(SeveralServices):
        change(booking, minutes=150)
