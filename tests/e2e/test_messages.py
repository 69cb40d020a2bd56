"""Messages from both sides: the owner writes one and e-mails it to herself; a customer answers, chooses, unsubscribes.

Browsers here have no push service, so the web push journey uses a stand-in inside the page. It shows that
the button asks only when pressed, registers our worker, and hands the site the subscription of the browser.
"""

from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e import steps
from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import OWNER, sign_in
from tests.e2e.steps import somebody
from tests.e2e.test_every_page import RULES, TOO_SMALL, TOO_WIDE
from tests.stack import Stack

pytestmark = pytest.mark.e2e

TEXT = "/desk/messages/confirmed/customer/email/"
SUBSCRIPTION = """
    window.asked = 0;
    let permission = "default";
    Object.defineProperty(Notification, "permission", { get: () => permission });
    Notification.requestPermission = async () => { window.asked += 1; permission = "granted"; return permission; };
    const keys = {
        p256dh: "BC3Y7yFbuXfcJcAT9ovU9ZH36ZdMHmXuCR6DIO7GP5v3pE-LUdV05nGUbTmOJ3VC8Ch4JAdy7FvBVpG3yjGjkng",
        auth: "mODMWBsEbNW861yOPd9qeA",
    };
    const device = { endpoint: "https://fcm.googleapis.com/fcm/send/e2e", keys };
    PushManager.prototype.getSubscription = async () => null;
    PushManager.prototype.subscribe = async (options) => {
        window.keyBytes = options.applicationServerKey.length;
        return { toJSON: () => device };
    };
"""


def look_over(page: Page) -> None:
    """Open to everybody, nothing cut off, large enough to touch."""
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate(TOO_WIDE) == []
    assert page.evaluate(TOO_SMALL) == []


def booked(site: Stack, visit: Visitors, name: str = "Jana Weber") -> tuple[str, str]:
    """A booking of somebody new: the address of the mailbox, and the link in its mail."""
    person = somebody(name)
    steps.book_a_time(visit("phone"), person)
    [mail] = site.mailbox.wait_for(person.email)
    return person.email, steps.link_in(mail)


@pytest.fixture
def _default_words(site: Stack) -> Iterator[None]:
    """Whatever becomes of a test that writes a text, others get ours."""
    yield
    site.query("delete from notifications_messagetext")


@pytest.mark.usefixtures("_default_words")
def test_the_owner_writes_a_text_sees_it_and_gets_a_test(site: Stack, visit: Visitors) -> None:
    page = visit("desktop", expects=(422,))
    sign_in(page)
    page.goto(TEXT)
    shown = page.frame_locator("iframe[name=preview]")
    expect(shown.get_by_role("heading", level=1)).to_contain_text("You are booked")
    look_over(page)

    body = page.get_by_label("Text")
    body.fill("Hello {{ fist_name }},\n\n{{ appointment }}")
    expect(shown.locator("body")).to_contain_text("Did you mean “first_name”?")
    page.get_by_role("button", name="Keep these words").click()
    expect(page.get_by_role("alert")).to_contain_text("One field needs another look")
    steps.wait_for_scripts(page)
    body.fill("Grüße, {{ first_name }}!\n\n{{ appointment }}\n\n{{ manage_url }}")
    expect(shown.locator("body")).to_contain_text("Grüße,")
    expect(shown.get_by_role("link", name="See, move or cancel")).to_be_visible()
    page.get_by_label("Subject").fill("Bis {{ when }}")
    page.get_by_role("button", name="Keep these words").click()
    expect(page.locator("main")).to_contain_text("It is sent from now on.")
    page.get_by_role("button", name="Send a test").click()

    [test] = site.mailbox.wait_for(OWNER, subject="Bis ")
    assert "Grüße, " in test.text
    assert "See, move or cancel" in test.html
    page.get_by_role("button", name="Restore the default").click()
    expect(page.locator("main")).to_contain_text("Our default is sent")


@pytest.mark.parametrize("address", [TEXT, *(f"/desk/messages/{end}" for end in ("", "reminder/customer/", "log/"))])
def test_pages_of_messages_are_open_to_everybody(site: Stack, visit: Visitors, address: str) -> None:
    # So that something was sent, whichever test comes first.
    booked(site, visit)
    page = visit("phone")
    sign_in(page)

    page.goto(address)

    look_over(page)


def test_a_customer_says_that_they_are_coming(site: Stack, visit: Visitors) -> None:
    _, link = booked(site, visit)
    page = visit("phone")
    page.goto(f"{link}coming")
    look_over(page)

    page.get_by_role("button", name="I’m coming").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("We expect you")
    page.get_by_role("link", name="Your appointment").click()
    expect(page.locator("ol.history")).to_contain_text("You said that you are coming")


def test_a_customer_chooses_and_one_click_ends_the_news(site: Stack, visit: Visitors) -> None:
    email, link = booked(site, visit)
    page = visit("phone", scripts=False)
    page.goto(link)
    page.get_by_role("link", name="Choose your messages").click()
    look_over_without_scripts(page)

    page.get_by_label("may send me news").check()
    page.get_by_label("Nothing that can wait").check()
    page.get_by_role("button", name="Keep this choice").click()

    expect(page.locator("main")).to_contain_text("Your choice is kept.")
    expect(page.get_by_label("may send me news")).to_be_checked()
    address = site.manage(
        "shell", "-c", f"from notifications.unsubscribing import *; print(unsubscribe_url('{email}'))"
    )
    token = address.stdout.strip().rpartition("/")[2]
    httpx.post(f"{site.url}/u/{token}", data={"List-Unsubscribe": "One-Click"}).raise_for_status()
    page.reload()
    expect(page.get_by_label("may send me news")).not_to_be_checked()


def look_over_without_scripts(page: Page) -> None:
    """What axe does needs scripts; that nothing is missing without them is seen here."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Your messages")
    expect(page.locator("[data-push]")).to_be_hidden()


def test_a_device_is_registered_only_after_a_press(site: Stack, visit: Visitors) -> None:
    email, link = booked(site, visit)
    page = visit("phone")
    page.add_init_script(SUBSCRIPTION)
    page.goto(link)
    button = page.get_by_role("button", name="Notify me on this device")
    expect(button).to_be_visible()
    assert page.evaluate("window.asked") == 0

    button.click()

    expect(page.get_by_text("You get notifications on this device.")).to_be_visible()
    assert page.evaluate("[window.asked, window.keyBytes]") == [1, 65]
    assert (
        page.evaluate("navigator.serviceWorker.getRegistration('/').then(found => new URL(found.scope).pathname)")
        == "/"
    )
    assert site.query(
        "SELECT count(*) FROM notifications_pushsubscription device"
        " JOIN accounts_customer customer ON device.person_ref = 'customer:' || customer.id WHERE customer.email = %s",
        email,
    ) == [(1,)]
