"""Which commits wait for the disk: all but those of holds."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from bookings.models import Booking
from tests.factories import NOW, studio
from tests.journeys import confirm, hold, paid_studio

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _as_on_a_real_server() -> Iterator[None]:
    """The server of the tests does not wait for its disk at all."""
    database = connection.ops.quote_name(connection.settings_dict["NAME"])
    for change in ("SET synchronous_commit = on", "RESET synchronous_commit"):
        with connection.cursor() as cursor:
            cursor.execute(f"ALTER DATABASE {database} {change}")
        # Sessions learn it when they begin.
        connection.close()
        if change.startswith("SET"):
            yield


def at_commit(act: Callable[[], object]) -> str:
    """What the last transaction of ``act`` was committed with, as its last statement finds it."""
    seen: list[str] = []

    def watch(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        result = execute(sql, params, many, context)
        if connection.in_atomic_block:
            raw = connection.connection.execute("SELECT current_setting('synchronous_commit')")
            seen.append(raw.fetchone()[0])
        return result

    with connection.execute_wrapper(watch):
        act()
    return seen[-1]


def test_hold_does_not_wait_for_the_disk_and_a_confirmation_does() -> None:
    place = studio()
    held: list[Booking] = []

    assert at_commit(lambda: held.append(hold(place).booking)) == "off"
    assert at_commit(lambda: confirm(held[0])) == "on"


def test_hold_within_something_larger_leaves_its_commit_alone() -> None:
    place = studio()

    def both() -> None:
        with transaction.atomic():
            hold(place)

    assert at_commit(both) == "on"


def test_hold_that_ends_what_another_customer_owed_for_waits(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_x", "pk_test_x"
    place = paid_studio()
    unpaid = confirm(hold(place).booking)
    assert unpaid.status == "pending_payment"
    later = NOW + timedelta(hours=1)

    assert at_commit(lambda: hold(place, now=later)) == "on"
    unpaid.refresh_from_db()
    assert unpaid.status == "expired"
