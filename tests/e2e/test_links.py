"""The links in e-mails: the customer and the therapist move and cancel by them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.steps import Person, somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_the_customer_moves_by_the_link_and_the_calendar_entry_moves_along(site: Stack, visit: Visitors) -> None:
    jana = somebody("Jana Weber")
    steps.book_a_time(visit("phone"), jana)
    [booked] = site.mailbox.wait_for(jana.email)
    page = visit("phone")
    page.goto(steps.link_in(booked))
    before = page.get_by_role("heading", level=1).inner_text()

    page.get_by_role("link", name="See all times").click()
    page.locator("table a.date-free").last.click()
    expect(page.locator("#day-title")).to_be_visible()
    page.locator(".day-view a.time").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Move your appointment?")
    expect(page.locator("dl.from-to")).to_contain_text(before)
    after = page.locator("dd.when").inner_text()
    page.get_by_role("button", name=f"Move to {after}").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(after)
    expect(page.locator("ol.history")).to_contain_text(f"You moved it from {before} to {after}")
    [moved] = site.mailbox.wait_for(jana.email, subject="Moved to")
    first, second = steps.invite_in(booked), steps.invite_in(moved)
    assert second[0] == "REQUEST"
    assert str(second[1]["UID"]) == str(first[1]["UID"])
    assert int(second[1]["SEQUENCE"]) > int(first[1]["SEQUENCE"])
    assert second[1].start != first[1].start


def test_the_customer_cancels_by_the_link_after_one_more_question(site: Stack, visit: Visitors) -> None:
    jana = somebody("Jana Weber")
    steps.book_a_time(visit("phone"), jana)
    [booked] = site.mailbox.wait_for(jana.email)
    page = visit("phone")
    page.goto(steps.link_in(booked))

    page.get_by_role("link", name="Cancel free of charge").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Cancel your appointment?")
    assert status_of(site, jana) == "confirmed"
    page.get_by_role("button", name="Cancel it, free of charge").click()

    expect(page.locator("main")).to_contain_text("You cancelled this appointment. There is nothing to pay.")
    expect(page.get_by_role("link", name="Book again")).to_be_visible()
    assert status_of(site, jana) == "cancelled"
    [cancelled] = site.mailbox.wait_for(jana.email, subject="Cancelled")
    method, event = steps.invite_in(cancelled)
    assert method == "CANCEL"
    assert str(event["UID"]) == str(steps.invite_in(booked)[1]["UID"])


def test_a_cancelled_time_is_free_for_others_at_once(site: Stack, visit: Visitors) -> None:
    jana = somebody()
    page, other = visit("phone"), visit("desktop")
    steps.hold_a_time(page)
    value, there = page.locator("button.time-held").get_attribute("value"), page.url
    steps.go_on_to_details(page)
    steps.fill_in(page, jana)
    steps.book(page)
    other.goto(there)
    expect(other.locator(f"button.time[value='{value}']")).to_have_count(0)

    cancel(page)
    other.reload()

    expect(other.locator(f"button.time[value='{value}']")).to_have_count(1)


def test_the_therapist_moves_by_the_link_in_the_mail_and_the_customer_is_told(site: Stack, visit: Visitors) -> None:
    jana = somebody("Josephine Weber")
    steps.book_a_time(visit("phone"), jana)
    page = visit("phone")
    page.goto(steps.link_in(steps.mail_about(site, "ana@linden.example", "Josephine")))
    expect(page.locator("main")).to_contain_text("Josephine")
    expect(page.locator("main")).not_to_contain_text("Weber")

    page.get_by_role("link", name="Move to another time").click()
    page.locator("a.time").nth(3).click()
    after = page.locator("dd.when").inner_text()
    page.get_by_role("button", name=f"Move to {after}").click()

    expect(page.get_by_role("heading", level=1)).to_have_text(after)
    [moved] = site.mailbox.wait_for(jana.email, subject="Moved to")
    assert after in moved.text


def test_the_therapist_cancels_by_the_link_in_the_mail_with_a_reason(site: Stack, visit: Visitors) -> None:
    jana = somebody("Leopoldine Weber")
    steps.book_a_time(visit("phone"), jana)
    page = visit("phone", expects=(422,))
    page.goto(steps.link_in(steps.mail_about(site, "ana@linden.example", "Leopoldine"), "/cancel"))

    page.get_by_role("button", name="Cancel it and tell the customer").click()
    expect(page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Reason").fill("I am ill, sorry.")
    page.get_by_role("button", name="Cancel it and tell the customer").click()

    expect(page.locator("main")).to_contain_text("Cancelled")
    assert status_of(site, jana) == "cancelled"
    [cancelled] = site.mailbox.wait_for(jana.email, subject="Cancelled")
    assert steps.invite_in(cancelled)[0] == "CANCEL"


def test_looking_changes_nothing(site: Stack, visit: Visitors) -> None:
    jana = somebody()
    page = visit("desktop")
    steps.book_a_time(page, jana)
    token = steps.token_of(page)
    before = everything_about(site, jana)

    for path in ("", "confirmed", "move", "cancel"):
        page.goto(f"/b/{token}/{path}")

    assert everything_about(site, jana) == before


# --- looking things up -----------------------------------------------------------------------------------------------


def cancel(page: Page) -> None:
    """Cancel from the confirmation page."""
    page.get_by_role("link", name="Move or cancel").click()
    page.get_by_role("link", name=re.compile("^Cancel")).click()
    page.get_by_role("button", name=re.compile("^Cancel it")).click()
    expect(page.locator("main")).to_contain_text("You cancelled this appointment.")


def status_of(site: Stack, person: Person) -> str:
    [(status,)] = site.query("select status from bookings_booking where contact_email = %s", person.email)
    return str(status)


def everything_about(site: Stack, person: Person) -> object:
    return site.query(
        "select b.*, (select count(*) from bookings_bookingevent e where e.booking_id = b.id),"
        " (select count(*) from notifications_notification n where n.subject_ref = 'booking:' || b.id)"
        " from bookings_booking b where contact_email = %s",
        person.email,
    )
