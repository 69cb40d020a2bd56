"""A manager closes a day on which visits are booked, decides about each of them, and opens the day again."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import KREUZBERG, sign_in
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def last_full_day(site: Stack) -> tuple[str, list[str]]:
    """The last day with three bookings or more, and their references in the order of time."""
    [(day,)] = site.query(
        f"select starts_at::date from bookings_booking where {KREUZBERG} and status = 'confirmed'"
        " and starts_at > now() + interval '2 days' group by 1 having count(*) > 2 order by 1 desc limit 1"
    )
    rows = site.query(
        f"select reference from bookings_booking where {KREUZBERG} and status = 'confirmed' and starts_at::date = %s"
        " order by starts_at, id",
        day,
    )
    return day.isoformat(), [str(reference) for (reference,) in rows]


def close(page: Page, day: str) -> None:
    page.goto("/desk/closures/")
    page.get_by_role("link", name="Add days").click()
    page.get_by_label("Alfama").uncheck()
    page.get_by_label("First day").fill(day)
    page.get_by_label("Reason").fill("Burst pipe")
    page.get_by_role("button", name="Save").click()


def test_a_day_is_closed_and_each_of_its_bookings_is_dealt_with(site: Stack, visit: Visitors) -> None:
    day, references = last_full_day(site)
    page = visit("desktop")
    sign_in(page)

    close(page, day)
    expect(page.get_by_text("Nothing is saved yet.")).to_be_visible()
    page.locator(f"[name=decide_{references[0]}][value=cancel]").check()
    page.get_by_role("group", name="What happens to all of them").get_by_label("Keep all as exceptions").check()
    page.locator(f"[name=decide_{references[1]}][value=later]").check()
    page.get_by_role("button", name="Save these hours").click()

    expect(page.get_by_role("status")).to_contain_text("1 booking is cancelled.")
    expect(page.get_by_role("heading", name="Bookings outside the hours")).to_be_visible()
    row = page.get_by_role("listitem").filter(has=page.get_by_role("link", name="Move or reassign"))
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Burst pipe")
    row.get_by_role("link", name="Keep").click()
    page.get_by_label("Note for us").fill("Ana has a key")
    page.get_by_role("button", name="Keep it as it is").click()
    expect(page.get_by_text("Every booking is inside the hours")).to_be_visible()
    statuses = dict(site.query("select reference, status from bookings_booking where reference = any(%s)", references))
    assert [statuses[reference] for reference in references[:3]] == ["cancelled", "confirmed", "confirmed"]

    page.get_by_role("link", name="Closed days").click()
    entry = page.get_by_role("listitem").filter(has_text="Burst pipe")
    entry.get_by_role("link", name="Change").click()
    page.get_by_role("button", name="Remove these days").click()
    expect(page.get_by_role("status")).to_contain_text("The usual hours apply again.")
    expect(page.get_by_text("Burst pipe")).to_have_count(0)
