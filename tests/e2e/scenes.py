"""Every page and state that people can see, each with the way that leads to it.

The checks of accessibility and layout walk through all of them, and so does the gallery.
"""

import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from secrets import token_hex
from typing import TypeVar

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.steps import Person, somebody
from tests.stack import Stack

EXPECTED = (404, 409, 410, 422, 429)
LONG_NAME = "Maximiliane Friederike von Hohenlohe-Ast"


@dataclass
class Stage:
    """Where a scene plays. ``afterwards`` puts back what it changed for everybody."""

    site: Stack
    visit: Visitors
    page: Page
    afterwards: ExitStack = field(default_factory=ExitStack)

    def somebody_else(self) -> Page:
        return self.visit("desktop", expects=EXPECTED)

    def change(self, forth: str, back: str) -> None:
        """Change the business by SQL until the scene is over."""
        self.afterwards.callback(self.site.query, back)
        self.site.query(forth)


Scene = Callable[[Stage], object]
S = TypeVar("S", bound=Scene)
SCENES: dict[str, Scene] = {}


def scene(play: S) -> S:
    SCENES[play.__name__.replace("_", "-")] = play
    return play


# --- finding a time --------------------------------------------------------------------------------------------------


@scene
def landing(stage: Stage) -> None:
    stage.page.goto("/")


@scene
def landing_paused(stage: Stage) -> None:
    _pause(stage)
    stage.page.goto("/")


@scene
def landing_long_name(stage: Stage) -> None:
    stage.change(
        "update services_business set name = 'Massage- und Physiotherapiezentrum Friedrichshain-Kreuzberg GmbH'",
        "update services_business set name = 'Linden Studio'",
    )
    stage.page.goto("/")


@scene
def picker(stage: Stage) -> None:
    stage.page.goto(f"/s/{steps.SERVICE}/")


@scene
def picker_both_places(stage: Stage) -> None:
    stage.page.goto(f"/s/{steps.SERVICE}/?at=all")


@scene
def picker_day(stage: Stage) -> None:
    steps.look_far_ahead(stage.page)
    steps.choose_day(stage.page)


@scene
def picker_held(stage: Stage) -> None:
    stage.page.goto(f"/s/{steps.SERVICE}/")
    steps.times(stage.page).nth(5).click()
    expect(stage.page.get_by_role("link", name="Continue")).to_be_visible()


@scene
def picker_held_from_another_zone(stage: Stage) -> None:
    stage.page = stage.visit("phone", zone="America/New_York")
    steps.hold_a_time(stage.page)


@scene
def picker_taken(stage: Stage) -> None:
    other = stage.somebody_else()
    steps.look_far_ahead(other)
    steps.choose_day(other)
    stage.page.goto(other.url)
    value = steps.times(other).nth(2).get_attribute("value")
    steps.times(other).nth(2).click()
    expect(other.locator("button.time-held")).to_have_count(1)
    stage.page.locator(f"button.time[value='{value}']").click()
    expect(stage.page.get_by_role("alert")).to_contain_text("was just taken")


@scene
def picker_nearly_full(stage: Stage) -> None:
    stage.page.goto("/s/scar-and-joint-therapy/")


@scene
def picker_without_staff(stage: Stage) -> None:
    stage.page.goto("/s/infrared-sauna/")


@scene
def picker_paused(stage: Stage) -> None:
    _pause(stage)
    stage.page.goto(f"/s/{steps.SERVICE}/")


@scene
def picker_nobody_performs(stage: Stage) -> None:
    stage.change(
        "update staff_staffmember set is_active = false where slug = 'maximiliane'",
        "update staff_staffmember set is_active = true where slug = 'maximiliane'",
    )
    stage.page.goto("/s/scar-and-joint-therapy/")


@scene
def too_many_holds(stage: Stage) -> None:
    for _ in range(3):
        steps.hold_a_time(stage.page)
        stage.page.context.clear_cookies(name="hold")
    steps.look_far_ahead(stage.page)
    steps.choose_day(stage.page)
    steps.times(stage.page).first.click()
    expect(stage.page.get_by_role("alert")).to_contain_text("already holding")


# --- the details -----------------------------------------------------------------------------------------------------


@scene
def details(stage: Stage) -> None:
    steps.hold_a_time(stage.page)
    steps.go_on_to_details(stage.page)


@scene
def details_home_visit(stage: Stage) -> None:
    steps.hold_a_time(stage.page, "massage-at-your-home")
    steps.go_on_to_details(stage.page)


@scene
def details_party(stage: Stage) -> None:
    stage.page.goto("/s/infrared-sauna/")
    steps.times(stage.page).first.click()
    steps.go_on_to_details(stage.page)


@scene
def details_with_extra(stage: Stage) -> None:
    details(stage)
    steps.fill_in(stage.page, somebody())
    stage.page.get_by_role("button", name="Add Hot towel wrap").click()
    expect(stage.page.get_by_role("button", name="Remove Hot towel wrap")).to_be_visible()


