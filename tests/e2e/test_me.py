"""A therapist's phone: a note is saved while it is typed, also over a lost connection."""

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.browsing import Visitors, visitors
from tests.e2e.desk_scenes import THERAPIST, own_visit, sign_in
from tests.e2e.steps import wait_for_scripts
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_a_note_survives_a_lost_connection_and_a_closed_page(site: Stack, visit: Visitors) -> None:
    page = visit("phone")
    sign_in(page, THERAPIST)
    page.goto(f"/desk/bookings/{own_visit(site)}/visit")
    wait_for_scripts(page)
    note, state = page.get_by_role("textbox", name="Note about this visit"), page.locator("[data-saved]")

    note.press_sequentially("Neck first")
    expect(state).to_contain_text("Saved")
    page.route("**/note", lambda route: route.abort("aborted"))
    note.press_sequentially(", then back")
    expect(state).to_contain_text("Not saved yet")
    page.unroute("**/note")
    expect(state).to_contain_text("Saved")

    page.reload()
    expect(note).to_have_value("Neck first, then back")


def test_a_newer_note_elsewhere_is_not_overwritten_after_a_reload(site: Stack, chromium: Browser) -> None:
    with visitors(chromium, site.url) as people:
        page = people("phone")
        sign_in(page, THERAPIST)
        url = f"/desk/bookings/{own_visit(site)}/visit"
        page.goto(url)
        wait_for_scripts(page)
        note, state = page.get_by_role("textbox", name="Note about this visit"), page.locator("[data-saved]")
        page.route("**/note", lambda route: route.abort("aborted"))
        note.fill("Typed before")
        expect(state).to_contain_text("Not saved yet")

        other = page.context.new_page()
        other.goto(url)
        wait_for_scripts(other)
        with other.expect_response("**/note") as answer:
            other.get_by_role("textbox", name="Note about this visit").fill("Newer")
        assert answer.value.ok
        page.unroute("**/note")
        page.reload()

        expect(note).to_have_value("Typed before")
        expect(state).to_have_attribute("data-failed", "")
        other.reload()
        expect(other.get_by_role("textbox", name="Note about this visit")).to_have_value("Newer")

        assert [each for each in people.problems if not each.startswith("409: POST")] == []
