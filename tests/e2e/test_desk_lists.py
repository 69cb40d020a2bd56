"""Lists of the desk in a browser: filter, sort, turn the page, open a booking, and come back to the same page."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import sign_in
from tests.e2e.steps import wait_for_scripts

pytestmark = pytest.mark.e2e


def rows(page: Page) -> list[str]:
    return page.locator(".list-row .list-link").all_inner_texts()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_filtered_list_keeps_its_filters_all_the_way(visit: Visitors, scripts: bool) -> None:
    page = visit("desktop", scripts=scripts)
    sign_in(page)
    page.get_by_role("link", name="Bookings", exact=True).click()
    expect(page.get_by_role("heading", name="Bookings", level=1)).to_be_visible()
    if scripts:
        wait_for_scripts(page)

    # With scripts the list follows each change; without them the button sends the form.
    page.get_by_label("Status").select_option("Completed")
    page.get_by_role("searchbox").fill("example")
    if not scripts:
        page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("link", name="Status: Completed")).to_be_visible()
    expect(page.get_by_role("link", name="Search: “example”")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?.*q=example&status=completed"))

    header = page.get_by_role("columnheader", name="Customer")
    header.get_by_role("link").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    assert len(rows(page)) == 50
    first = rows(page)

    page.get_by_role("link", name="Next page").click()
    expect(page.get_by_role("link", name="Previous")).to_be_visible()
    expect(page.get_by_role("link", name="Status: Completed")).to_be_visible()
    expect(header).to_have_attribute("aria-sort", "ascending")
    second, address = rows(page), page.url
    assert second != first

    page.locator(".list-row .list-link").first.click()
    expect(page).to_have_url(re.compile(r"/desk/bookings/[0-9A-Z]{6}/\?back="))
    page.get_by_role("link", name="Bookings", exact=True).and_(page.locator(".desk-back a")).click()
    expect(page).to_have_url(address)
    assert rows(page) == second

    # And with the browser's own way back.
    page.locator(".list-row .list-link").first.click()
    expect(page.locator(".desk-back a")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(address)
    assert rows(page) == second
    expect(page.get_by_label("Status")).to_have_value("completed")


def test_on_a_phone_the_filters_open_and_the_columns_are_chips(visit: Visitors) -> None:
    page = visit("phone")
    sign_in(page)
    page.goto("/desk/payments/?from=2000-01-01")
    wait_for_scripts(page)
    expect(page.get_by_label("Method")).to_be_hidden()

    page.locator(".filters-more > summary").click()
    page.get_by_label("Method").select_option("Cash")
    expect(page.get_by_role("link", name="Method: Cash")).to_be_visible()
    page.get_by_role("link", name="Amount").click()

    expect(page.locator('th[aria-sort="descending"]')).to_contain_text("Amount")
    expect(page.locator(".list-payments .list-by").first).to_have_text("Cash")


def test_the_search_of_the_calendar_leads_to_the_list(visit: Visitors) -> None:
    page = visit("desktop")
    sign_in(page)

    page.get_by_role("searchbox").fill("an")
    page.get_by_role("searchbox").press("Enter")

    expect(page).to_have_url(re.compile(r"/desk/bookings/\?q=an$"))
    expect(page.get_by_role("link", name="Search: “an”")).to_be_visible()
