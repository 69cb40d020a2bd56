"""Many customers at once, by HTTP against the running server: one gets the time, the others get other times to choose.

The short runs belong to every change; ``make load`` does the same with up to a hundred customers and many more rounds
(RACE_ROUNDS multiplies them).
"""

import asyncio
import os
import re
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count, pairwise
from random import Random
from typing import TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest

from tests.stack import Stack

ROUNDS = int(os.environ.get("RACE_ROUNDS", "1"))
# Nobody waits longer than this, however busy the machine is. How fast it is on a quiet one says make bench.
PATIENCE_SECONDS = 15.0
BERLIN = ZoneInfo("Europe/Berlin")
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
SLOT = re.compile(r'name="slot" value="(\d+\.\d+)"')
LONG = [pytest.mark.load, pytest.mark.timeout(1800)]
T = TypeVar("T")

# One therapist alone, a team of three, and two services with therapists of their own that share the only room.
STUDIO = """
from tests import factories as make
make.business(booking_policy=make.booking_policy(horizon_days=300))
place = make.location(name="Kreuzberg", slug="kreuzberg")
solo = make.service(place, slug="solo")
make.staff_member(solo, at=place, email="solo@example.com")
buffered = make.service(place, slug="buffered", buffer_before_minutes=10, buffer_after_minutes=15)
make.staff_member(buffered, at=place)
team = make.service(place, slug="team")
for number in range(3):
    make.staff_member(team, at=place)
kind = make.resource_type()
make.room(place, kind)
for slug in ("wrap", "peeling"):
    shared = make.service(place, slug=slug)
    make.requirement(shared.service, kind)
    make.staff_member(shared, at=place)
"""


@pytest.fixture(scope="module")
def site() -> Iterator[Stack]:
    """A site with a small studio and more processes than cores. At the end its books must balance."""
    with Stack(web_workers=4, env={"HOLDS_PER_ADDRESS": "1000000"}) as stack:
        stack.manage("shell", "--command", STUDIO)
        yield stack
        stack.manage("doctor")
        assert deadlocks(stack) == 0
        assert "Traceback" not in stack.log("web").read_text()


