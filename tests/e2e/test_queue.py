"""The walk-in queue in a browser: what another screen does appears by itself, and what is being typed stays."""

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Visitors
from tests.e2e.queue_scenes import add, long_day, open_queue
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_another_screen_shows_who_came_without_losing_what_is_typed(site: Stack, visit: Visitors) -> None:
    with long_day(site):
        first, second = visit("desktop"), visit("desktop")
        open_queue(first)
        open_queue(second)
        first.get_by_label("Name", exact=True).fill("Just typing")

        add(second, "Nadja from Next Door")

        expect(first.get_by_role("heading", name="Nadja from Next Door")).to_be_visible(timeout=20_000)
        expect(first.get_by_label("Name", exact=True)).to_have_value("Just typing")
        first.get_by_role("button", name="Left · Nadja from Next Door").click()
        expect(first.get_by_role("button", name="Put back · Nadja from Next Door")).to_be_visible()
        expect(second.get_by_role("button", name="Put back · Nadja from Next Door")).to_be_visible(timeout=20_000)
