"""From the first look to a confirmed booking, as people go that way."""

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.steps import somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_a_time_on_the_landing_page_is_two_taps_from_a_booking_with_mail_and_invite(
    site: Stack, visit: Visitors
) -> None:
    jana = somebody("Jana Weber", note="Left shoulder, please.")
    page = visit("phone")
    page.goto("/")
    time = steps.time_of(page.locator("button.next-row").first)

    page.locator("button.next-row").first.click()
    expect(page).to_have_url(steps.DETAILS)
    expect(page.get_by_text("Step 2 of 3")).to_be_visible()
    steps.fill_in(page, jana)
    steps.book(page)

    expect(page.locator("main")).to_contain_text(time)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked, Jana")
    [mail] = site.mailbox.wait_for(jana.email)
    assert time in mail.text
    method, event = steps.invite_in(mail)
    assert method == "REQUEST"
    assert int(event["SEQUENCE"]) == 0
    assert steps.link_in(mail) in str(event["DESCRIPTION"])
    assert event.start.astimezone(UTC) > datetime.now(tz=UTC)


def test_the_therapist_gets_a_mail_with_first_name_only(site: Stack, visit: Visitors) -> None:
    mira = somebody("Mira Quastenberg")
    page = visit("phone")

    steps.book_a_time(page, mira, therapist="ana")

    mail = steps.mail_about(site, "ana@linden.example", "Mira")
    assert "Quastenberg" not in mail.text + mail.html
    assert mira.email not in mail.text + mail.html
    assert steps.invite_in(mail)[0] == "REQUEST"


def test_the_picker_leads_from_therapist_and_day_to_a_held_time_that_can_be_switched(
    site: Stack, visit: Visitors
) -> None:
    page = visit("desktop")
    page.goto(f"/s/{steps.SERVICE}/")
    page.get_by_role("link", name="Ana", exact=True).click()
    expect(page.get_by_role("link", name="Ana", exact=True)).to_have_attribute("aria-current", "true")
    steps.look_far_ahead(page)
    steps.choose_day(page)
    first, second = steps.times(page).nth(0), steps.times(page).nth(2)
    first_value, second_value = first.get_attribute("value"), second.get_attribute("value")

    first.click()
    expect(page.locator(f"button.time-held[value='{first_value}']")).to_contain_text("Held")
    expect(page.locator("[data-digits]").first).to_have_text(re.compile(r"^\d:\d\d$"))
    page.locator(f"button.time[value='{second_value}']").click()

    expect(page.locator("button.time-held")).to_have_count(1)
    expect(page.locator("button.time-held")).to_have_attribute("value", second_value or "")
    token = re.search(r"/h/([^/]+)/", page.get_by_role("link", name="Continue").get_attribute("href") or "")
    assert token
    assert live_holds_like(site, token[1]) == 1
    steps.go_on_to_details(page)
    expect(page.get_by_role("region", name="Summary")).to_contain_text("Ana Lopes")


def test_the_countdown_runs(visit: Visitors) -> None:
    page = visit("phone")
    steps.hold_a_time(page)
    digits = page.locator("[data-digits]").first
    before = digits.inner_text()

    expect(digits).not_to_have_text(before)

    assert seconds(digits.inner_text()) < seconds(before)


def test_a_held_time_is_gone_for_others_and_comes_back_when_given_back(visit: Visitors) -> None:
    jana, ben = visit("desktop"), visit("phone")
    steps.hold_a_time(jana)
    value = jana.locator("button.time-held").get_attribute("value")
    there = jana.url

    ben.goto(there)
    expect(ben.locator(f"button.time[value='{value}']")).to_have_count(0)
    jana.get_by_role("button", name="Give it back").click()
    expect(jana.get_by_role("link", name="Continue")).to_have_count(0)
    ben.reload()

    expect(ben.locator(f"button.time[value='{value}']")).to_have_count(1)


def test_an_extra_on_the_details_page_changes_the_sum_and_keeps_what_was_typed(visit: Visitors) -> None:
    jana = somebody(note="Please no music.")
    page = visit("desktop")
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)
    summary = page.get_by_role("region", name="Summary")
    expect(summary).to_contain_text("€80.00")

    page.get_by_role("button", name="Add Hot towel wrap").click()

    expect(summary).to_contain_text("€88.00")
    assert steps.typed(page) == jana
    steps.book(page)
    expect(page.locator("main")).to_contain_text("€88.00")


def test_errors_stand_by_their_fields_and_a_slip_is_mended_by_one_button(visit: Visitors) -> None:
    page = visit("phone", expects=(422,))
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    wrong = steps.Person("Jana Weber", "jana@gmial.com", "12", "Left shoulder, please.")
    steps.fill_in(page, wrong)

    steps.book_button(page).click()

    phone = page.get_by_label("Phone")
    expect(phone).to_have_attribute("aria-invalid", "true")
    assert steps.typed(page) == wrong
    assert described_by(page, "Phone")
    assert described_by(page, "E-mail")
    page.get_by_role("button", name="Use jana@gmail.com").click()
    expect(page.get_by_label("E-mail")).to_have_value("jana@gmail.com")
    phone.fill("+49 1515 5501827")
    steps.book(page)


def test_a_double_click_books_once(site: Stack, visit: Visitors) -> None:
    jana = somebody()
    page = visit("desktop")
    steps.hold_a_time(page)
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)

    steps.book_button(page).dblclick()

    expect(page).to_have_url(steps.CONFIRMED)
    site.mailbox.wait_for(jana.email)
    assert bookings_of(site, jana.email) == [("confirmed",)]


def test_back_after_the_booking_leads_to_it_and_not_to_a_second_one(site: Stack, visit: Visitors) -> None:
    jana = somebody()
    page = visit("phone")
    steps.book_a_time(page, jana)

    page.go_back()

    if steps.DETAILS.search(page.url):
        # The browser may still show the form from its memory; sending it again leads to the booking.
        steps.book_button(page).click()
    expect(page).to_have_url(re.compile(r"/b/[^/]+/"))
    assert bookings_of(site, jana.email) == [("confirmed",)]


def test_a_visitor_in_another_zone_sees_both_clocks(visit: Visitors) -> None:
    page = visit("phone", zone="America/New_York")
    page.goto(f"/s/{steps.SERVICE}/")
    expect(page.locator("#zone")).to_contain_text("New York")

    steps.hold_a_time(page)

    expect(page.get_by_role("region", name="Held for you")).to_contain_text("New York")
    steps.go_on_to_details(page)
    expect(page.get_by_role("region", name="Time left").first).to_contain_text("New York")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


# --- looking things up -----------------------------------------------------------------------------------------------


def live_holds_like(site: Stack, token: str) -> int:
    """Live holds of the visitor who has this one."""
    [(number,)] = site.query(
        "select count(*) from bookings_booking where status = 'held' and visitor_hash ="
        " (select visitor_hash from bookings_booking where hold_token_hash = encode(sha256(%s::bytea), 'hex'))",
        token.encode(),
    )
    return int(number)


def bookings_of(site: Stack, email: str) -> list[tuple[str]]:
    rows = site.query("select status from bookings_booking where contact_email = %s", email)
    return [(str(status),) for (status,) in rows]


def described_by(page: Page, label: str) -> str:
    """The error sentence that a field refers to, as a screen reader would find it."""
    ids = (page.get_by_label(label).get_attribute("aria-describedby") or "").split()
    errors = [page.locator(f"#{each}").inner_text() for each in ids if each.endswith("-error")]
    return " ".join(errors)


def seconds(digits: str) -> int:
    minutes, rest = digits.split(":")
    return int(minutes) * 60 + int(rest)
