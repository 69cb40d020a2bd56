"""Paying in the browser, in the words of the pages and of the stand-in's card form; and the pages that show money."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from playwright.sync_api import Locator, Page, expect

from tests.e2e import steps
from tests.e2e.desk_scenes import sign_in
from tests.e2e.patience import milliseconds
from tests.e2e.steps import CONFIRMED, Person, somebody
from tests.stack import Stack

DEPOSIT, FULL, CARD, REQUEST = (
    "deep-tissue-massage",
    "back-and-sleep-consultation",
    "scar-and-joint-therapy",
    "prenatal-massage",
)
GOOD, DECLINED, NO_FUNDS, SECURE = "4242424242424242", "4000000000000002", "4000000000009995", "4000002500003155"
PAYING = re.compile(r"/pay/([A-Z0-9]{6})/")


def go_to_paying(page: Page, person: Person, service: str = DEPOSIT) -> str:
    """Choose a time, say who comes, go on; return the reference of the booking."""
    # Prices differ from one therapist to the next.
    steps.hold_a_time(page, service, person="ana" if service == DEPOSIT else "")
    steps.go_on_to_details(page)
    steps.fill_in(page, person)
    page.locator("button.button-main").click()
    expect(page).to_have_url(PAYING)
    wait_for_form(page)
    return reference_of(page)


def reference_of(page: Page) -> str:
    found = PAYING.search(page.url)
    assert found, page.url
    return found[1]


def wait_for_form(page: Page) -> None:
    expect(page.locator("#pay-form")).not_to_have_attribute("data-loading", "")
    expect(page.get_by_label("Card number")).to_be_visible()


def fill_card(page: Page, number: str = GOOD) -> None:
    page.get_by_label("Card number").fill(number)
    page.get_by_label("Expiry").fill("12 / 40")
    page.get_by_label("CVC").fill("123")


def pay_button(page: Page) -> Locator:
    return page.locator("#pay-form button")


def pay(page: Page, number: str = GOOD) -> None:
    fill_card(page, number)
    pay_button(page).click()


def expect_problem(page: Page, words: str) -> None:
    """The reason, and that the time is still held."""
    problem = page.locator("#pay-problem")
    expect(problem).to_be_visible()
    expect(problem).to_contain_text(words)
    expect(problem).to_contain_text("Your time is still held until")
    expect(problem).to_contain_text("Your card was not charged.")


def expect_booked(page: Page) -> None:
    page.wait_for_url(CONFIRMED, timeout=milliseconds(30))
    expect(page.locator("h1")).to_contain_text("You are booked")


def book_and_pay(page: Page, person: Person, service: str = DEPOSIT) -> str:
    """The whole way to a paid booking; return its reference."""
    reference = go_to_paying(page, person, service)
    pay(page)
    expect_booked(page)
    return reference


def look_again(page: Page) -> None:
    """Come back to the tab: the page asks at once instead of at its next turn."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def reload_until(page: Page, wanted: Locator) -> None:
    """Look again until something is there that a worker makes in its own time."""
    for _ in range(40):
        if wanted.count():
            return
        page.wait_for_timeout(250)
        page.reload()
    raise AssertionError(f"not there: {wanted}")


# Presses the button some milliseconds after another tab says so, unless the page has moved on by then.
PRESS_AFTER = """
    delay => new BroadcastChannel("pressed").onmessage = () => setTimeout(() => {
        const form = document.getElementById("pay-form");
        if (form && !form.hidden) form.querySelector("button").click();
    }, delay)
"""
PRESS = """
    () => {
        document.querySelector("#pay-form button").click();
        new BroadcastChannel("pressed").postMessage("");
    }
"""


def open_tabs(page: Page, delays: list[int]) -> list[Page]:
    """More tabs at the same paying page, with a card filled in; each presses so many milliseconds after ``press``."""
    tabs = [page.context.new_page() for _ in delays]
    for tab, delay in zip(tabs, delays, strict=True):
        tab.goto(page.url)
        wait_for_form(tab)
        fill_card(tab)
        tab.evaluate(PRESS_AFTER, delay)
    return tabs


def press(page: Page) -> None:
    page.evaluate(PRESS)


def payments_of(site: Stack, reference: str) -> list[tuple[str, int]]:
    """Every payment of a booking that was made or can still be made."""
    return site.query(
        "select p.status, p.amount_minor from payments_payment p join bookings_booking b"
        " on p.subject_ref = 'booking:' || b.id where b.reference = %s and p.status <> 'cancelled' order by p.id",
        reference,
    )


def status_of(site: Stack, reference: str) -> str:
    [(status,)] = site.query("select status from bookings_booking where reference = %s", reference)
    return str(status)


def succeeded(site: Stack, reference: str) -> list[int]:
    """The sums that were paid for a booking."""
    return _sums(site, "payments_payment moved on moved.id = p.id", reference)


def refunded(site: Stack, reference: str) -> list[int]:
    """The sums that went back for a booking."""
    return _sums(site, "payments_refund moved on moved.payment_id = p.id", reference)


def _sums(site: Stack, moved: str, reference: str) -> list[int]:
    rows = site.query(
        "select moved.amount_minor from payments_payment p join bookings_booking b"
        f" on p.subject_ref = 'booking:' || b.id join {moved}"
        " where b.reference = %s and moved.status = 'succeeded' order by moved.id",
        reference,
    )
    return [amount for (amount,) in rows]


