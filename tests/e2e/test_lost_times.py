"""A time is gone: its hold expired, another customer was faster, or nothing can be booked at all."""

import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.steps import somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_a_hold_that_ran_out_is_taken_again_by_one_button(site: Stack, visit: Visitors) -> None:
    jana = somebody(note="Please no music.")
    page = visit("phone", expects=(409,))
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)
    steps.run_out(site, steps.token_of(page))

    steps.book_button(page).click()

    expect(page.get_by_role("alert")).to_contain_text("has ended")
    assert steps.typed(page) == jana
    page.get_by_role("alert").get_by_role("button", name=re.compile("^Take .* again$")).click()
    expect(steps.book_button(page)).to_be_visible()
    assert steps.typed(page) == jana
    steps.book(page)


def test_a_time_that_somebody_else_took_meanwhile_leaves_three_others_and_what_was_typed(
    site: Stack, visit: Visitors
) -> None:
    jana, ben = somebody("Jana Weber", note="Stiff neck."), somebody("Ben Fischer")
    page, other = visit("phone", expects=(409,)), visit("desktop")
    steps.hold_a_time(page)
    value = page.locator("button.time-held").get_attribute("value")
    there = page.url
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)
    steps.run_out(site, steps.token_of(page))
    other.goto(there)
    other.locator(f"button.time[value='{value}']").click()
    steps.go_on_to_details(other)
    steps.fill_in(other, ben)
    steps.book(other)

    steps.book_button(page).click()

    expect(page.get_by_role("alert")).to_contain_text("no longer free")
    offered = page.get_by_role("alert").locator("button.time")
    expect(offered).to_have_count(3)
    assert steps.typed(page) == jana
    time = steps.time_of(offered.first)
    offered.first.click()
    expect(steps.book_button(page)).to_contain_text(time)
    assert steps.typed(page) == jana
    steps.book(page)
    expect(page.locator("main")).to_contain_text(time)


def test_a_time_taken_under_the_finger_is_answered_with_the_nearest_three(visit: Visitors) -> None:
    jana, ben = visit("phone", expects=(409,)), visit("desktop")
    steps.look_far_ahead(jana)
    steps.choose_day(jana)
    ben.goto(jana.url)
    value = steps.times(ben).nth(2).get_attribute("value")
    steps.times(ben).nth(2).click()
    expect(ben.locator("button.time-held")).to_have_count(1)

    jana.locator(f"button.time[value='{value}']").click()

    alert = jana.get_by_role("alert")
    expect(alert).to_contain_text("was just taken")
    expect(alert.locator("button.time")).to_have_count(3)
    alert.locator("button.time").first.click()
    expect(jana.get_by_role("link", name="Continue")).to_be_visible()


def test_paused_booking_says_so_everywhere_and_offers_the_phone(site: Stack, visit: Visitors) -> None:
    page = visit("phone")
    site.query("update services_business set is_booking_paused = true, paused_message = 'Back on Monday.'")
    try:
        page.goto("/")
        expect(page.locator("main")).to_contain_text("Back on Monday.")
        expect(page.locator("button.time")).to_have_count(0)
        page.goto(f"/s/{steps.SERVICE}/")
        expect(page.locator("main")).to_contain_text("Back on Monday.")
        expect(page.get_by_role("link", name=re.compile("Call"))).to_be_visible()
    finally:
        site.query("update services_business set is_booking_paused = false, paused_message = ''")


def test_a_service_that_nobody_performs_says_so(site: Stack, visit: Visitors) -> None:
    page = visit("phone")
    site.query("update staff_staffmember set is_active = false where slug = 'maximiliane'")
    try:
        page.goto("/s/scar-and-joint-therapy/")
        expect(page.get_by_role("heading", name="This cannot be booked online at the moment")).to_be_visible()
        expect(page.get_by_role("link", name="All services")).to_be_visible()
    finally:
        site.query("update staff_staffmember set is_active = true where slug = 'maximiliane'")


def test_an_address_that_leads_nowhere_says_so_and_leads_on(visit: Visitors) -> None:
    page = visit("phone", expects=(404,))
    for address in ("/s/nothing-of-the-kind/", "/h/no-such-token/", "/b/no-such-token/", "/nowhere"):
        page.goto(address)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main a").first).to_be_visible()


def test_a_tap_without_a_connection_says_so_and_is_tried_again_by_one_button(visit: Visitors) -> None:
    page = visit("phone", expects=(503,))
    steps.look_far_ahead(page)
    steps.choose_day(page)
    button = steps.times(page).nth(1)
    time = steps.time_of(button)
    hold = re.compile("/hold$")

    page.route(hold, lambda route: route.fulfill(status=503, body="busy"), times=1)
    button.click()

    notice = page.locator("#not-sent")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text(f"Something went wrong on our side. {time} is not held.")
    assert page.locator("[aria-busy]").count() == 0
    notice.get_by_role("button", name="Try again").click()
    expect(page.locator("button.time-held")).to_contain_text(time)
    expect(notice).to_be_hidden()


def test_a_tap_shows_at_once_that_it_was_pressed(visit: Visitors) -> None:
    page = visit("phone")
    steps.look_far_ahead(page)
    steps.choose_day(page)
    button = steps.times(page).nth(1)
    held: list[Route] = []
    page.route(re.compile("/hold$"), lambda route: held.append(route))  # noqa: PLW0108 (needs a signature)

    button.click()

    expect(page.locator("button.time[aria-busy='true']")).to_have_count(1)
    held[0].continue_()
    expect(page.locator("button.time-held")).to_have_count(1)


def test_the_countdown_is_right_after_going_back_to_the_page(visit: Visitors) -> None:
    """Playwright switches the back/forward cache off, so Back asks the HTTP cache; it must not have the page."""
    page = visit("phone")
    steps.hold_a_time(page)
    there = page.url
    clock = page.locator("[data-expires-at]")
    ends = int(clock.get_attribute("data-expires-at") or 0)
    page.goto("/")
    page.wait_for_timeout(10_000)

    page.go_back()

    assert page.url == there
    minutes, seconds, now = clock.evaluate(
        "element => [...element.querySelector('[data-digits]').textContent.split(':').map(Number), Date.now()]"
    )
    assert abs(minutes * 60 + seconds - (ends - now) / 1000) <= 2
