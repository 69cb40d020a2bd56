"""Scenes of the pages of a signed-in customer."""

import re

from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.scenes import LONG_NAME, Stage, scene
from tests.e2e.steps import Person, somebody
from tests.stack import Stack

# Moves the only booking of an address into the past, as a visit that took place.
_PAST = (
    "update bookings_booking set status = 'completed', starts_at = now() - interval '14 days',"
    " ends_at = now() - interval '14 days' + interval '1 hour' where contact_email = %s and status = 'confirmed'"
)


def sign_in_by_mail(site: Stack, page: Page, person: Person) -> None:
    """Sign in by the code that comes by e-mail; other mails may have come before."""
    page.goto("/my/")
    page.get_by_label("Your e-mail address").fill(person.email)
    page.get_by_role("button", name="Send me a code").click()
    [mail] = site.mailbox.wait_for(person.email, subject="code")
    found = re.search(r"(\d{3}) (\d{3})", mail.text)
    assert found
    page.get_by_label("Six digits from the e-mail").fill("".join(found.groups()))
    page.wait_for_url(re.compile(r"/my/$"))


def known(stage: Stage, name: str = "Jana Weber") -> Person:
    """Somebody who came before, has a visit ahead and is signed in."""
    jana = somebody(name)
    steps.book_a_time(stage.page, jana)
    stage.site.query(_PAST, jana.email)
    steps.book_a_time(stage.page, jana)
    sign_in_by_mail(stage.site, stage.page, jana)
    return jana


@scene
def my_bookings(stage: Stage) -> None:
    known(stage)
    expect(stage.page.get_by_role("heading", name="Hello Jana")).to_be_visible()
    expect(stage.page.get_by_role("heading", name="Book again")).to_be_visible()


@scene
def my_bookings_long_name_elsewhere(stage: Stage) -> None:
    stage.page = stage.visit("phone", zone="America/New_York")
    known(stage, LONG_NAME)
    expect(stage.page.get_by_role("heading", name="Past visits")).to_be_visible()


@scene
def my_bookings_without_any(stage: Stage) -> None:
    sign_in_by_mail(stage.site, stage.page, somebody())
    expect(stage.page.get_by_text("No visit is booked.")).to_be_visible()


@scene
def my_booking(stage: Stage) -> None:
    known(stage)
    stage.page.get_by_role("link", name="Move or cancel").click()
    expect(stage.page).to_have_url(re.compile(r"/my/bookings/[A-Z0-9]{6}/$"))


@scene
def my_details(stage: Stage) -> None:
    known(stage)
    stage.page.get_by_role("link", name="Your details").click()
    expect(stage.page.get_by_role("heading", name="Your details")).to_be_visible()


@scene
def my_messages(stage: Stage) -> None:
    known(stage)
    stage.page.get_by_role("link", name="Messages").click()
    expect(stage.page.get_by_role("heading", name="Your messages")).to_be_visible()


@scene
def my_privacy(stage: Stage) -> None:
    known(stage)
    stage.page.get_by_role("link", name="Your data").click()
    expect(stage.page.get_by_role("heading", name="What we know about you")).to_be_visible()
    for each in stage.page.locator("details.my-group > summary").all()[:2]:
        each.click()


@scene
def my_erase(stage: Stage) -> None:
    known(stage)
    stage.page.goto("/my/privacy/erase/")
    expect(stage.page.get_by_role("heading", name="Erase your data?")).to_be_visible()


@scene
def details_of_a_known_customer(stage: Stage) -> None:
    known(stage, LONG_NAME)
    stage.page.goto("/")
    stage.page.locator("button.time").first.click()
    expect(stage.page).to_have_url(steps.DETAILS)
    expect(stage.page.locator("details.known")).to_be_visible()
