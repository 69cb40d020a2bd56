"""One process with one database: reads a command a line, does it once, answers with the seconds it took as JSON.

Several of these, asked in turn, let databases of different size be compared while the machine's speed drifts.
"""

import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import django

django.setup()

from django.db import connection, transaction  # noqa: E402

from benchmarks import data, floor  # noqa: E402
from bookings.availability import day_marks, free_starts  # noqa: E402
from bookings.enums import ActorKind, BookingChannel  # noqa: E402
from bookings.facts import availability_facts  # noqa: E402
from bookings.lifecycle import Actor  # noqa: E402
from bookings.models import Allocation, Booking  # noqa: E402
from bookings.operations.confirm import Contact, confirm_booking  # noqa: E402
from bookings.operations.hold import hold_slot  # noqa: E402

BERLIN = ZoneInfo("Europe/Berlin")
GUEST = Actor(kind=ActorKind.CUSTOMER, channel=BookingChannel.WEB)


class Bench:
    """The measured acts. Each returns (seconds, something about the answer that can be compared)."""

    def __init__(self, variant_id: int, today: date) -> None:
        self.variant_id = variant_id
        self.now = datetime(today.year, today.month, today.day, 6, tzinfo=UTC)
        self.first, self.last = floor.month_from(today)
        self.statement = floor.MONTH_ANY.format(variant=variant_id, first=f"'{self.first}'", last=f"'{self.last}'")
        self.location_id = 1
        self.acts = 0

    def sql(self) -> tuple[float, Any]:
        with connection.cursor() as cursor:
            begun = time.perf_counter()
            cursor.execute(self.statement)
            rows = cursor.fetchall()
            return time.perf_counter() - begun, len(rows)

    def month(self) -> tuple[float, Any]:
        begun = time.perf_counter()
        facts = availability_facts(variant_ids=[self.variant_id], from_on=self.first, until_on=self.last, now=self.now)
        marks = day_marks(facts, self.variant_id)
        starts = free_starts(facts, self.variant_id)
        taken = time.perf_counter() - begun
        assert marks
        return taken, sum(len(each) for each in starts.values())

    def raw(self) -> tuple[float, Any]:
        """One locked, checked, written hour of a therapist, far from everything else."""
        self.acts += 1
        starts_at = datetime(2040, 1, 1, tzinfo=UTC) + timedelta(hours=self.acts)
        ends_at = starts_at + timedelta(hours=1)
        with connection.cursor() as cursor:
            begun = time.perf_counter()
            with transaction.atomic():
                cursor.execute(floor.RAW_LOCK, [self.resource_id])
                cursor.execute(floor.RAW_CHECK, [self.resource_id, starts_at, ends_at])
                cursor.fetchall()
                cursor.execute(floor.RAW_INSERT, [self.resource_id, starts_at, ends_at, self.owner_id])
            return time.perf_counter() - begun, 1

    def book(self) -> tuple[float, Any]:
        """Hold and confirm the next free start of the month with anyone."""
        if not self.acts % 40:
            facts = availability_facts(
                variant_ids=[self.variant_id], from_on=self.first, until_on=self.last, now=self.now
            )
            self.free = free_starts(facts, self.variant_id)[self.location_id][::4]
        self.acts += 1
        start = self.free.pop(0)
        begun = time.perf_counter()
        held = hold_slot(
            variant_id=self.variant_id,
            location_id=self.location_id,
            start_minute=start,
            staff_member_id=None,
            actor=GUEST,
            language="en",
            visitor_hash=f"visitor-{self.acts}",
            address_hash=f"address-{self.acts}",
            now=self.now,
        )
        booking = confirm_booking(
            booking_id=held.booking.pk,
            contact=Contact(name="Jana Weber", email=f"jana{self.acts}@example.com", phone="+4915155501827", note=""),
            consent_text="Free to cancel until the start.",
            actor=GUEST,
            now=self.now,
        )
        taken = time.perf_counter() - begun
        return taken, str(booking.status)

    def ready(self) -> tuple[float, Any]:
        self.resource_id = Allocation.objects.order_by("resource_id").values_list("resource_id", flat=True)[0]
        self.owner_id = Booking.objects.order_by("id").values_list("id", flat=True)[0]
        return 0.0, Allocation.objects.count()


def main() -> None:
    today = date.fromisoformat(sys.argv[1])
    if sys.argv[2] == "fill":
        print(data.fill(staff_count=int(sys.argv[3]), past_bookings=int(sys.argv[4]), today=today))
        return
    bench = Bench(int(sys.argv[3]), today)
    for line in sys.stdin:
        act: Callable[[], tuple[float, Any]] = getattr(bench, line.strip())
        print(json.dumps(act()), flush=True)


if __name__ == "__main__":
    main()
