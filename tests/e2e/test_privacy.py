"""A customer asks for a copy and for erasure: the desk notes it, downloads, an owner erases, and nothing is left."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import sign_in
from tests.e2e.privacy_scenes import note_request, settled_customer
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scripts", [True, False])
def test_a_case_from_the_request_to_the_erased_page(
    site: Stack, visit: Visitors, tmp_path: Path, scripts: bool
) -> None:
    owner, name = visit("desktop", scripts=scripts), f"Zelda Quintarelli {'Script' if scripts else 'Plain'}"
    sign_in(owner)
    reference = settled_customer(owner, name, note="Likes the window open.")
    [(email,)] = site.query("select email from accounts_customer where reference = %s", reference)
    note_request(owner, reference, "Erasure of their data")
    case_url = owner.url

    with owner.expect_download() as started:
        owner.get_by_role("button", name="Download as JSON").click()
    started.value.save_as(tmp_path / "data.json")
    data = json.loads((tmp_path / "data.json").read_text())
    assert (data["contact"]["name"], data["contact"]["email"]) == (name, email)
    assert data["notes"][0]["text"] == "Likes the window open."
    with owner.expect_download() as started:
        owner.get_by_role("button", name="Download to read").click()
    started.value.save_as(tmp_path / "data.html")
    assert name in (tmp_path / "data.html").read_text()

    owner.goto(case_url)
    owner.get_by_role("link", name="Erase this customer").click()
    owner.get_by_role("button", name="Erase for good").click()
    expect(owner.get_by_text("Erasure approved")).to_be_visible()
    site.wait_until(
        lambda: site.query(
            "select 1 from privacy_privacycase p join accounts_customer c on c.id = p.customer_id"
            " where c.reference = %s and p.state = 'done'",
            reference,
        ),
        timeout=60,
    )

    owner.reload()
    expect(owner.get_by_text("The data is erased")).to_be_visible()
    owner.goto(f"/desk/customers/{reference}/")
    expect(owner.get_by_text("This customer is erased")).to_be_visible()
    owner.goto(f"/desk/customers/?q={name.rsplit(maxsplit=1)[-1]}")
    expect(owner.get_by_text(name, exact=True)).to_have_count(0)
