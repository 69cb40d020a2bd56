"""What visitors do, in the words of the pages: the steps that several journeys share.

Times are taken from days about five weeks ahead, where the demo has no bookings yet, so that a journey always finds a
day with many free times.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex

import icalendar
from playwright.sync_api import Locator, Page, expect

from devservers.mailbox import Mail
from tests.stack import Stack

FAR_DAYS = 33
SERVICE = "deep-tissue-massage"
CONFIRMED = re.compile(r"/b/[^/]+/confirmed$")
DETAILS = re.compile(r"/h/[^/]+/$")


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    phone: str = "+49 1515 5501827"
    note: str = ""


def somebody(name: str = "Jana Weber", **values: str) -> Person:
    """A customer with an address that nobody else has."""
    return Person(name, f"guest-{token_hex(4)}@mail.example", **values)


def wait_for_scripts(page: Page) -> None:
    """Wait until the page has run its scripts. What a test presses before, on a page that works without them, is done
    without them; keys and what happens while typing are lost.
    """
    page.wait_for_load_state()


# --- choosing a time -------------------------------------------------------------------------------------------------


def look_far_ahead(page: Page, service: str = SERVICE, *, person: str = "ana", length: str = "") -> None:
    """Open the picker of a service where nothing is booked yet, with one therapist ("" is any)."""
    from_on = (datetime.now(tz=UTC) + timedelta(days=FAR_DAYS)).date()
    page.goto(f"/s/{service}/?with={person}&from={from_on}{length}")


def choose_day(page: Page) -> None:
    """Press the first day of the calendar that has free times."""
    page.locator("table a.date-free").first.click()
    expect(page.locator("#day-title")).to_be_visible()


def times(page: Page) -> Locator:
    """The buttons of free times, the held one among them."""
    return page.locator("button.time")


def time_of(button: Locator) -> str:
    """The clock time on a button."""
    found = re.search(r"\d{1,2}:\d{2}", button.inner_text())
    assert found, button.inner_text()
    return found[0]


def hold_a_time(page: Page, service: str = SERVICE, *, person: str = "ana") -> str:
    """Choose a far day and a time of it; return the time. The page then shows the hold."""
    look_far_ahead(page, service, person=person)
    choose_day(page)
    button = times(page).nth(1)
    time = time_of(button)
    button.click()
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    return time


def go_on_to_details(page: Page) -> None:
    page.get_by_role("link", name="Continue").click()
    expect(page).to_have_url(DETAILS)


# --- the details -----------------------------------------------------------------------------------------------------


def fill_in(page: Page, person: Person) -> None:
    page.get_by_label("Name", exact=True).fill(person.name)
    page.get_by_label("E-mail").fill(person.email)
    page.get_by_label("Phone").fill(person.phone)
    if person.note:
        page.get_by_label("Note").fill(person.note)


def typed(page: Page) -> Person:
    """What stands in the fields now."""
    return Person(
        page.get_by_label("Name", exact=True).input_value(),
        page.get_by_label("E-mail").input_value(),
        page.get_by_label("Phone").input_value(),
        page.get_by_label("Note").input_value(),
    )


def book_button(page: Page) -> Locator:
    return page.locator("button.button-main", has_text=re.compile("^Book"))


def book(page: Page) -> None:
    """Press the main button and wait for the confirmation."""
    book_button(page).click()
    expect(page).to_have_url(CONFIRMED)


def book_a_time(page: Page, person: Person, service: str = SERVICE, *, therapist: str = "ana") -> str:
    """The whole way to a confirmed booking; return its time."""
    time = hold_a_time(page, service, person=therapist)
    go_on_to_details(page)
    fill_in(page, person)
    book(page)
    return time


# --- mails -----------------------------------------------------------------------------------------------------------


def mail_about(site: Stack, to: str, words: str) -> Mail:
    """The first mail to somebody who gets many that has these words in its text; waits for it."""

    def found() -> list[Mail]:
        return [mail for mail in site.mailbox.mails(to) if words in mail.text]

    site.wait_until(found, what=f"a mail to {to} about {words}")
    return found()[0]


def link_in(mail: Mail, end: str = "/") -> str:
    """The address of a page of the booking, as it stands in the text of the mail."""
    return next(link for link in mail.links if re.search(rf"/b/[^/]+{end}$", link))


def invite_in(mail: Mail) -> tuple[str, icalendar.Event]:
    """METHOD and event of the calendar part."""
    [part] = [each for each in mail.attachments if each.content_type == "text/calendar"][:1]
    calendar = icalendar.Calendar.from_ical(part.content)
    [event] = calendar.walk("VEVENT")
    assert isinstance(event, icalendar.Event)
    return str(calendar["METHOD"]), event


# --- the other side --------------------------------------------------------------------------------------------------


def token_of(page: Page) -> str:
    """The secret in the address of a hold or a booking."""
    found = re.search(r"/[hb]/([^/]+)/", page.url)
    assert found, page.url
    return found[1]


def run_out(site: Stack, token: str) -> None:
    """Let the hold be over, as if its minutes had passed."""
    changed = site.query(
        "update bookings_booking set hold_expires_at = now() - interval '1 second'"
        " where hold_token_hash = encode(sha256(%s::bytea), 'hex') and status = 'held' returning id",
        token.encode(),
    )
    assert changed
