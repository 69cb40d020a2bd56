"""A manager finds that two records are one customer, and merges them with the keyboard and a phone's screen."""

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import sign_in, two_customers
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("device", ["phone", "desktop"])
def test_two_records_become_one(site: Stack, visit: Visitors, device: str) -> None:
    first, second = two_customers(site)
    page = visit(device)
    sign_in(page)
    page.goto(f"/desk/customers/{first}/")
    name = page.get_by_role("heading", level=1).inner_text()
    page.get_by_role("link", name="Same person as…").click()
    page.locator(".merge-matches a").first.click()
    page.locator(f"input[name=keep][value='{second}']").check()
    page.get_by_label("How do you know that this is one person?").fill("She told me on the phone")
    page.get_by_role("button", name="Merge into one record").click()

    expect(page.get_by_role("status").filter(has_text="Merged.")).to_be_visible()
    expect(page.get_by_text("Merged records")).to_be_visible()
    expect(page.locator(".person-others").first).to_contain_text(name)
    page.goto(f"/desk/customers/{first}/")
    assert page.url.endswith(f"/desk/customers/{second}/")
