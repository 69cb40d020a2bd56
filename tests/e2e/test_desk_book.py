"""The front desk with a telephone at the ear: somebody known is booked by a few keys, a stranger without scripts."""

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import FRONT_DESK, KREUZBERG, sign_in
from tests.e2e.steps import wait_for_scripts
from tests.stack import Stack

pytestmark = pytest.mark.e2e

MOST_KEYS = 12


class Keyboard:
    """Presses keys one at a time, and counts them."""

    def __init__(self, page: Page) -> None:
        self.page, self.count = page, 0

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.count += 1


def regular(site: Stack) -> tuple[str, str, str]:
    """The address and name of a customer, and the beginnings of both names, by which nobody else is found."""
    rows = site.query(
        "select distinct contact_email, contact_name from bookings_booking"
        f" where status = 'completed' and {KREUZBERG} and contact_name ~ '^[A-Za-z]+ [A-Za-z]+$' order by 1"
    )
    beginnings = {email: " ".join(each[:3] for each in name.lower().split()) for email, name in rows}
    found_by = Counter(beginnings.values())
    email, name = next(row for row in rows if found_by[beginnings[row[0]]] == 1)
    return str(email), str(name), beginnings[email]


def bookings_of(site: Stack, email: str) -> int:
    [(count,)] = site.query(
        "select count(*) from bookings_booking where contact_email = %s and status = 'confirmed' and starts_at > now()",
        email,
    )
    return int(count)


def test_a_known_customer_is_booked_by_twelve_keys(site: Stack, visit: Visitors) -> None:
    email, name, typed = regular(site)
    before = bookings_of(site, email)
    page = visit("desktop")
    sign_in(page, FRONT_DESK)
    wait_for_scripts(page)
    keys = Keyboard(page)

    keys.press("n")
    expect(page.get_by_role("heading", name="New booking")).to_be_visible()
    wait_for_scripts(page)
    keys.press(*typed)
    expect(page.locator("#found .caller").first).to_contain_text(name)
    keys.press("Enter")
    expect(page.locator(".booking-time:focus")).to_be_visible()
    keys.press("Enter")
    expect(page.get_by_role("button", name=re.compile("^Book "))).to_be_visible()
    keys.press("Control+Enter")

    expect(page.get_by_role("status").filter(has_text=re.compile("booked", re.I))).to_be_visible()
    assert keys.count <= MOST_KEYS
    assert bookings_of(site, email) == before + 1


def test_the_cursor_is_where_the_next_thing_is_typed(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    sign_in(page, FRONT_DESK)
    page.goto("/desk/book/?at=kreuzberg")
    wait_for_scripts(page)
    expect(page.locator("#booking-q")).to_be_focused()

    page.keyboard.type("Zora Newcomer")
    page.get_by_role("button", name="New customer").click()
    expect(page.locator("input[name=phone]")).to_be_focused()
    page.locator("#booking-service").focus()
    page.locator("#booking-service").select_option(index=1)
    expect(page.locator(".booking-time").first).to_be_visible()
    expect(page.locator("#booking-service")).to_be_focused()
    day = page.locator("input[name=on]").nth(2)
    value = day.get_attribute("value")
    day.focus()
    page.keyboard.press("Space")
    expect(page.locator(f"input[name=on][value='{value}']")).to_be_checked()
    expect(page.locator(f"input[name=on][value='{value}']")).to_be_focused()


def test_a_stranger_is_booked_without_scripts(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", scripts=False)
    sign_in(page, FRONT_DESK)
    page.goto("/desk/book/")
    page.get_by_role("button", name="New customer").click()
    page.get_by_label("Name").fill("Zofia Telefon")
    page.get_by_label("Phone").fill("+49 30 901820")
    page.get_by_label("Service", exact=True).select_option(label="Deep tissue massage")
    page.get_by_role("button", name="Show times").click()
    page.locator(".booking-time").first.click()
    page.get_by_role("button", name=re.compile("^Book ")).click()

    expect(page.get_by_role("status").filter(has_text=re.compile("booked", re.I))).to_be_visible()
    [(name,)] = site.query(
        "select contact_name from bookings_booking where status = 'confirmed' order by id desc limit 1"
    )
    assert name == "Zofia Telefon"
