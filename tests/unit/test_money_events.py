"""What rows of the history tell about money: every kind is known to whoever writes, reads and words it."""

import pytest

from bookings.enums import EventKind, MoneyEvent
from bookings.models import BookingEvent
from bookings.money_events import money_event
from dashboard.presenters.history import MONEY_WORDS


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        (EventKind.MONEY, {"what": "paid"}, MoneyEvent.PAID),
        (EventKind.MONEY, {"what": "of an older version"}, None),
        (EventKind.MONEY, {}, None),
        (EventKind.CONTACT, {"what": "paid"}, None),
    ],
)
def test_a_row_is_read_as_what_it_tells(kind: EventKind, details: dict[str, str], expected: MoneyEvent | None) -> None:
    assert money_event(BookingEvent(kind=kind, details=details)) is expected


def test_the_desk_has_words_for_every_kind() -> None:
    assert set(MONEY_WORDS) == set(MoneyEvent)
