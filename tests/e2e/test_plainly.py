"""The whole way without JavaScript, and by the keyboard alone."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.steps import somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e

LONGEST_WAY = 120  # presses of Tab


# --- without scripts -------------------------------------------------------------------------------------------------


def test_without_scripts_a_time_is_chosen_switched_booked_moved_and_cancelled(site: Stack, visit: Visitors) -> None:
    jana = somebody(note="Please no music.")
    page = visit("phone", scripts=False)
    page.goto("/")
    page.get_by_role("link", name="Deep tissue massage", exact=True).click()
    expect(page.locator("[data-digits]")).to_have_count(0)
    steps.hold_a_time(page)
    steps.times(page).nth(3).click()
    expect(page.locator("button.time-held")).to_have_count(1)
    expect(page.locator(".countdown-until").first).to_be_visible()
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)
    page.get_by_role("button", name="Add Hot towel wrap").click()
    expect(page.get_by_role("region", name="Summary")).to_contain_text("€88.00")
    assert steps.typed(page) == jana
    steps.book(page)

    [mail] = site.mailbox.wait_for(jana.email)
    page.goto(steps.link_in(mail))
    page.get_by_role("link", name="See all times").click()
    page.locator("a.time").nth(2).click()
    page.get_by_role("button", name=re.compile("^Move to")).click()
    expect(page.locator("ol.history")).to_contain_text("You moved it")
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    page.get_by_role("button", name=re.compile("^Cancel it")).click()
    expect(page.locator("main")).to_contain_text("You cancelled this appointment.")
    site.mailbox.wait_for(jana.email, subject="Cancelled")


def test_without_scripts_a_suggestion_is_taken_by_its_button(visit: Visitors) -> None:
    page = visit("phone", scripts=False, expects=(422,))
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    steps.fill_in(page, steps.Person("Jana Weber", "jana@gmial.com", note="Left shoulder."))
    steps.book_button(page).click()

    page.get_by_role("button", name="Use jana@gmail.com").click()

    expect(page.get_by_label("E-mail")).to_have_value("jana@gmail.com")
    assert steps.typed(page).note == "Left shoulder."
    steps.book(page)


# --- by the keyboard -------------------------------------------------------------------------------------------------


def test_by_the_keyboard_alone_a_time_is_found_booked_and_cancelled(site: Stack, visit: Visitors) -> None:
    jana = somebody("Jana Weber")
    page = visit("desktop")
    page.goto("/")
    go_to(page, page.get_by_role("link", name="Deep tissue massage", exact=True))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Deep tissue massage")

    go_to(page, page.get_by_role("link", name="Ana", exact=True))
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Ana", exact=True)).to_have_attribute("aria-current", "true")
    steps.look_far_ahead(page)
    go_to(page, page.locator("table a.date-free").first)
    page.keyboard.press("Enter")
    expect(page.locator("#day-title")).to_be_visible()
    go_to(page, page.locator(".day-view button.time").nth(1))
    page.keyboard.press("Space")
    go_on = page.get_by_role("link", name="Continue")
    expect(go_on).to_be_visible()
    expect(page.locator("#said")).to_contain_text("is held for you")
    if not go_on.evaluate("link => link === document.activeElement"):
        go_to(page, go_on)
    page.keyboard.press("Enter")
    expect(page).to_have_url(steps.DETAILS)

    for label, value in (("Name", jana.name), ("E-mail", jana.email), ("Phone", jana.phone)):
        go_to(page, page.get_by_label(label, exact=label == "Name"))
        page.keyboard.type(value)
    go_to(page, steps.book_button(page))
    page.keyboard.press("Enter")
    expect(page).to_have_url(steps.CONFIRMED)

    go_to(page, page.get_by_role("link", name="Move or cancel"))
    page.keyboard.press("Enter")
    go_to(page, page.get_by_role("link", name="Cancel free of charge"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel your appointment?")
    go_to(page, page.get_by_role("button", name="Cancel it, free of charge"))
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("You cancelled this appointment.")


def test_enter_in_a_field_books_rather_than_adding_an_extra(visit: Visitors) -> None:
    jana = somebody()
    page = visit("desktop")
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)

    page.get_by_label("Phone").press("Enter")

    expect(page).to_have_url(steps.CONFIRMED)
    expect(page.locator("main")).to_contain_text("€80.00")


def test_the_first_tab_offers_to_skip_to_the_content(visit: Visitors) -> None:
    page = visit("desktop")
    for address in ("/", f"/s/{steps.SERVICE}/"):
        page.goto(address)

        page.keyboard.press("Tab")

        skip = page.get_by_role("link", name="Skip to the content")
        expect(skip).to_be_focused()
        assert is_on_screen(skip)
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("address", ["/", f"/s/{steps.SERVICE}/"])
def test_the_keyboard_goes_through_a_page_in_the_order_it_is_read(visit: Visitors, address: str) -> None:
    page = visit("phone")
    page.goto(address)

    order = focus_order(page)

    assert order == sorted(order)
    assert len(order) > 10


def go_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the element has the focus, and see that it shows."""
    for _ in range(LONGEST_WAY):
        if wanted.evaluate("element => element === document.activeElement"):
            assert shows_focus(wanted), wanted
            assert is_on_screen(wanted), wanted
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {wanted}")


def shows_focus(element: Locator) -> bool:
    """Whether a ring of at least two pixels is drawn around it."""
    style = "element => { const s = getComputedStyle(element); return [s.outlineStyle, parseFloat(s.outlineWidth)] }"
    kind, width = element.evaluate(style)
    return bool(kind != "none" and width >= 2)


def is_on_screen(element: Locator) -> bool:
    """Whether its middle can be seen and nothing lies over it."""
    return bool(
        element.evaluate(
            """element => {
                const box = element.getBoundingClientRect();
                const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
                return top !== null && (element.contains(top) || top.contains(element));
            }"""
        )
    )


def focus_order(page: Page) -> list[int]:
    """Positions in the document of what Tab reaches, in the order in which it does."""
    order: list[int] = []
    for _ in range(LONGEST_WAY):
        page.keyboard.press("Tab")
        place = page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)")
        if order and place <= order[0]:
            break
        order.append(int(place))
    return order