Journey = Callable[[Stack, Page], Iterator[str]]


def deposit(site: Stack, page: Page) -> Iterator[str]:
    """From the details to the money that went back; each stop is a page by its name."""
    steps.hold_a_time(page, DEPOSIT)
    steps.go_on_to_details(page)
    yield "details-with-deposit"
    steps.fill_in(page, somebody())
    page.locator("button.button-main").click()
    wait_for_form(page)
    yield "paying"
    pay(page, DECLINED)
    expect_problem(page, "declined")
    yield "paying-declined"
    pay(page)
    expect_booked(page)
    yield "paid"
    page.get_by_role("link", name="Move or cancel").click()
    row = page.get_by_role("link", name=re.compile("^Receipt for €16.00"))
    reload_until(page, row)
    yield "paid-manage"
    row.click()
    expect(page.locator("h1")).to_have_text("€16.00 paid")
    yield "receipt"
    page.go_back()
    page.get_by_role("link", name="Cancel and get €16.00 back").click()
    expect(page.locator("main")).to_contain_text("You get back")
    yield "refund-asks"
    page.get_by_role("button", name="Cancel it and get €16.00 back").click()
    expect(page.locator("main")).to_contain_text("Refund of €16.00 to Visa ending 4242")
    yield "refunded"


def unpaid(site: Stack, page: Page) -> Iterator[str]:
    reference = go_to_paying(page, somebody())
    page.get_by_text("Ask the front desk").click()
    page.get_by_label("Your message").fill("May I pay at the desk?")
    page.get_by_role("button", name="Send the message").click()
    expect(page.get_by_role("log")).to_contain_text("May I pay at the desk?")
    yield "paying-with-help"
    page.get_by_role("link", name="Back").click()
    expect(page.locator("main")).to_contain_text("Waiting for payment until")
    yield "unpaid"
    page.get_by_role("link", name="Pay €16.00").click()
    wait_for_form(page)
    site.query("update bookings_booking set hold_expires_at = now() where reference = %s", reference)
    look_again(page)
    expect(page.get_by_role("alert")).to_contain_text("Nothing was charged", timeout=milliseconds(30))
    yield "paying-over"


def card(site: Stack, page: Page) -> Iterator[str]:
    go_to_paying(page, somebody("Maximiliane Friederike von Hohenlohe-Ast"), CARD)
    fill_card(page)
    pay_button(page).click()
    expect(page.locator("#agreed-error")).to_be_visible()
    yield "leaving-a-card"
    page.get_by_role("checkbox").check()
    pay_button(page).click()
    expect_booked(page)
    yield "card-kept"


def request(site: Stack, page: Page) -> Iterator[str]:
    steps.hold_a_time(page, REQUEST, person="")
    steps.go_on_to_details(page)
    steps.fill_in(page, somebody())
    page.get_by_role("button", name=re.compile("^Ask for")).click()
    expect(page.locator("main")).to_contain_text("We answer by")
    yield "requested"


def approval(site: Stack, page: Page) -> Iterator[str]:
    """A refund that somebody at the desk looks at before it goes back, from both sides."""
    with refunds_wait(site):
        reference = book_and_pay(page, somebody())
        page.get_by_role("link", name="Move or cancel").click()
        mine = page.url
        expect(page.locator("main")).to_contain_text("We check the refund of €16.00 first")
        yield "refund-checked-before"
        page.get_by_role("link", name="Cancel and ask for €16.00 back").click()
        yield "refund-checked-asks"
        page.get_by_role("button", name="Cancel it and ask for €16.00 back").click()
        expect(page.locator("main")).to_contain_text("You hear from us by")
        yield "refund-checked"
        sign_in(page)
        page.goto("/desk/hands/")
        yield "desk-hands-approval"
        site.query("update payments_refund set answer_by = now() - interval '3 hours' where decided_at is null")
        page.reload()
        expect(page.locator(".hand-late")).to_be_visible()
        yield "desk-hands-approval-late"
        page.goto(f"/desk/bookings/{reference}/")
        yield "desk-booking-approval"
        page.get_by_role("link", name="Decline the refund").click()
        yield "desk-decline"
        page.go_back()
        page.get_by_role("link", name="Refund less").click()
        page.get_by_label("Amount").fill("10")
        page.get_by_label("Words to the customer").fill("The room was prepared for you.")
        yield "desk-lower"
        page.get_by_role("button", name="Refund €10.00 of €16.00").click()
        expect(page.get_by_text("€10.00 is approved.")).to_be_visible()
        reload_until(page, page.locator(".desk-receipts a").first)
        yield "desk-booking-lowered"
        page.locator(".desk-receipts a").first.click()
        yield "desk-receipt"
        page.goto(mine)
        expect(page.locator("main")).to_contain_text("The room was prepared for you.")
        yield "refund-lowered"


@contextmanager
def refunds_wait(site: Stack) -> Iterator[None]:
    """As long as this lasts, the business looks at refunds of customers' cancellations first."""
    site.query("update services_business set refunds_need_approval = true")
    try:
        yield
    finally:
        site.query("update services_business set refunds_need_approval = false")


JOURNEYS: dict[str, Journey] = {each.__name__: each for each in (deposit, unpaid, card, request, approval)}
