"""A manager proposes a price; customers see the old one until the owner approves."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.browsing import Visitors
from tests.e2e.desk_scenes import sign_in
from tests.e2e.proposal_scenes import propose_price, service_of
from tests.stack import Stack

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("scripts", [True, False])
def test_a_price_waits_for_the_owner(
    site: Stack, visit: Visitors, request: pytest.FixtureRequest, scripts: bool
) -> None:
    slug, price = service_of(site), "101.50" if scripts else "102.50"
    manager, owner, customer = visit("phone", scripts=scripts), visit("desktop", scripts=scripts), visit("phone")

    [(length, old)] = site.query(
        "select v.id, v.price_minor from services_servicevariant v join services_service s on s.id = v.service_id"
        " where s.slug = %s order by v.position, v.work_minutes limit 1",
        slug,
    )
    request.addfinalizer(
        lambda: site.query("update services_servicevariant set price_minor = %s where id = %s", old, length)
    )
    propose_price(manager, slug, price)
    customer.goto(f"/s/{slug}/")
    expect(customer.get_by_text(price)).to_have_count(0)

    sign_in(owner)
    owner.goto("/desk/hands/")
    owner.get_by_role("link", name="Compare").last.click()
    expect(owner.get_by_text(price)).to_be_visible()
    owner.get_by_role("button", name="Approve").click()
    expect(owner.get_by_text("Customers see it from now on")).to_be_visible()
    expect(owner.get_by_text(re.compile("Approved by Olivia"))).to_be_visible()

    customer.reload()
    expect(customer.get_by_text(price).first).to_be_visible()
    manager.goto("/desk/proposals/")
    expect(manager.get_by_text(re.compile("Approved by Olivia")).first).to_be_visible()
