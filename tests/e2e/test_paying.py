"""Paying in a browser, against a stand-in for Stripe: every outcome, twice at once, later, and back again."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Response, ViewportSize, expect

from tests.e2e import paying as steps_of_paying
from tests.e2e.browsing import NO_LIMITS, SIZES, Visitors, visitors
from tests.e2e.conftest import FAILED, PICTURES
from tests.e2e.desk_scenes import FRONT_DESK, sign_in
from tests.e2e.patience import milliseconds
from tests.e2e.paying import (
    CARD,
    DECLINED,
    DEPOSIT,
    FULL,
    JOURNEYS,
    NO_FUNDS,
    SECURE,
    book_and_pay,
    expect_booked,
    expect_problem,
    fill_card,
    go_to_paying,
    open_tabs,
    pay,
    pay_button,
    payments_of,
    press,
    refunded,
    refunds_wait,
    status_of,
    succeeded,
    wait_for_form,
)
from tests.e2e.steps import link_in, somebody
from tests.e2e.test_every_page import LOOKS, MOST_BYTES, TOO_SMALL, TOO_WIDE, barriers
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def shop() -> Iterator[Stack]:
    """The demo business with a stand-in for Stripe."""
    with Stack(demo=True, stripe=True, env=NO_LIMITS) as stack:
        yield stack


@pytest.fixture
def guests(shop: Stack, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Visitors of the shop, who may also talk to the stand-in and are told by it when a card is refused."""
    with visitors(chromium, shop.url) as people:
        yield people
        if request.node.stash.get(FAILED, False):
            people.save_pictures(PICTURES, re.sub(r"\W+", "-", request.node.name).strip("-"))
        else:
            stand_in = f":{shop.stripe.port}/"
            assert [each for each in people.problems if stand_in not in each] == []


# --- it works ---------------------------------------------------------------------------------------------------------


def test_deposit_is_paid_the_booking_stands_and_the_mail_says_so(shop: Stack, guests: Visitors) -> None:
    jana, page = somebody(), guests("phone")
    reference = go_to_paying(page, jana)
    expect(page.locator("main")).to_contain_text("Deposit now")

    pay(page)

    expect_booked(page)
    expect(page.locator("main")).to_contain_text("Visa ending 4242")
    assert (status_of(shop, reference), succeeded(shop, reference)) == ("confirmed", [1600])
    [receipt] = shop.mailbox.wait_for(jana.email, subject="Paid")
    assert "€16.00" in receipt.text
    assert len(shop.mailbox.wait_for(jana.email, subject="You are booked")) == 1


def test_whole_price_is_paid_and_nothing_is_left(shop: Stack, guests: Visitors) -> None:
    page = guests("desktop")

    book_and_pay(page, somebody(), FULL)

    expect(page.locator("main")).to_contain_text("Nothing left to pay")


