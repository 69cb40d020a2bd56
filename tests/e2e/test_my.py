"""A customer signs in by a code, adds a passkey, and signs in with it the next time."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browsing import Visitors
from tests.e2e.my_scenes import sign_in
from tests.e2e.scenes import Stage
from tests.e2e.steps import somebody
from tests.stack import Stack

pytestmark = pytest.mark.e2e


def give_a_fingerprint_reader(page: Page) -> None:
    """Let the browser have a reader that holds passkeys and always recognises the finger."""
    reader = page.context.new_cdp_session(page)
    reader.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    reader.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def test_a_passkey_replaces_the_code(site: Stack, visit: Visitors) -> None:
    page, jana = visit("phone"), somebody()
    give_a_fingerprint_reader(page)
    sign_in(Stage(site, visit, page), jana)

    page.goto("/my/security/")
    page.get_by_role("link", name="Add a passkey").click()
    page.get_by_role("button", name="Make a passkey").click()
    expect(page.get_by_role("button", name="Remove")).to_be_visible()
    page.get_by_role("button", name="Sign out here").click()
    expect(page.locator("main")).to_contain_text("You are signed out.")

    page.goto("/my/security/")
    page.get_by_role("link", name="With a passkey").click()
    page.get_by_role("button", name="Use my passkey").click()
    page.wait_for_url("**/my/security/")
    expect(page.locator("main")).to_contain_text(jana.email)
