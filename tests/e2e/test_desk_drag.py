"""Drags in the calendar: a booking to another time or length, and over empty time to block it. Nothing changes before
the page that opens is confirmed.
"""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import FRONT_DESK, KREUZBERG, full_day, sign_in
from tests.e2e.steps import wait_for_scripts
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def open_day(site: Stack, page: Page) -> tuple[str, datetime]:
    """Open a full day at the desk; return a confirmed booking of it, the last one to start, and its start."""
    [(reference, starts_at)] = site.query(
        f"select reference, starts_at from bookings_booking where {KREUZBERG} and status = 'confirmed'"
        " and starts_at::date = %s order by starts_at desc, id limit 1",
        full_day(),
    )
    sign_in(page, FRONT_DESK)
    page.goto(f"/desk/?at=kreuzberg&on={full_day()}&others=1")
    wait_for_scripts(page)
    return str(reference), starts_at


def start_of(site: Stack, reference: str) -> datetime:
    [(starts_at,)] = site.query("select starts_at from bookings_booking where reference = %s", reference)
    assert isinstance(starts_at, datetime)
    return starts_at


def drag(page: Page, block: Locator, *, to: tuple[float, float]) -> None:
    """Press on a block and pull it by so many pixels, without letting go."""
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 8
    page.mouse.move(x, y)
    page.mouse.down()
    for share in (0.25, 0.5, 0.75, 1):
        page.mouse.move(x + to[0] * share, y + to[1] * share)


def minute_height(block: Locator) -> float:
    box = block.bounding_box()
    assert box
    return box["height"] / int(block.get_attribute("data-minutes") or 0)


