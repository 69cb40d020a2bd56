"""The pages of proposed changes, each with the way that leads to it. Importing this adds them to ``scenes.SCENES``."""

from playwright.sync_api import Page, expect

from tests.e2e.desk_scenes import MANAGER, sign_in
from tests.e2e.scenes import Stage, scene
from tests.stack import Stack


def service_of(site: Stack) -> str:
    """The slug of a service with several lengths, the same for all therapists, that the manager may propose for."""
    [(slug,)] = site.query(
        "select s.slug from services_service s join services_service_locations l on l.service_id = s.id"
        " join services_location p on p.id = l.location_id and p.slug = 'kreuzberg'"
        " join services_servicevariant v on v.service_id = s.id and v.is_active"
        " where s.visibility = 'public' and not exists (select 1 from staff_qualification q"
        " join services_servicevariant o on o.id = q.variant_id"
        " where o.service_id = s.id and (q.price_minor is not null or q.work_minutes is not null))"
        " group by s.id having count(*) > 1 order by s.position, s.id limit 1"
    )
    return str(slug)


def propose_price(page: Page, slug: str, price: str, *, and_more: bool = False) -> None:
    """As the manager, propose a price of the first length, perhaps with another buffer and other rules."""
    sign_in(page, MANAGER)
    page.goto(f"/desk/proposals/new/service/{slug}/")
    page.get_by_label("Price").first.fill(price)
    if and_more:
        page.get_by_label("Free time after").fill("20 min")
        page.get_by_label("Cancellation rules").select_option(index=1)
        page.get_by_label("Why").fill("Oils cost more since spring, and we are booked out on most days.")
    page.get_by_role("button", name="Propose").click()
    expect(page.get_by_text("Customers see the old values until an owner approves").first).to_be_visible()


def _compare_as_owner(page: Page) -> None:
    """Open the proposal that was made last."""
    page.context.clear_cookies()
    sign_in(page)
    page.goto("/desk/proposals/")
    page.get_by_role("region", name="Waiting").locator(".proposal-row a").last.click()
    expect(page.get_by_role("button", name="Approve")).to_be_visible()


@scene
def desk_proposals(stage: Stage) -> None:
    """One proposal was rejected, one waits."""
    page, slug = stage.page, service_of(stage.site)
    propose_price(page, slug, "93.00")
    _compare_as_owner(page)
    page.get_by_label("Reason").fill("Not before spring.")
    page.get_by_role("button", name="Reject").click()
    expect(page.get_by_text("Rejected by Olivia")).to_be_visible()
    page.context.clear_cookies()
    propose_price(page, slug, "97.50", and_more=True)
    _compare_as_owner(page)
    page.goto("/desk/proposals/")


@scene
def desk_proposal(stage: Stage) -> None:
    propose_price(stage.page, service_of(stage.site), "98.50", and_more=True)
    _compare_as_owner(stage.page)


@scene
def desk_proposal_refused(stage: Stage) -> None:
    desk_proposal(stage)
    stage.page.get_by_role("button", name="Reject").click()
    expect(stage.page.get_by_text("Say why").first).to_be_visible()


@scene
def desk_proposal_outside(stage: Stage) -> None:
    """New hours, with the bookings that would lie outside them."""
    sign_in(stage.page, MANAGER)
    stage.page.goto("/desk/proposals/new/hours/kreuzberg/")
    stage.page.get_by_label("Tuesday").fill("19:00–22:00")
    stage.page.get_by_role("button", name="Propose").click()
    _compare_as_owner(stage.page)
    stage.page.get_by_role("button", name="Approve").click()
    expect(stage.page.get_by_role("button", name="Approve all the same")).to_be_visible()


@scene
def desk_propose(stage: Stage) -> None:
    sign_in(stage.page, MANAGER)
    stage.page.goto("/desk/proposals/new/")


@scene
def desk_propose_service(stage: Stage) -> None:
    """A service with phases, refused for a buffer that is too long."""
    sign_in(stage.page, MANAGER)
    stage.page.goto(f"/desk/proposals/new/service/{service_of(stage.site)}/")
    stage.page.get_by_label("Free time after").fill("2 d")
    stage.page.get_by_role("button", name="Propose").click()
    expect(stage.page.get_by_role("alert")).to_be_visible()


@scene
def desk_propose_hours(stage: Stage) -> None:
    sign_in(stage.page, MANAGER)
    stage.page.goto("/desk/proposals/new/hours/kreuzberg/")
    stage.page.get_by_label("Monday").fill("9-13, 12-18")
    stage.page.get_by_role("button", name="Propose").click()
    expect(stage.page.get_by_role("alert")).to_be_visible()


@scene
def desk_propose_new_service(stage: Stage) -> None:
    sign_in(stage.page, MANAGER)
    stage.page.goto("/desk/proposals/new/service/")
