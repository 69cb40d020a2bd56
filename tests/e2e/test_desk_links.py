"""The front desk sends a link, and the customer finishes the booking with it, or lets it run out."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import FRONT_DESK, let_link_run_out, link_page, send_a_link, sign_in
from tests.e2e.steps import book, mail_about, somebody, typed
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def test_the_customer_finishes_the_booking_and_the_calendar_shows_it(site: Stack, visit: Visitors) -> None:
    sofia = somebody("Sofia Kaya")
    desk, phone = visit("desktop"), visit("phone")
    sign_in(desk, FRONT_DESK)
    send_a_link(desk, sofia)
    expect(desk.locator(".block.is-linked.is-selected")).to_contain_text(
        re.compile(r"Link sent, waits until .*\d\d:\d\d")
    )

    phone.goto(link_page(site, sofia))
    expect(phone.get_by_text("holds this time for you until")).to_be_visible()
    assert typed(phone).email == sofia.email
    phone.get_by_label("Note").fill("Left shoulder")
    book(phone)

    # The open calendar notices it by itself, and so does its panel.
    expect(desk.locator(".block.is-confirmed.is-selected")).to_contain_text("Sofia Kaya")
    expect(desk.locator(".panel-in")).to_contain_text("Left shoulder")
    expect(desk.locator(".panel-in")).to_contain_text("Confirmed")
    mail_about(site, sofia.email, "You are booked")


def test_a_link_that_runs_out_frees_the_time_and_both_sides_are_told(site: Stack, visit: Visitors) -> None:
    sofia = somebody("Sofia Kaya")
    desk, phone = visit("desktop"), visit("phone", expects=(409,))
    sign_in(desk, FRONT_DESK)
    send_a_link(desk, sofia)
    phone.goto(link_page(site, sofia))
    expect(phone.get_by_text("holds this time for you until")).to_be_visible()

    let_link_run_out(site, sofia)

    expect(desk.locator(".block.is-linked.is-selected")).to_have_count(0)
    phone.locator("button.button-main", has_text=re.compile("^Book")).click()
    expect(phone.get_by_role("alert")).to_contain_text("has ended")
    mail_about(site, sofia.email, "The time was not confirmed and is free again.")
    desk.goto("/desk/hands/")
    row = desk.locator(".hand", has_text="Booking not finished").filter(has_text="Sofia Kaya").first
    expect(row).to_be_visible()
    row.get_by_role("button", name="Done").click()
    expect(desk.get_by_role("status").filter(has_text="Done.")).to_be_visible()


def test_the_desk_takes_the_booking_back_and_finishes_it(site: Stack, visit: Visitors) -> None:
    sofia = somebody("Sofia Kaya")
    desk = visit("desktop")
    sign_in(desk, FRONT_DESK)
    send_a_link(desk, sofia)

    desk.get_by_role("button", name="Finish it here").click()
    expect(desk.get_by_label("Name")).to_have_value("Sofia Kaya")
    desk.get_by_role("button", name=re.compile("^Book ")).click()

    expect(desk.get_by_role("status").filter(has_text="Booked for Sofia Kaya")).to_be_visible()
