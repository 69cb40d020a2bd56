"""A known customer books with few taps, and no address on the way holds a secret of the booking."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.known_scenes import sign_in_by_mail
from tests.e2e.steps import somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e

OWN = re.compile(r"/my/bookings/[A-Z0-9]{6}/confirmed$")


class Taps:
    """Counts what the customer taps."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, what: Locator) -> None:
        self.count += 1
        what.click()


def signed_in(site: Stack, page: Page) -> steps.Person:
    """Somebody who has booked once and is signed in."""
    jana = somebody()
    steps.book_a_time(page, jana)
    sign_in_by_mail(site, page, jana)
    return jana


def test_from_the_landing_page_to_the_confirmation_in_two_taps(site: Stack, visit: Visitors) -> None:
    page, tap = visit("phone"), Taps()
    signed_in(site, page)
    page.goto("/")

    tap(page.locator("article.offer button.time").first)
    expect(page.locator("details.known")).to_contain_text("Jana Weber")
    tap(steps.book_button(page))

    expect(page).to_have_url(OWN)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked, Jana")
    assert tap.count == 2


def test_any_time_of_a_service_is_booked_in_three_taps(site: Stack, visit: Visitors) -> None:
    page, tap = visit("phone"), Taps()
    signed_in(site, page)
    page.goto("/")

    tap(page.locator(f"article.offer a[href='/s/{steps.SERVICE}/']").first)
    steps.wait_for_scripts(page)
    tap(steps.times(page).nth(2))
    expect(page).to_have_url(steps.DETAILS)
    tap(steps.book_button(page))

    expect(page).to_have_url(OWN)
    assert tap.count == 3


def test_the_details_open_with_one_tap_to_be_corrected(site: Stack, visit: Visitors) -> None:
    page = visit("phone")
    jana = signed_in(site, page)
    page.goto("/")
    page.locator("article.offer button.time").first.click()

    page.locator("details.known > summary").click()
    page.get_by_label("Phone").fill("+49 30 901820")
    steps.book_button(page).click()

    expect(page).to_have_url(OWN)
    [[phones]] = site.query(
        "select count(distinct phone_hash) from bookings_booking where contact_email = %s", jana.email
    )
    assert phones == 2
