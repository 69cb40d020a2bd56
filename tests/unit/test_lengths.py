"""How long a booked visit may become, and which part of it gets longer."""

from datetime import UTC, datetime, timedelta

import pytest

from bookings.availability.claims import Phase
from bookings.enums import BookingStatus
from bookings.rules.lengths import LengthRefusal, length_refusal, may_change_variant, resized, shortest_minutes

END = datetime(2027, 1, 5, 10, 0, tzinfo=UTC)
PLAIN = (Phase("work", 60),)
COLOUR = (Phase("work", 45), Phase("processing", 30), Phase("work", 20))


@pytest.mark.parametrize(
    ("phases", "minutes", "lengths"),
    [
        (PLAIN, 90, [90]),
        (PLAIN, 5, [5]),
        (COLOUR, 125, [45, 30, 50]),
        (COLOUR, 80, [45, 30, 5]),
        ((Phase("work", 45), Phase("processing", 30)), 90, [60, 30]),
    ],
)
def test_the_last_work_gets_longer_or_shorter(phases: tuple[Phase, ...], minutes: int, lengths: list[int]) -> None:
    found = resized(phases, minutes)

    assert [phase.minutes for phase in found] == lengths
    assert [phase.kind for phase in found] == [phase.kind for phase in phases]


@pytest.mark.parametrize(("phases", "shortest"), [(PLAIN, 5), (COLOUR, 80)])
def test_there_is_a_shortest_and_a_longest_length(phases: tuple[Phase, ...], shortest: int) -> None:
    assert shortest_minutes(phases) == shortest
    for minutes in (shortest - 1, 1441):
        with pytest.raises(ValueError, match="too short or too long"):
            resized(phases, minutes)


@pytest.mark.parametrize(
    ("status", "minutes_left", "refusal"),
    [
        (BookingStatus.CONFIRMED, 1, None),
        (BookingStatus.REQUESTED, 60, None),
        (BookingStatus.PENDING_PAYMENT, 60, None),
        (BookingStatus.CONFIRMED, 0, LengthRefusal.OVER),
        (BookingStatus.STARTED, 30, LengthRefusal.STARTED),
        (BookingStatus.COMPLETED, 30, LengthRefusal.STARTED),
        (BookingStatus.NO_SHOW, 30, LengthRefusal.STARTED),
        (BookingStatus.CANCELLED, 60, LengthRefusal.CANCELLED),
        (BookingStatus.DECLINED, 60, LengthRefusal.NOT_BOOKED),
        (BookingStatus.EXPIRED, 60, LengthRefusal.NOT_BOOKED),
        (BookingStatus.HELD, 60, LengthRefusal.NOT_BOOKED),
    ],
)
def test_only_a_visit_that_stands_and_is_not_over_changes_its_length(
    status: BookingStatus, minutes_left: int, refusal: LengthRefusal | None
) -> None:
    assert length_refusal(status=status, ends_at=END, now=END - timedelta(minutes=minutes_left)) == refusal


def test_another_price_is_agreed_only_while_none_is_awaited() -> None:
    assert [status for status in BookingStatus if may_change_variant(status)] == [BookingStatus.CONFIRMED]
