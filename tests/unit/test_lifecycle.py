"""The table of statuses says exactly what the design says, pair by pair."""

import pytest

from bookings.enums import CLAIMING, EXPIRING, BookingStatus
from bookings.lifecycle import TRANSITIONS, may_become

ALLOWED = {
    ("held", "pending_payment"),
    ("held", "requested"),
    ("held", "confirmed"),
    ("held", "expired"),
    ("requested", "confirmed"),
    ("requested", "pending_payment"),
    ("requested", "declined"),
    ("requested", "cancelled"),
    ("requested", "expired"),
    ("pending_payment", "confirmed"),
    ("pending_payment", "cancelled"),
    ("pending_payment", "expired"),
    ("expired", "confirmed"),
    ("confirmed", "started"),
    ("confirmed", "completed"),
    ("confirmed", "cancelled"),
    ("confirmed", "no_show"),
    ("started", "completed"),
    ("started", "confirmed"),
    ("no_show", "confirmed"),
    ("completed", "started"),
}
PAIRS = [(before.value, after.value) for before in BookingStatus for after in BookingStatus]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_may_become_for_every_pair_follows_the_table(before: str, after: str) -> None:
    assert may_become(before, BookingStatus(after)) == ((before, after) in ALLOWED)


def test_transitions_cover_every_status() -> None:
    assert set(TRANSITIONS) == set(BookingStatus)


def test_what_expires_by_itself_claims_time_and_may_expire() -> None:
    assert EXPIRING < CLAIMING
    assert {status for status in BookingStatus if may_become(status, BookingStatus.EXPIRED)} == EXPIRING