# --- one time, many customers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("customers", "rounds"),
    [
        (10, 4),
        pytest.param(2, 200, marks=LONG),
        pytest.param(10, 50, marks=LONG),
        pytest.param(30, 20, marks=LONG),
        pytest.param(100, 10, marks=LONG),
    ],
)
def test_one_time_goes_to_exactly_one_of_many(site: Stack, customers: int, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        minute = next(fresh_times)

        tries = run(site, customers, lambda guest, minute=minute: guest.book("solo", minute))

        assert outcomes(tries) == Counter(confirmed=1, refused=customers - 1)
        assert all(other_times(each) for each in tries if each.outcome == "refused")
        assert booked(site, "solo", minute) == 1
        assert max(each.slowest for each in tries) <= PATIENCE_SECONDS


@pytest.mark.parametrize(("customers", "rounds"), [(12, 2), pytest.param(50, 20, marks=LONG)])
def test_overlapping_times_leave_winners_apart_and_losers_beside_a_winner(
    site: Stack, customers: int, rounds: int
) -> None:
    chance = Random(7)
    length, before, after = 60, 10, 15
    for _ in range(rounds * ROUNDS):
        first = next(fresh_mornings)
        wishes = [first + 15 * chance.randrange(12) for _ in range(customers)]

        tries = run(site, customers, lambda guest, wishes=wishes: guest.book("buffered", wishes[guest.number]))

        won = sorted(wish for wish, each in zip(wishes, tries, strict=True) if each.outcome == "confirmed")
        lost = [wish for wish, each in zip(wishes, tries, strict=True) if each.outcome == "refused"]
        assert len(won) + len(lost) == customers
        assert won
        assert all(later - earlier >= before + length + after for earlier, later in pairwise(won))
        assert all(any(abs(wish - taken) < before + length + after for taken in won) for wish in lost)


@pytest.mark.parametrize(("customers", "rounds"), [(12, 2), pytest.param(100, 10, marks=LONG)])
def test_anyone_of_three_serves_exactly_three(site: Stack, customers: int, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        minute = next(fresh_times)

        tries = run(site, customers, lambda guest, minute=minute: guest.book("team", minute))

        assert outcomes(tries) == Counter(confirmed=3, refused=customers - 3)
        assert booked(site, "team", minute) == 3
        assert staff_at(site, "team", minute) == 3


@pytest.mark.parametrize(("customers", "rounds"), [(10, 2), pytest.param(40, 20, marks=LONG)])
def test_two_services_share_one_room_without_meeting_in_it(site: Stack, customers: int, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        minute = next(fresh_times)

        tries = run(
            site,
            customers,
            lambda guest, minute=minute: guest.book(("wrap", "peeling")[guest.number % 2], minute),
        )

        assert outcomes(tries) == Counter(confirmed=1, refused=customers - 1)
        assert booked(site, "wrap", minute) + booked(site, "peeling", minute) == 1


@pytest.mark.parametrize(("customers", "rounds"), [(10, 2), pytest.param(40, 20, marks=LONG)])
def test_a_hold_that_ran_out_goes_to_exactly_one_of_many(site: Stack, customers: int, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        minute = next(fresh_times)
        [left_behind] = run(site, 1, lambda guest, minute=minute: guest.hold("solo", minute))
        run_out(site, "solo", minute)

        tries = run(site, customers, lambda guest, minute=minute: guest.book("solo", minute))

        assert left_behind.status_code == 303
        assert outcomes(tries) == Counter(confirmed=1, refused=customers - 1)
        assert booked(site, "solo", minute) == 1


@pytest.mark.control
def test_the_customers_do_meet_and_the_lock_decides(site: Stack) -> None:
    """With the therapist's row in our hands, sessions queue up before it; let go, one of them gets the time."""
    minute = next(fresh_times)
    with site.connect() as ours, ThreadPoolExecutor(1) as others:
        ours.execute("begin")
        ours.execute(
            "select id from services_resource where id ="
            " (select resource_id from staff_staffmember where email = 'solo@example.com') for update"
        )
        tries = others.submit(run, site, 12, lambda guest: guest.book("solo", minute))
        site.wait_until(lambda: sessions_in_line(site) >= 2, what="sessions that wait for the same row")
        ours.execute("rollback")

        assert outcomes(tries.result()) == Counter(confirmed=1, refused=11)
    assert booked(site, "solo", minute) == 1


# --- one customer, many clicks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [2, pytest.param(50, marks=LONG)])
def test_the_same_form_sent_five_times_at_once_books_once(site: Stack, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        minute = next(fresh_times)
        email = f"impatient{minute}@example.com"

        async def five_clicks(guest: "Guest", minute: int = minute, email: str = email) -> list[httpx.Response]:
            held = await guest.hold("solo", minute)
            page = await guest.get(held.headers["location"])
            form = details(page, email)
            return await asyncio.gather(*(guest.post(held.headers["location"], form) for _ in range(5)))

        [answers] = run(site, 1, five_clicks)

        assert [answer.status_code for answer in answers] == [303] * 5
        assert len({answer.headers["location"] for answer in answers}) == 1
        assert booked(site, "solo", minute) == 1
        site.mailbox.wait_for(email)
        site.wait_until(lambda: not waiting_mails(site), what="every mail has left")
        assert len(site.mailbox.mails(email)) == 1
        told = "select count(*) from notifications_notification where address = %s and kind = 'confirmed'"
        assert site.query(told, email) == [(1,)]
        assert staff_mails(site, minute) == 1


def test_the_same_time_tapped_five_times_at_once_is_held_once(site: Stack) -> None:
    minute = next(fresh_times)

    async def five_taps(guest: "Guest") -> list[httpx.Response]:
        return await asyncio.gather(*(guest.hold("solo", minute) for _ in range(5)))

    [answers] = run(site, 1, five_taps)

    assert {answer.status_code for answer in answers} == {303}
    held = site.query(
        "select count(*) from bookings_booking b join bookings_allocation a on a.booking_id = b.id"
        " where b.starts_at = to_timestamp(%s)",
        minute * 60,
    )
    assert held == [(1,)]


def test_a_visitor_holds_three_times_and_no_fourth(site: Stack) -> None:
    minutes = [next(fresh_times) for _ in range(4)]

    async def four_holds(guest: "Guest") -> list[int]:
        answers = []
        for minute in minutes:
            guest.http.cookies.delete("hold")
            answers.append((await guest.hold("solo", minute)).status_code)
        return answers

    [statuses] = run(site, 1, four_holds)

    assert statuses == [303, 303, 303, 429]


# --- moving while others book ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("rounds", [3, pytest.param(100, marks=LONG)])
def test_a_move_and_a_booking_for_the_same_time_leave_one_of_them(site: Stack, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        old, wanted = next(fresh_times), next(fresh_times)
        [mine] = run(site, 1, lambda guest, old=old: guest.book("solo", old))

        async def move_or_book(guest: "Guest", wanted: int = wanted, link: str = mine.location) -> "Try":
            if guest.number == 0:
                return await guest.move(link, wanted)
            return await guest.book("solo", wanted)

        tries = run(site, 2, move_or_book)

        assert outcomes(tries) == Counter(confirmed=1, refused=1)
        assert booked(site, "solo", wanted) == 1
        assert booked(site, "solo", old) == (0 if tries[0].outcome == "confirmed" else 1)


@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=LONG)])
def test_two_bookings_that_want_each_others_time_stay_apart(site: Stack, rounds: int) -> None:
    for _ in range(rounds * ROUNDS):
        times = [next(fresh_times), next(fresh_times)]
        bookings = run(site, 2, lambda guest, times=times: guest.book("solo", times[guest.number]))

        tries = run(
            site,
            2,
            lambda guest, times=times, bookings=bookings: guest.move(
                bookings[guest.number].location, times[1 - guest.number]
            ),
        )

        # Each wants what the other still has, so both stay where they are.
        assert outcomes(tries)["other"] == 0
        assert [booked(site, "solo", minute) for minute in times] == [1, 1]


# --- the guests ------------------------------------------------------------------------------------------------------


@dataclass
class Try:
    """How one attempt to get a time ended."""

    outcome: str
    status: int
    location: str = ""
    page: str = field(default="", repr=False)
    slowest: float = 0.0


@dataclass
class Guest:
    """One customer with cookies and connections of his own, who has looked at the times already."""

    number: int
    http: httpx.AsyncClient
    csrf: str = ""
    seconds: list[float] = field(default_factory=list)

    async def get(self, path: str) -> httpx.Response:
        return await self._timed(self.http.get(path))

    async def post(self, path: str, form: dict[str, str]) -> httpx.Response:
        return await self._timed(self.http.post(path, data={"csrfmiddlewaretoken": self.csrf, **form}))

    async def hold(self, slug: str, minute: int) -> httpx.Response:
        service = SERVICES[slug]
        form = {"slot": f"{service.location_id}.{minute}", "variant": str(service.variant_id), "staff": ""}
        return await self.post(f"/s/{slug}/hold", {**form, "next": "details"})

    async def book(self, slug: str, minute: int) -> Try:
        """Hold the time and, if that went well, book it."""
        held = await self.hold(slug, minute)
        if held.status_code != 303 or "/h/" not in held.headers["location"]:
            return self._try(held, is_done=False)
        page = await self.get(held.headers["location"])
        answer = await self.post(held.headers["location"], details(page, f"guest{self.number}.{minute}@example.com"))
        return self._try(answer, is_done=answer.status_code == 303 and "/b/" in answer.headers["location"])

    async def move(self, link: str, minute: int) -> Try:
        """Move a booking by the address of one of its pages."""
        path = re.sub(r"^(/b/[^/]+/).*", r"\1move", urlsplit(link).path)
        page = await self.get(f"{path}?slot={SERVICES['solo'].location_id}.{minute}")
        if page.status_code != 200:
            return self._try(page, is_done=False)
        answer = await self.post(path, hidden_fields(page.text))
        return self._try(answer, is_done=answer.status_code == 303)

    async def _timed(self, answer: Awaitable[httpx.Response]) -> httpx.Response:
        begun = time.perf_counter()
        response = await answer
        self.seconds.append(time.perf_counter() - begun)
        return response

    def _try(self, answer: httpx.Response, *, is_done: bool) -> Try:
        outcome = "confirmed" if is_done else "refused" if answer.status_code == 409 else "other"
        location = answer.headers.get("location", "")
        return Try(outcome, answer.status_code, location, answer.text, max(self.seconds))


@dataclass(frozen=True)
class Sold:
    variant_id: int
    location_id: int


SERVICES: dict[str, Sold] = {}


def run(site: Stack, customers: int, act: Callable[[Guest], Awaitable[T]]) -> list[T]:
    """Let every customer look at the times first, and then all act at once."""
    if not SERVICES:
        rows = site.query(
            "select s.slug, v.id, l.location_id from services_servicevariant v"
            " join services_service s on s.id = v.service_id join services_service_locations l on l.service_id = s.id"
        )
        SERVICES.update({slug: Sold(variant, place) for slug, variant, place in rows})

    async def all_of_them() -> list[T]:
        async with AsyncExitStack() as opened:
            guests = [Guest(number, await opened.enter_async_context(client(site.url))) for number in range(customers)]
            await asyncio.gather(*(look(guest) for guest in guests))
            return await asyncio.gather(*(act(guest) for guest in guests))

    return asyncio.run(all_of_them())


def client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, headers={"Origin": url}, timeout=30, verify=NO_CERTIFICATES)


async def look(guest: Guest) -> None:
    page = await guest.http.get("/s/solo/")
    found = CSRF.search(page.text)
    assert found, page.text[:300]
    guest.csrf = found[1]


def details(page: httpx.Response, email: str) -> dict[str, str]:
    """The details form as the page shows it, filled in."""
    typed = {"name": "Jana Weber", "email": email, "phone": "+49 1515 5501827", "note": ""}
    return {**hidden_fields(page.text), **typed}


def hidden_fields(page: str) -> dict[str, str]:
    """What a browser would send along."""
    inputs = re.findall(r'<input type="hidden"[^>]*>', page)
    pairs = [(re.search(r'name="([^"]*)"', each), re.search(r'value="([^"]*)"', each)) for each in inputs]
    return {name[1]: value[1] if value else "" for name, value in pairs if name and name[1] != "csrfmiddlewaretoken"}


# --- what is asserted ------------------------------------------------------------------------------------------------


def outcomes(tries: Sequence[Try]) -> Counter[str]:
    return Counter(each.outcome for each in tries)


def other_times(refused: Try) -> list[str]:
    """The times that the page offers instead."""
    return SLOT.findall(refused.page)


def booked(site: Stack, slug: str, minute: int) -> int:
    """How many visits of the service are confirmed for that time."""
    return _count(site, "count(*)", slug, minute)


def staff_at(site: Stack, slug: str, minute: int) -> int:
    """How many different people serve at that time."""
    return _count(site, "count(distinct l.staff_member_id)", slug, minute)


def _count(site: Stack, what: str, slug: str, minute: int) -> int:
    [(number,)] = site.query(
        f"select {what} from bookings_booking b join bookings_bookingline l on l.booking_id = b.id"
        " join services_servicevariant v on v.id = l.variant_id join services_service s on s.id = v.service_id"
        " where b.status = 'confirmed' and s.slug = %s and b.starts_at = to_timestamp(%s)",
        slug,
        minute * 60,
    )
    return int(number)


def run_out(site: Stack, slug: str, minute: int) -> None:
    """Let the time of a hold be over now."""
    site.query(
        "update bookings_booking set hold_expires_at = now() - interval '1 second'"
        " where status = 'held' and starts_at = to_timestamp(%s)",
        minute * 60,
    )


def waiting_mails(site: Stack) -> int:
    [(number,)] = site.query(
        "select count(*) from notifications_notification"
        " where status in ('queued', 'sending', 'temporary-failure') and not_before <= now()"
    )
    return int(number)


def sessions_in_line(site: Stack) -> int:
    [(number,)] = site.query(
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    )
    return int(number)


def deadlocks(site: Stack) -> int:
    """Deadlocks that PostgreSQL has broken in this database."""
    [(number,)] = site.query("select deadlocks from pg_stat_database where datname = current_database()")
    return int(number)


def staff_mails(site: Stack, minute: int) -> int:
    """How many messages about the visit at that time were written to the therapist."""
    [(number,)] = site.query(
        "select count(*) from notifications_notification n"
        " join bookings_booking b on n.subject_ref = 'booking:' || b.id"
        " where n.recipient_role = 'staff' and b.starts_at = to_timestamp(%s)",
        minute * 60,
    )
    return int(number)


def _times(*hours: int) -> Iterator[int]:
    """Starts at these hours in Berlin as epoch minutes, each once, from three days ahead."""
    today = datetime.now(tz=BERLIN).replace(minute=0, second=0, microsecond=0)
    for number in count(3):
        for hour in hours:
            yield int((today + timedelta(days=number)).replace(hour=hour).timestamp()) // 60


fresh_times = _times(9, 10, 11, 12, 13, 14, 15)
fresh_mornings = _times(10)