@scene
def details_errors(stage: Stage) -> None:
    details(stage)
    steps.fill_in(stage.page, Person(LONG_NAME, "jana@gmial.com", "12"))
    steps.book_button(stage.page).click()
    expect(stage.page.get_by_role("button", name="Use jana@gmail.com")).to_be_visible()


@scene
def details_over(stage: Stage) -> None:
    details(stage)
    steps.fill_in(stage.page, somebody())
    steps.run_out(stage.site, steps.token_of(stage.page))
    steps.book_button(stage.page).click()
    expect(stage.page.get_by_role("alert")).to_contain_text("has ended")


@scene
def details_over_and_taken(stage: Stage) -> None:
    other = stage.somebody_else()
    details(stage)
    steps.run_out(stage.site, steps.token_of(stage.page))
    steps.hold_a_time(other)
    steps.fill_in(stage.page, somebody())
    steps.book_button(stage.page).click()
    expect(stage.page.get_by_role("alert")).to_contain_text("no longer free")


# --- the booking -----------------------------------------------------------------------------------------------------


@scene
def confirmed(stage: Stage) -> Person:
    jana = somebody(LONG_NAME)
    steps.book_a_time(stage.page, jana)
    return jana


@scene
def manage(stage: Stage) -> Person:
    jana = confirmed(stage)
    stage.page.get_by_role("link", name="Move or cancel").click()
    expect(stage.page.get_by_role("heading", name="Change of plans")).to_be_visible()
    return jana


@scene
def manage_with_fee(stage: Stage) -> None:
    """Half of the price is kept already: the visit is tomorrow or sooner."""
    jana = manage(stage)
    stage.site.query(
        "update bookings_booking set starts_at = now() + interval '20 hours', ends_at = now() + interval '21 hours',"
        " confirmed_at = now() - interval '3 days' where contact_email = %s",
        jana.email,
    )
    stage.page.reload()
    expect(stage.page.get_by_role("link", name=re.compile("^Cancel for"))).to_be_visible()


@scene
def move(stage: Stage) -> None:
    manage(stage)
    stage.page.get_by_role("link", name="See all times").click()
    expect(stage.page.get_by_role("heading", name="Move to another time")).to_be_visible()


@scene
def move_asks(stage: Stage) -> None:
    move(stage)
    stage.page.locator("a.time").nth(2).click()
    expect(stage.page.get_by_role("heading", name="Move your appointment?")).to_be_visible()


@scene
def moved(stage: Stage) -> None:
    move_asks(stage)
    stage.page.get_by_role("button", name=re.compile("^Move to")).click()
    expect(stage.page.locator("ol.history")).to_contain_text("You moved it")


@scene
def cancel_asks(stage: Stage) -> None:
    manage(stage)
    stage.page.get_by_role("link", name="Cancel free of charge").click()
    expect(stage.page.get_by_role("heading", name="Cancel your appointment?")).to_be_visible()


@scene
def cancelled(stage: Stage) -> None:
    cancel_asks(stage)
    stage.page.get_by_role("button", name=re.compile("^Cancel it")).click()
    expect(stage.page.locator("main")).to_contain_text("You cancelled this appointment.")


@scene
def over(stage: Stage) -> None:
    """The visit was yesterday."""
    jana = manage(stage)
    stage.site.query(
        "update bookings_booking set starts_at = now() - interval '25 hours', ends_at = now() - interval '24 hours'"
        " where contact_email = %s",
        jana.email,
    )
    stage.page.reload()
    expect(stage.page.locator("main")).to_contain_text("This visit is over.")


# --- the therapist's link --------------------------------------------------------------------------------------------


@scene
def staff_link(stage: Stage) -> None:
    stage.page.goto(_link_of_therapist(stage))
    expect(stage.page.get_by_role("link", name="Move to another time")).to_be_visible()


@scene
def staff_move_asks(stage: Stage) -> None:
    staff_link(stage)
    stage.page.get_by_role("link", name="Move to another time").click()
    stage.page.locator("a.time").first.click()
    expect(stage.page.get_by_role("heading", name=re.compile("^Move the appointment of"))).to_be_visible()


@scene
def staff_cancel_asks(stage: Stage) -> None:
    staff_link(stage)
    stage.page.get_by_role("link", name="Cancel").click()
    stage.page.get_by_role("button", name=re.compile("^Cancel it")).click()
    expect(stage.page.get_by_label("Reason")).to_have_attribute("aria-invalid", "true")


# --- nothing there ---------------------------------------------------------------------------------------------------


@scene
def not_found(stage: Stage) -> None:
    stage.page.goto("/b/no-such-link/")


def _pause(stage: Stage) -> None:
    stage.change(
        "update services_business set is_booking_paused = true, paused_message = 'We move house. Back on Monday.'",
        "update services_business set is_booking_paused = false, paused_message = ''",
    )


def _link_of_therapist(stage: Stage) -> str:
    first_name = f"Pia{token_hex(2)}"
    jana = somebody(f"{first_name} Weber")
    steps.book_a_time(stage.page, jana)
    return steps.link_in(steps.mail_about(stage.site, "ana@linden.example", first_name))