def test_a_dragged_booking_moves_once_that_is_confirmed(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    reference, before = open_day(site, page)
    block = page.locator(f".block[data-ref='{reference}']").first

    # Nothing follows the last booking of the day.
    drag(page, block, to=(0, 15 * minute_height(block)))
    expect(page.locator(".drag-ghost")).to_be_visible()
    page.mouse.up()

    expect(page).to_have_url(re.compile(rf"/desk/bookings/{reference}/move\?start=\d+&who=\d+"))
    assert start_of(site, reference) == before
    page.locator("[name=reason]").fill("Asked by phone")
    page.locator(".step-buttons button").click()
    expect(page.locator(".panel-in [data-undo-until]")).to_contain_text("The booking is now on")
    assert start_of(site, reference) == before + timedelta(minutes=15)


def test_a_slip_is_undone_beside_the_calendar_and_nobody_hears_of_it(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    reference, before = open_day(site, page)
    block = page.locator(f".block[data-ref='{reference}']").first
    drag(page, block, to=(0, 15 * minute_height(block)))
    page.mouse.up()
    page.locator("[name=reason]").fill("A slip")
    page.locator(".step-buttons button").click()

    undo = page.get_by_role("button", name="Undo", exact=True)
    expect(undo).to_contain_text(re.compile(r"0:[0-5]\d"))
    undo.click()

    expect(page.locator(".panel-in")).to_contain_text("The move is undone.")
    expect(undo).to_have_count(0)
    assert start_of(site, reference) == before
    assert site.query(
        "select distinct n.status from notifications_notification n join bookings_booking b"
        " on subject_ref = 'booking:' || b.id where reference = %s and kind = 'moved' and version = ical_sequence - 1",
        reference,
    ) == [("cancelled",)]


def test_escape_and_letting_go_outside_change_nothing(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    reference, before = open_day(site, page)
    block = page.locator(f".block[data-ref='{reference}']").first
    url = page.url

    drag(page, block, to=(0, -60))
    page.keyboard.press("Escape")
    expect(page.locator(".drag-ghost")).to_have_count(0)
    page.mouse.up()
    expect(page.locator("html[data-dragging]")).to_have_count(0)

    box = block.bounding_box()
    assert box
    drag(page, block, to=(5 - box["x"] - box["width"] / 2, -20))
    expect(page.locator(".drag-ghost.is-nowhere")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)

    assert page.url == url
    assert start_of(site, reference) == before


def test_a_press_still_opens_the_booking(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    reference, _ = open_day(site, page)

    page.locator(f".block[data-ref='{reference}']").first.click()

    expect(page).to_have_url(re.compile(f"b={reference}"))
    expect(page.locator(".panel-in")).to_be_visible()


# --- blocking time ----------------------------------------------------------------------------------------------------


def gap_of(page: Page) -> Locator:
    """A gap of at least an hour."""
    return page.locator(".column[data-resource] .gap", has_text=re.compile(r"Free \d h")).first


def minute_of_lane(gap: Locator) -> float:
    lane = gap.locator("xpath=ancestor::*[contains(@class, 'lane')][1]")
    box, css = lane.bounding_box(), lane.get_attribute("class") or ""
    found = re.search(r"\bd(\d+) e(\d+)", css)
    assert box
    assert found
    return box["height"] / (int(found[1]) * 60 + int(found[2]))


def absences(site: Stack) -> int:
    [(count,)] = site.query("select count(*) from staff_timeoff")
    return int(count)


def test_dragging_over_empty_time_opens_the_form_that_blocks_it(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    open_day(site, page)
    gap = gap_of(page)
    before = absences(site)

    drag(page, gap, to=(0, 42 * minute_of_lane(gap)))
    expect(page.locator(".drag-ghost")).to_contain_text("Block time")
    times = page.locator(".drag-ghost span").inner_text()
    page.mouse.up()

    expect(page).to_have_url(re.compile(r"/desk/time-off/\?resource=\d+&start=\d+&end=\d+&back="))
    assert absences(site) == before
    starts, ends = (page.locator(f"[name={name}]").input_value() for name in ("starts_at", "ends_at"))
    assert [starts[-5:], ends[-5:]] == times.split("–")
    assert starts.startswith(full_day())
    length = datetime.fromisoformat(ends) - datetime.fromisoformat(starts)
    assert timedelta(minutes=40) <= length <= timedelta(minutes=50)
    assert length.seconds % 300 == 0
    page.get_by_role("button", name="Block this time").click()
    expect(page).to_have_url(re.compile(rf"/desk/\?.*on={full_day()}"))
    expect(page.get_by_role("status").first).to_contain_text("is blocked")
    assert absences(site) == before + 1


def test_a_drag_over_empty_time_ends_with_escape_or_outside(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    open_day(site, page)
    url, gap = page.url, gap_of(page)

    drag(page, gap, to=(0, 60))
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)

    box = gap.bounding_box()
    assert box
    drag(page, gap, to=(5 - box["x"] - box["width"] / 2, 30))
    expect(page.locator(".drag-ghost.is-nowhere")).to_be_visible()
    page.mouse.up()
    expect(page.locator(".drag-ghost")).to_have_count(0)
    assert page.url == url


def test_a_press_on_a_gap_still_books_it(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    open_day(site, page)

    gap_of(page).click()

    expect(page).to_have_url(re.compile(r"/desk/book/"))


def test_a_finger_presses_long_before_it_blocks_time(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    open_day(site, page)
    gap = gap_of(page)
    gap.scroll_into_view_if_needed()
    box = gap.bounding_box()
    assert box
    touch = {"pointerType": "touch", "isPrimary": True, "bubbles": True, "cancelable": True, "pointerId": 7}
    at = {"clientX": box["x"] + box["width"] / 2, "clientY": box["y"] + 8}

    gap.dispatch_event("pointerdown", {**touch, **at, "button": 0})
    expect(page.locator(".drag-ghost")).to_be_visible()
    gap.dispatch_event("pointermove", {**touch, **at, "clientY": at["clientY"] + 40})
    gap.dispatch_event("pointerup", {**touch, **at, "clientY": at["clientY"] + 40})

    expect(page).to_have_url(re.compile(r"/desk/time-off/\?resource="))


def test_a_finger_scrolls_at_once_and_moves_a_booking_after_a_long_press(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    reference, before = open_day(site, page)
    block = page.locator(f".block[data-ref='{reference}']").first
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box
    touch = {"pointerType": "touch", "isPrimary": True, "bubbles": True, "cancelable": True, "pointerId": 7}
    at = {"clientX": box["x"] + box["width"] / 2, "clientY": box["y"] + 8}
    pulled = {**at, "clientY": at["clientY"] + 15 * minute_height(block)}
    scrolls = "block => block.dispatchEvent(new Event('touchmove', {bubbles: true, cancelable: true}))"

    # A short pull is left to the browser, which scrolls.
    block.dispatch_event("pointerdown", {**touch, **at, "button": 0})
    block.dispatch_event("pointermove", {**touch, **pulled})
    assert block.evaluate(scrolls)
    page.wait_for_timeout(600)
    expect(page.locator(".drag-ghost")).to_have_count(0)
    block.dispatch_event("pointerup", {**touch, **pulled})

    block.dispatch_event("pointerdown", {**touch, **at, "button": 0})
    expect(page.locator(".drag-ghost")).to_be_visible()
    assert not block.evaluate(scrolls)
    block.dispatch_event("pointermove", {**touch, **pulled})
    assert start_of(site, reference) == before
    block.dispatch_event("pointerup", {**touch, **pulled})

    expect(page).to_have_url(re.compile(rf"/desk/bookings/{reference}/move\?start="))
    assert start_of(site, reference) == before


def test_by_keyboard_the_head_of_a_column_opens_the_form(site: Stack, visit: Visitors) -> None:
    page = visit("desktop")
    open_day(site, page)
    link = page.locator(".column-block").first
    resource = page.locator(".column[data-resource]").first.get_attribute("data-resource")

    link.focus()
    expect(link).to_have_css("opacity", "1")
    page.keyboard.press("Enter")

    expect(page.get_by_role("button", name="Block this time")).to_be_visible()
    expect(page.locator("[name=resource]")).to_have_value(str(resource))


# --- another length ---------------------------------------------------------------------------------------------------


def length_of(site: Stack, reference: str) -> timedelta:
    [(length,)] = site.query("select ends_at - starts_at from bookings_booking where reference = %s", reference)
    assert isinstance(length, timedelta)
    return length


def test_the_lower_edge_of_a_booking_makes_it_shorter_once_that_is_confirmed(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    reference, starts_at = open_day(site, page)
    block = page.locator(f".block[data-ref='{reference}']").first
    before = length_of(site, reference)
    block.scroll_into_view_if_needed()
    box = block.bounding_box()
    assert box
    minute = minute_height(block)

    page.mouse.move(box["x"] + 40, box["y"] + box["height"] - 3)
    page.mouse.down()
    page.mouse.move(box["x"] + 42, box["y"] + box["height"] - 10 * minute)
    page.mouse.move(box["x"] + 42, box["y"] + box["height"] - 3 - 15 * minute)
    expect(page.locator(".drag-ghost.is-stretched")).to_contain_text("–")
    page.mouse.up()

    shorter = int(before.total_seconds()) // 60 - 15
    expect(page).to_have_url(re.compile(rf"/desk/bookings/{reference}/length\?minutes={shorter}&back="))
    expect(page.locator(".step")).to_contain_text("The price stays")
    assert length_of(site, reference) == before
    page.locator("[name=reason]").fill("Has to leave early")
    page.get_by_role("button", name=f"Shorten to {shorter} min").click()
    expect(page.get_by_role("status").first).to_contain_text(f"The visit takes {shorter} min now.")
    assert page.url.endswith(f"b={reference}")
    assert length_of(site, reference) == before - timedelta(minutes=15)
    assert start_of(site, reference) == starts_at


def test_by_keyboard_the_panel_leads_to_another_length(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(200,))
    reference, _ = open_day(site, page)
    before = length_of(site, reference)
    shorter = int(before.total_seconds()) // 60 - 10

    page.locator(f".block[data-ref='{reference}']").first.focus()
    page.keyboard.press("Enter")
    page.locator(".panel-in").get_by_role("link", name="Change length").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Minutes, at the same price").fill(str(shorter))
    page.keyboard.press("Enter")
    page.get_by_label("Note for us").fill("Has to leave early")
    page.keyboard.press("Enter")

    expect(page.get_by_role("status").first).to_contain_text(f"The visit takes {shorter} min now.")
    assert length_of(site, reference) == before - timedelta(minutes=10)
