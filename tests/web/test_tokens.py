"""Secret addresses: which tokens open something, what the pages say to browsers, and that guessing is slowed down."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from bookings.links import LinkRole, manage_token
from bookings.models import Booking
from core import limits
from devservers import valkey
from devservers.valkey import Valkey
from tests import servers
from tests.factories import Studio
from tests.journeys import booked, hold
from tests.web.conftest import details, link

pytestmark = pytest.mark.django_db
PAGES = ["", "confirmed", "move", "cancel", "calendar.ics"]


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    running = valkey.start(Path(servers.new_folder("guesses")) / "valkey")
    yield running
    running.stop()


@pytest.fixture(params=["with Redis", "without Redis"])
def counting(
    request: pytest.FixtureRequest, server: Valkey, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Limits count, from zero, and in one place, however busy the machine is."""
    monkeypatch.setattr(limits, "TIMEOUT_SECONDS", 10)
    limits._client.cache_clear()
    if request.param == "with Redis":
        settings.REDIS_URL = server.url
        limits._client(server.url).flushall()
    limits._breaker.reset()
    limits._client.cache_clear()
    yield
    limits._client.cache_clear()


def unknown(client: Client) -> bytes:
    return client.get("/b/no-such-link/").content


def test_pages_behind_tokens_keep_their_addresses_to_themselves(client: Client, studio: Studio) -> None:
    held, booking = hold(studio, 15), booked(studio)

    for path in (details(held), *(link(booking, page) for page in PAGES), "/b/no-such-link/", "/h/no-such-hold/"):
        response = client.get(path)
        assert response["Referrer-Policy"] == "same-origin"
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex, nofollow"


def test_pages_behind_tokens_load_nothing_from_elsewhere(client: Client, studio: Studio) -> None:
    held, booking = hold(studio, 15), booked(studio)

    for path in (details(held), *(link(booking, page) for page in PAGES[:-1])):
        page = client.get(path).content.decode()
        assert 'src="http' not in page
        assert '<link rel="stylesheet" href="http' not in page


@pytest.mark.parametrize("page", PAGES)
def test_tokens_that_are_not_exactly_ours_open_nothing(client: Client, studio: Studio, page: str) -> None:
    booking, other = booked(studio, 10), booked(studio, 12)
    token, others = (manage_token(each, LinkRole.CUSTOMER) for each in (booking, other))
    flipped = token[:-1] + ("A" if token[-1] != "A" else "B")
    wrong = [token[:-1], flipped, token.swapcase(), token + "A", booking.reference, others[:6] + token[6:], "é"]

    for each in wrong:
        response = client.get(f"/b/{each}/{page}")
        assert (response.status_code, response.content) == (404, unknown(client)), each


@pytest.mark.parametrize("ending", [".", ",", ">", ")", "=", '"', ".>"])
def test_what_mail_programs_add_is_forgiven(client: Client, studio: Studio, ending: str) -> None:
    booking = booked(studio)
    token = manage_token(booking, LinkRole.CUSTOMER)

    inside, after = client.get(f"/b/{token}{ending}/"), client.get(f"/b/{token}/{ending}")

    assert inside.status_code == 200
    assert (after.status_code, after["Location"]) == (302, link(booking))


def test_link_ends_when_a_new_one_is_issued(client: Client, studio: Studio) -> None:
    booking = booked(studio)
    old = link(booking)
    Booking.objects.update(link_version=2)

    assert client.get(old).status_code == 404


def test_link_ends_when_its_key_changes(client: Client, studio: Studio, settings: Settings) -> None:
    old = link(booked(studio))
    settings.LINK_KEY = "another-key-that-is-long-enough-to-be-one"

    assert client.get(old).status_code == 404


def test_hold_of_somebody_else_is_no_different_from_none(client: Client, studio: Studio) -> None:
    held = hold(studio)

    for path in (
        "/h/no-such-hold/",
        f"/h/{held.token[:-1]}/",
        f"/h/{held.booking.pk}/",
        f"/h/{held.booking.reference}/",
    ):
        assert (client.get(path).status_code, client.get(path).content) == (404, unknown(client))
        for page in ("", "extras", "again", "release"):
            assert client.post(path + page).status_code == 404


def test_link_of_a_mere_hold_opens_nothing(client: Client, studio: Studio) -> None:
    held = hold(studio)

    for role in LinkRole:
        assert client.get(link(held.booking, role=role)).status_code == 404


@pytest.mark.usefixtures("counting")
def test_guessing_is_slowed_down_and_nobody_with_a_link_is(client: Client, studio: Studio, settings: Settings) -> None:
    settings.LINK_GUESSES_PER_MINUTE = 5
    booking = booked(studio)

    answers = [client.get(f"/b/guess{number}/").status_code for number in range(8)]
    with_link = client.get(link(booking)).status_code
    from_elsewhere = client.get("/b/guess/", REMOTE_ADDR="10.9.8.7").status_code

    assert answers == [404] * 5 + [429] * 3
    assert (with_link, from_elsewhere) == (200, 404)
    assert "wait a minute" in client.get("/h/guess/").content.decode()


@pytest.mark.usefixtures("counting")
def test_forged_addresses_do_not_get_around_the_limit(client: Client, studio: Studio, settings: Settings) -> None:
    settings.LINK_GUESSES_PER_MINUTE = 5

    answers = [
        client.get(f"/b/guess{number}/", headers={"x-forwarded-for": f"1.2.3.{number}"}).status_code
        for number in range(8)
    ]

    assert answers[-1] == 429
