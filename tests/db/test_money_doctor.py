"""Each check of money finds exactly the violation planted for it, and nothing in healthy data."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from bookings.doctor.money import CHECKS as MONEY_CHECKS
from bookings.doctor.visits import CHECKS
from bookings.models import Booking
from bookings.operations.cancel import cancel_booking
from bookings.operations.fees import waive_fee
from bookings.operations.hold import expire_holds
from bookings.operations.no_show import mark_no_show, settle_due_fees, undo_no_show
from bookings.operations.settle import settle_card
from tests.factories import NOW
from tests.journeys import DESK, LINK, arrived, card_kept, paid_studio, waiting
from tests.money import deliver

pytestmark = pytest.mark.django_db

LATER = NOW + timedelta(days=30)
BILL = "Every bill says what its bookings owe"
KEPT = "Nothing is kept beyond what is owed"


@pytest.fixture(autouse=True)
def online(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY = "sk_test_x"
    settings.STRIPE_PUBLISHABLE_KEY = "pk_test_x"


def healthy() -> dict[str, Booking]:
    """Bookings to which everything that money does has happened."""
    place = paid_studio("full", no_show_fee_kind="percent", no_show_fee_value=5000, staff=2)
    made = {}
    for hour, name in enumerate(("stands", "cancelled", "by_business", "missed", "undone", "waived", "waits"), start=9):
        made[name] = waiting(place, hour=hour)
        if name != "waits":
            arrived(made[name], 8000)
    deliver()
    Booking.objects.filter(pk=made["waits"].pk).update(hold_expires_at=LATER)
    late = waiting(place, hour=9)
    made["late"] = late
    expire_holds(now=NOW + timedelta(minutes=10))
    arrived(late, 8000)
    taken = waiting(place, hour=9, now=NOW + timedelta(minutes=11))
    deliver()
    moment = made["cancelled"].starts_at - timedelta(hours=30)
    cancel(made["cancelled"], 4000, moment)
    cancel(made["by_business"], 0, moment, actor=DESK)
    cancel(taken, 0, NOW + timedelta(minutes=12))
    for name in ("missed", "undone", "waived"):
        noted = made[name].ends_at
        mark_no_show(booking_id=made[name].pk, expected_sequence=made[name].ical_sequence, actor=DESK, now=noted)
    undo_no_show(
        booking_id=made["undone"].pk,
        expected_sequence=made["undone"].ical_sequence,
        actor=DESK,
        now=made["undone"].ends_at,
    )
    waive_fee(booking_id=made["waived"].pk, amount_minor=1000, reason="", actor=DESK, now=made["waived"].ends_at)
    settle_due_fees(now=LATER)
    deliver()
    made["carded"] = paid_card_booking(place)
    return made


def paid_card_booking(place: Any) -> Booking:
    place.variant.service.payment_mode = "card"
    place.variant.service.save()
    booking = waiting(place, hour=16)
    settle_card(saved_card_id=card_kept(booking).pk, now=NOW)
    return booking


def cancel(booking: Booking, fee: int, now: Any, actor: Any = LINK) -> None:
    cancel_booking(
        booking_id=booking.pk, expected_sequence=booking.ical_sequence, expected_fee_minor=fee, actor=actor, now=now
    )


def violations() -> dict[str, list[str]]:
    found = {check.title: list(check.run(LATER)) for check in CHECKS}
    return {title: lines for title, lines in found.items() if lines}


def sql(statement: str, *parameters: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def unpaid(made: dict[str, Booking]) -> None:
    sql("UPDATE bookings_booking SET due_now_minor = 8100 WHERE id = %s", made["stands"].pk)


def no_card(made: dict[str, Booking]) -> None:
    sql("DELETE FROM payments_savedcard")


def waits_for_nothing(made: dict[str, Booking]) -> None:
    sql("UPDATE bookings_booking SET due_now_minor = 0 WHERE id = %s", made["waits"].pk)


def of_nobody(made: dict[str, Booking]) -> None:
    sql("UPDATE payments_payment SET subject_ref = 'booking:99999' WHERE subject_ref = %s", ref(made["by_business"]))


def unsettled(made: dict[str, Booking]) -> None:
    sql(
        "UPDATE bookings_bookingevent SET details = '{}' WHERE booking_id = %s AND details ->> 'what' = 'paid'",
        made["stands"].pk,
    )


def fee_of_too_much(made: dict[str, Booking]) -> None:
    sql(
        "UPDATE payments_billline SET net_minor = net_minor * 4, tax_minor = tax_minor * 4, gross_minor = gross_minor"
        " * 4 WHERE kind = 'cancellation_fee'"
    )
    sql("UPDATE bookings_booking SET cancellation_fee_minor = 16000 WHERE id = %s", made["cancelled"].pk)


def kept_after_cancelling(made: dict[str, Booking]) -> None:
    sql(
        "DELETE FROM payments_refund r USING payments_payment p WHERE p.id = r.payment_id AND p.subject_ref = %s",
        ref(made["by_business"]),
    )


def fee_that_waits(made: dict[str, Booking]) -> None:
    sql("UPDATE bookings_booking SET fee_settles_at = %s WHERE id = %s", NOW, made["missed"].pk)


def owes_after_expiry(made: dict[str, Booking]) -> None:
    sql("DELETE FROM payments_billline WHERE kind = 'correction' AND subject_ref = %s", ref(made["late"]))


def fee_of_a_visit_that_took_place(made: dict[str, Booking]) -> None:
    sql("UPDATE payments_payment SET purpose = 'fee' WHERE subject_ref = %s", ref(made["stands"]))


def paid_for_a_move(made: dict[str, Booking]) -> None:
    sql("UPDATE payments_payment SET purpose = 'move' WHERE subject_ref = %s", ref(made["stands"]))


def ref(booking: Booking) -> str:
    return f"booking:{booking.pk}"


PLANTED: list[tuple[Callable[[dict[str, Booking]], None], set[str]]] = [
    (unpaid, {"No booking stands unpaid that had to be paid first"}),
    (no_card, {"No booking stands without the card that was asked for"}),
    (waits_for_nothing, {"What waits for a payment has a bill, an end and something due"}),
    (of_nobody, {"Money received belongs to a booking, or staff were alerted"}),
    (unsettled, {"Money that came was settled"}),
    (fee_of_too_much, {"No fee is more than the price"}),
    (kept_after_cancelling, {KEPT}),
    (fee_of_a_visit_that_took_place, {"No fee is kept of a visit that has none"}),
    (paid_for_a_move, {"Nothing is kept for a move that was not made"}),
    (fee_that_waits, {"No fee waits longer than it may"}),
    (owes_after_expiry, {BILL}),
]


def test_healthy_data_has_no_violation() -> None:
    made = healthy()

    statuses = {name: Booking.objects.get(pk=booking.pk).status for name, booking in made.items()}
    assert statuses == {
        "stands": "confirmed",
        "cancelled": "cancelled",
        "by_business": "cancelled",
        "missed": "no_show",
        "undone": "confirmed",
        "waived": "no_show",
        "waits": "pending_payment",
        "late": "expired",
        "carded": "confirmed",
    }
    assert violations() == {}


@pytest.mark.parametrize(("plant", "expected"), PLANTED, ids=lambda value: getattr(value, "__name__", None))
def test_a_planted_violation_is_found_by_its_check_alone(
    plant: Callable[[dict[str, Booking]], None], expected: set[str]
) -> None:
    made = healthy()

    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    plant(made)

    assert set(violations()) == expected


def test_every_check_is_planted() -> None:
    assert {check.title for check in MONEY_CHECKS} == {title for _, titles in PLANTED for title in titles}
