"""An evening at the front desk, in a browser: a payment and a refund, a no-show, a waived fee."""

import re

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import FRONT_DESK, KREUZBERG, full_day, owe, past_booking, sign_in
from tests.e2e.steps import wait_for_scripts
from tests.stack import Stack

pytestmark = pytest.mark.e2e

SUM_SCRIPT = re.compile(r"/sum\..*js$")


def press(page: Page, words: str) -> None:
    page.locator(".step-buttons").get_by_role("button", name=words, exact=True).click()


def press_key(page: Page, key: str) -> None:
    wait_for_scripts(page)
    page.keyboard.press(key)


def press_is_offered(page: Page, words: str) -> None:
    expect(page.locator(".step-buttons").get_by_role("button", name=words, exact=True)).to_be_visible()


def money(page: Page) -> str:
    return page.get_by_role("region", name="Money").inner_text()


@pytest.mark.parametrize("scripts", [True, False])
def test_front_desk_takes_returns_marks_and_waives(site: Stack, visit: Visitors, scripts: bool) -> None:
    reference = past_booking(site)
    owe(site, reference, 5000)
    site.query(
        "update bookings_booking set terms = jsonb_set(jsonb_set(terms, '{no_show_fee_kind}', '\"percent\"'),"
        " '{no_show_fee_value}', '5000') where reference = %s",
        reference,
    )
    page = visit("desktop", scripts=scripts)
    sign_in(page, FRONT_DESK)

    # By the reference, as it is read over the phone.
    page.get_by_role("searchbox").fill(f"{reference[:3]} {reference[3:]}".lower())
    page.get_by_role("searchbox").press("Enter")
    expect(page).to_have_url(re.compile(f"/desk/bookings/{reference}/$"))

    page.get_by_role("link", name="Record a payment").click()
    page.get_by_label("Amount").fill("30")
    if not scripts:
        press(page, "Record €50.00")
        expect(page.get_by_role("alert")).to_contain_text("Nothing is done yet")
    press(page, "Record €30.00")
    expect(page.get_by_text("€30.00 is recorded.")).to_be_visible()
    assert "€20.00 open" in money(page)

    page.get_by_role("link", name="Refund").click()
    page.get_by_label("Amount").fill("12.50")
    page.get_by_label("Note for us").fill("Ended early")
    if not scripts:
        press(page, "Refund €30.00")
    press(page, "Refund €12.50")
    expect(page.get_by_text("€12.50 is recorded as given back.")).to_be_visible()
    # The price is lowered by what went back: a refund makes no debt.
    assert "€20.00 open" in money(page)

    page.get_by_role("link", name="No-show").click()
    press(page, "Mark as no-show")
    expect(page.get_by_text("Marked as no-show.")).to_be_visible()

    page.get_by_role("link", name=re.compile("^Waive")).first.click()
    page.get_by_label("Note for us").fill("Was at the wrong door")
    page.locator(".step-buttons button").click()
    expect(page.get_by_text("is waived.")).to_be_visible()
    assert "Was at the wrong door" in page.get_by_role("complementary").inner_text()


def test_a_sum_typed_before_the_script_came_stands_in_the_button(site: Stack, visit: Visitors) -> None:
    reference = past_booking(site)
    owe(site, reference, 5000)
    page = visit("desktop")
    sign_in(page, FRONT_DESK)
    on_the_way: list[Route] = []
    page.route(SUM_SCRIPT, lambda route: on_the_way.append(route))  # noqa: PLW0108 - Playwright needs a function

    with page.expect_request(SUM_SCRIPT):
        page.goto(f"/desk/bookings/{reference}/take", wait_until="commit")
    page.get_by_label("Amount").fill("30")
    for script in on_the_way:
        script.continue_()

    expect(page.get_by_role("button", name="Record €30.00")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_button_that_cancels_names_what_the_choice_costs(site: Stack, visit: Visitors, scripts: bool) -> None:
    [(reference,)] = site.query(
        "update bookings_booking set terms = jsonb_set(jsonb_set(terms, '{tiers}',"
        " '[[0, \"fixed\", 1234]]'), '{grace_minutes}', '0') where id = ("
        f" select id from bookings_booking where status = 'confirmed' and {KREUZBERG}"
        "  and starts_at > now() + interval '2 days' and total_minor > 1234"
        "  and not exists (select from payments_payment p where p.subject_ref = 'booking:' || bookings_booking.id)"
        " order by starts_at limit 1) returning reference"
    )
    page = visit("desktop", scripts=scripts)
    sign_in(page, FRONT_DESK)
    page.goto(f"/desk/bookings/{reference}/cancel")

    page.get_by_label("The customer, who called").check()
    if not scripts:
        press(page, "Cancel this booking")
        expect(page.get_by_role("alert")).to_contain_text("Nothing is done yet")
    else:
        page.get_by_label("Take the fee of the rules").uncheck()
        press_is_offered(page, "Cancel free of charge")
        page.get_by_label("Take the fee of the rules").check()
    press(page, "Cancel for a fee of €12.34")

    expect(page.get_by_text("The booking is cancelled")).to_be_visible()
    assert "€12.34" in money(page)


@pytest.mark.parametrize("scripts", [True, False])
def test_a_booking_opens_beside_the_calendar(site: Stack, visit: Visitors, scripts: bool) -> None:
    name = f"Calendar Guest {int(scripts)}"
    [(reference,)] = site.query(
        "update bookings_booking set contact_name = %s where id = ("
        f" select id from bookings_booking where status = 'confirmed' and {KREUZBERG} and bill_id is not null"
        " and starts_at::date = %s order by starts_at offset 4 limit 1) returning reference",
        name,
        full_day(),
    )
    page = visit("desktop", scripts=scripts)
    sign_in(page, FRONT_DESK)
    page.goto(f"/desk/?on={full_day()}")

    page.get_by_role("link", name=name).click()
    expect(page).to_have_url(re.compile(f"&b={reference}$"))
    panel = page.get_by_role("region", name=name)
    expect(panel.get_by_role("heading", name=name)).to_be_visible()
    if scripts:
        press_key(page, "Escape")
        expect(panel).to_have_count(0)
        expect(page.get_by_role("link", name=name)).to_be_focused()
        page.keyboard.press("Enter")
    panel.get_by_role("link", name="Cancel").click()
    page.get_by_role("link", name="Go back").click()

    expect(page).to_have_url(re.compile(f"/desk/.*&b={reference}$"))
    expect(panel.get_by_role("heading", name=name)).to_be_visible()


def test_keys_lead_through_the_days_and_to_the_search(visit: Visitors) -> None:
    page = visit("desktop")
    sign_in(page, FRONT_DESK)
    today = page.get_by_role("heading", level=1).inner_text()

    press_key(page, "ArrowRight")
    expect(page.get_by_role("heading", level=1)).not_to_have_text(today)
    press_key(page, "ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text(today)
    press_key(page, "/")

    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.get_by_role("searchbox")).to_have_value("a/b")
