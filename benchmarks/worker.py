"""One process with one database: reads a command a line, does it once, answers with the seconds it took as JSON.

Several of these, asked in turn, let databases of different size be compared while the machine's speed drifts.
"""

import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import django

django.setup()

from django.db import connection  # noqa: E402
from django.urls import reverse  # noqa: E402

from accounts.contact.contact import Contact  # noqa: E402
from benchmarks import customers, data, desk, floor, rows  # noqa: E402
from bookings.availability.engine import day_marks, free_starts  # noqa: E402
from bookings.availability.loading import availability_facts  # noqa: E402
from bookings.enums import ActorKind, BookingChannel  # noqa: E402
from bookings.lifecycle import Actor  # noqa: E402
from bookings.links import LinkRole, manage_token  # noqa: E402
from bookings.models import Allocation, Booking  # noqa: E402
from bookings.operations.confirm import confirm_booking  # noqa: E402
from bookings.operations.hold import HeldSlot, hold_slot  # noqa: E402
from bookings.refs import subject_ref  # noqa: E402
from payments.enums import Method, Purpose  # noqa: E402
from payments.operations import draw_receipt, issue_receipt, record_payment  # noqa: E402

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
        self.visitors = 0
        self.free: list[int] = []
        self.searches = -1

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

    def rows(self) -> tuple[float, Any]:
        """Write the rows that a hold and its confirmation write."""
        begun = time.perf_counter()
        rows.run(self.floor)
        return time.perf_counter() - begun, 1

    def book(self) -> tuple[float, Any]:
        """Hold and confirm the next free start of the month with anyone."""
        start = self._next_start()
        begun = time.perf_counter()
        booking = self._confirm(self._hold(start))
        return time.perf_counter() - begun, str(booking.status)

    def learn(self) -> tuple[float, Any]:
        """Find out by one booking which rows the floor has to write."""
        found = rows.floor_of(lambda: self._hold(self._next_start()), self._confirm)
        self.floor = rows.prepared(found)
        counts: dict[str, int] = {}
        for statement in itertools.chain(*found):
            name = f"{statement.table} changed" if statement.is_update else statement.table
            counts[name] = counts.get(name, 0) + len(statement.rows)
        return 0.0, {"rows": counts, "script": rows.pgbench_script(found)}

    def receipt(self) -> tuple[float, Any]:
        """Pay a booking at the desk, draw its receipt, and return where its PDF is; the time is that of drawing."""
        booking = self._confirm(self._hold(self._next_start()))
        paid = record_payment(
            bill_id=booking.bill_id or 0,
            subject_ref=subject_ref(booking),
            purpose=Purpose.BOOKING,
            method=Method.CASH,
            amount_minor=booking.total_minor,
            actor_id=None,
            actor_name="",
            note="",
            request_key=f"bench-{booking.pk}",
            now=self.now,
        )
        receipt = issue_receipt(payment_id=paid.pk, now=self.now)
        assert receipt
        begun = time.perf_counter()
        draw_receipt(receipt_id=receipt.pk, now=self.now)
        taken = time.perf_counter() - begun
        return taken, reverse("receipt_pdf", args=[manage_token(booking, LinkRole.GUEST), receipt.number])

    def desk_day(self) -> tuple[float, Any]:
        """Render the fullest day of the calendar: all therapists, ten bookings each."""
        begun = time.perf_counter()
        answer = self.desk.get(self.desk_path)
        taken = time.perf_counter() - begun
        assert answer.status_code == 200
        return taken, answer.content.count(b"data-ref=")

    def desk_sql(self) -> tuple[float, Any]:
        """Run the statements of that page again, and nothing else."""
        begun = time.perf_counter()
        found = desk.replay(self.desk_statements)
        return time.perf_counter() - begun, found

    def open_desk(self) -> tuple[float, Any]:
        """Fill a day for the calendar, sign in, and return what an open page asks and knows."""
        on = self.now.date() + timedelta(days=70)
        on += timedelta(days=-on.weekday() % 7)
        data.fill_day(on)
        self.desk, self.desk_path = desk.front_desk(), f"/desk/?on={on}"
        page = self.desk.get(self.desk_path).content.decode()
        self.desk_statements = desk.statements_of(lambda: self.desk.get(self.desk_path))
        path, tag = re.findall(r'data-changes="([^"]*)"\s+data-state="([^"]*)"', page)[0]
        session = self.desk.cookies["session"].value
        return 0.0, {"path": unescape(path), "tag": unescape(tag), "session": session}

    def search(self) -> tuple[float, Any]:
        """Search for a customer, each time by the next text."""
        self.searches += 1
        typed = customers.typed_texts()[self.searches % len(customers.typed_texts())]
        return customers.search(typed, self.now), typed

    def ready(self) -> tuple[float, Any]:
        return 0.0, Allocation.objects.count()

    def _next_start(self) -> int:
        """Asked seldom, because asking takes longer than booking."""
        if not self.free:
            facts = availability_facts(
                variant_ids=[self.variant_id], from_on=self.first, until_on=self.last, now=self.now
            )
            self.free = free_starts(facts, self.variant_id)[self.location_id][::4]
        return self.free.pop(0)

    def _hold(self, start: int) -> HeldSlot:
        self.visitors += 1
        return hold_slot(
            variant_id=self.variant_id,
            location_id=self.location_id,
            start_minute=start,
            staff_member_id=None,
            actor=GUEST,
            language="en",
            visitor_hash=f"visitor-{self.visitors}",
            address_hash=f"address-{self.visitors}",
            now=self.now,
        )

    def _confirm(self, held: HeldSlot) -> Booking:
        name, phone = f"jana{held.booking.pk}", f"+49151{55_000_000 + held.booking.pk % 1_000_000}"
        return confirm_booking(
            booking_id=held.booking.pk,
            contact=Contact(name="Jana Weber", email=f"{name}@example.com", phone=phone, note=""),
            consent_text="Free to cancel until the start.",
            actor=GUEST,
            now=self.now,
        )


def main() -> None:
    today = date.fromisoformat(sys.argv[1])
    if sys.argv[2] == "fill":
        print(data.fill(staff_count=int(sys.argv[3]), past_bookings=int(sys.argv[4]), today=today))
        return
    if sys.argv[2] == "customers":
        customers.fill(int(sys.argv[3]))
        return
    bench = Bench(int(sys.argv[3]), today)
    for line in sys.stdin:
        act: Callable[[], tuple[float, Any]] = getattr(bench, line.strip())
        print(json.dumps(act()), flush=True)


if __name__ == "__main__":
    main()