def test_card_is_kept_after_agreement_and_nothing_is_charged(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    reference = go_to_paying(page, somebody(), CARD)
    fill_card(page)
    pay_button(page).click()
    expect(page.locator("#agreed-error")).to_be_visible()

    page.get_by_role("checkbox").check()
    pay_button(page).click()

    expect_booked(page)
    expect(page.locator("main")).to_contain_text("Visa ending 4242 is kept for fees, €120.00 at most.")
    assert succeeded(shop, reference) == []


# --- it does not work at once -----------------------------------------------------------------------------------------


def test_refused_cards_leave_the_time_held_and_another_one_pays(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    reference = go_to_paying(page, somebody())

    pay(page, DECLINED)
    expect_problem(page, "The bank declined this card.")
    pay(page, NO_FUNDS)
    expect_problem(page, "not enough money")
    assert status_of(shop, reference) == "pending_payment"
    pay(page)

    expect_booked(page)
    assert succeeded(shop, reference) == [1600]


def test_bank_asks_and_is_left_refused_and_answered(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    reference = go_to_paying(page, somebody())
    asks = page.get_by_role("dialog")

    pay(page, SECURE)
    asks.get_by_role("button", name="Fail").click()
    expect_problem(page, "Your bank could not confirm that it is you")
    pay(page, SECURE)
    expect(asks).to_be_visible()
    page.reload()
    wait_for_form(page)
    assert status_of(shop, reference) == "pending_payment"
    pay(page, SECURE)
    asks.get_by_role("button", name="Authorise").click()

    expect_booked(page)
    assert succeeded(shop, reference) == [1600]


def test_script_that_cannot_be_reached_is_told_and_tried_again(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    go_to_paying(page, somebody())
    page.route("**/stripe.js", lambda route: route.abort())
    page.reload()
    expect_problem(page, "The payment service cannot be reached right now.")

    page.unroute("**/stripe.js")
    page.get_by_role("link", name="Try again").click()

    wait_for_form(page)
    pay(page)
    expect_booked(page)


def test_without_a_script_the_page_says_how_to_pay(guests: Visitors) -> None:
    page = guests("phone", scripts=False)
    steps_of_paying.steps.hold_a_time(page, DEPOSIT)
    steps_of_paying.steps.go_on_to_details(page)
    steps_of_paying.steps.fill_in(page, somebody())
    page.locator("button.button-main").click()

    expect(page.get_by_role("heading", name="Pay by phone or at the front desk")).to_be_visible()
    expect(page.locator("#pay-form")).to_be_hidden()
    page.get_by_text("Ask the front desk").click()
    page.get_by_label("Your message").fill("How do I pay?")
    page.get_by_role("button", name="Send the message").click()
    expect(page.get_by_role("log")).to_contain_text("How do I pay?")


# --- twice, later, back -----------------------------------------------------------------------------------------------


def test_five_tabs_pay_once_and_all_arrive(shop: Stack, guests: Visitors) -> None:
    # The other tabs may be told that it is paid (409) or, where the machine is slow, that another request is at work on
    # it (503); no more tries are counted than are allowed.
    page = guests("phone", expects=(409, 503))
    reference = go_to_paying(page, somebody())
    others = open_tabs(page, [0, 150, 300, 450])
    fill_card(page)

    press(page)

    for tab in (page, *others):
        expect_booked(tab)
    assert payments_of(shop, reference) == [("succeeded", 1600)]


def test_back_after_paying_leads_to_what_is_booked_and_asks_for_nothing(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    book_and_pay(page, somebody())

    page.go_back()

    expect_booked(page)


def test_unpaid_booking_is_paid_later_by_its_link(shop: Stack, guests: Visitors) -> None:
    page = guests("phone")
    reference = go_to_paying(page, somebody())
    page.get_by_role("link", name="Back").click()
    page.get_by_role("link", name="Pay €16.00").click()
    wait_for_form(page)

    pay(page)

    expect_booked(page)
    assert reference == reference_of_booking(shop, reference)
    page.get_by_role("link", name="Move or cancel").click()
    page.get_by_role("link", name="Pay €64.00 now").click()
    wait_for_form(page)
    pay(page)
    expect(page.locator("main")).to_contain_text("Nothing left to pay", timeout=milliseconds(30))
    assert succeeded(shop, reference) == [1600, 6400]


def reference_of_booking(shop: Stack, reference: str) -> str:
    """The booking that stands, to be sure that paying later made no second one."""
    [(found,)] = shop.query(
        "select reference from bookings_booking where status = 'confirmed' and contact_email ="
        " (select contact_email from bookings_booking where reference = %s)",
        reference,
    )
    return str(found)


def test_cancelling_shows_the_refund_on_its_way_and_done(shop: Stack, guests: Visitors) -> None:
    jana, page = somebody(), guests("phone")
    reference = book_and_pay(page, jana)
    [booked] = shop.mailbox.wait_for(jana.email, subject="You are booked")
    page.goto(link_in(booked))

    page.get_by_role("link", name="Cancel and get €16.00 back").click()
    page.get_by_role("button", name="Cancel it and get €16.00 back").click()

    expect(page.locator("main")).to_contain_text("Refund of €16.00 to Visa ending 4242")
    shop.wait_until(lambda: refunded(shop, reference) == [1600], what="the refund")
    page.reload()
    expect(page.locator("main")).to_contain_text("done on")
    expect(page.locator("main")).to_contain_text("Nothing left to pay")


def test_refund_waits_for_the_desk_and_comes_with_the_sum_and_the_reason_given_there(
    shop: Stack, guests: Visitors
) -> None:
    jana, page, desk = somebody(), guests("phone"), guests("desktop")
    with refunds_wait(shop):
        reference = book_and_pay(page, jana)
        [booked] = shop.mailbox.wait_for(jana.email, subject="You are booked")
        page.goto(link_in(booked))
        page.get_by_role("link", name="Cancel and ask for €16.00 back").click()
        page.get_by_role("button", name="Cancel it and ask for €16.00 back").click()
        expect(page.locator("main")).to_contain_text("Refund of €16.00 to Visa ending 4242: being checked.")
        [off] = shop.mailbox.wait_for(jana.email, subject="Cancelled")
        assert "Your refund of €16.00 is being checked. You hear from us by" in off.text

        sign_in(desk, FRONT_DESK)
        desk.goto("/desk/hands/")
        mine = desk.locator(f"a[href*='{reference}']")
        row = desk.locator(".hand", has_text="Refund to approve").filter(has=mine)
        row.get_by_role("link", name="Lower").click()
        desk.get_by_label("Amount").fill("10")
        desk.get_by_label("Words to the customer").fill("The room was prepared for you.")
        assert refunded(shop, reference) == []
        desk.get_by_role("button", name="Refund €10.00 of €16.00").click()
        expect(desk.get_by_text("€10.00 is approved.")).to_be_visible()

    shop.wait_until(lambda: refunded(shop, reference) == [1000], what="the refund")
    [less] = shop.mailbox.wait_for(jana.email, subject="You get €10.00 back, not €16.00")
    assert "The reason: The room was prepared for you." in less.text
    shop.mailbox.wait_for(jana.email, subject="Refunded: €10.00")
    page.reload()
    expect(page.locator("main")).to_contain_text("It was lowered from €16.00. The reason: The room was prepared")
    expect(page.locator("main")).to_contain_text("Nothing left to pay")


def test_hold_that_ran_out_is_taken_again_with_the_same_details(shop: Stack, guests: Visitors) -> None:
    jana, page = somebody(), guests("phone")
    reference = go_to_paying(page, jana)
    shop.query("update bookings_booking set hold_expires_at = now() where reference = %s", reference)
    page.get_by_role("button", name=re.compile("^Take ")).click(timeout=milliseconds(30))

    assert steps_of_paying.steps.typed(page).email == jana.email
    page.locator("button.button-main").click()
    wait_for_form(page)
    pay(page)

    expect_booked(page)
    assert reference_of_booking(shop, reference) != reference


# --- every page with money --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(JOURNEYS))
def test_pages_with_money_are_open_to_everybody_and_fit(name: str, shop: Stack, guests: Visitors) -> None:
    page = guests("phone", expects=(409, 422))
    findings = [f"{stop}: {each}" for stop in JOURNEYS[name](shop, page) for each in flaws(page)]

    assert not findings, "\n".join(findings)


def wait_for_colours(page: Page) -> None:
    """The form of the payment provider takes on new colours when the page has told it of them."""
    ink = page.evaluate("getComputedStyle(document.body).color")
    for form in page.locator("[data-stripe-stand-in]").all():
        expect(form).to_have_css("color", ink)


def flaws(page: Page) -> list[str]:
    """What is too small, too wide or closed to somebody; the page looks as before afterwards."""
    # The page that was meant, whole: a step of the journey may have started to replace it.
    page.wait_for_load_state("load")
    page.locator("body").wait_for()
    found = [f"too small to touch: {each}" for each in page.evaluate(TOO_SMALL)]
    for width, height in SIZES.values():
        page.set_viewport_size(ViewportSize(width=width, height=height))
        found += [f"too wide on {width}: {each}" for each in page.evaluate(TOO_WIDE)]
    for size, colours in LOOKS:
        page.set_viewport_size(ViewportSize(width=SIZES[size][0], height=SIZES[size][1]))
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        wait_for_colours(page)
        found += [f"{size}, {colours}: {each}" for each in barriers(page, colours)]
    page.set_viewport_size(ViewportSize(width=SIZES["phone"][0], height=SIZES["phone"][1]))
    page.emulate_media(color_scheme="light")
    return found


def test_paying_page_is_light(shop: Stack, guests: Visitors, chromium: Browser) -> None:
    page = guests("phone")
    go_to_paying(page, somebody())
    # Somebody who has never been here, so that nothing comes from a cache.
    context = chromium.new_context(base_url=shop.url)
    loaded: list[Response] = []
    context.on("response", lambda response: loaded.append(response))  # noqa: PLW0108 - Playwright needs a function
    context.add_cookies(page.context.cookies())  # type: ignore[arg-type]
    context.new_page().goto(page.url, wait_until="networkidle")

    sizes = {each.url: each.request.sizes()["responseBodySize"] for each in loaded if each.url.startswith(shop.url)}

    context.close()
    own = {url: size for url, size in sizes.items() if "/static/" in url and re.search(r"\.(css|js)$", url)}
    assert any("/pay." in url for url in own)
    assert sum(own.values()) < MOST_BYTES, own
