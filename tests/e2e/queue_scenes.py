"""The walk-in queue. Importing this adds its scenes to ``scenes.SCENES``."""

from playwright.sync_api import Page, expect

from tests.e2e.desk_scenes import FRONT_DESK, sign_in
from tests.e2e.scenes import LONG_NAME, Stage, scene


def open_queue(stage: Stage) -> Page:
    """Open the queue from the calendar. Afterwards those who were added are gone."""
    [(last,)] = stage.site.query("select coalesce(max(id), 0) from bookings_walkin")
    stage.afterwards.callback(stage.site.query, "delete from bookings_walkin where id > %s", last)
    sign_in(stage.page, FRONT_DESK)
    stage.page.get_by_role("link", name="Walk-ins").click()
    expect(stage.page.get_by_role("heading", name="Walk-ins")).to_be_visible()
    return stage.page


def add(page: Page, name: str, *, email: str = "") -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Service").select_option(index=1)
    page.get_by_label("E-mail").fill(email)
    page.get_by_role("button", name="Add to the list").click()


@scene
def desk_queue(stage: Stage) -> None:
    """Two wait, and one has left."""
    page = open_queue(stage)
    for name in (f"{LONG_NAME} the Second", "Dana from the Corner", "Emil from the Corner"):
        add(page, name)
        expect(page.get_by_text(f"{name} is on the list.")).to_be_visible()
    page.get_by_role("button", name="Left · Dana from the Corner").click()
    expect(page.get_by_role("button", name="Put back · Dana from the Corner")).to_be_visible()


@scene
def desk_queue_known(stage: Stage) -> None:
    """The person may be a known customer."""
    [(name,)] = stage.site.query("select name from accounts_customer where merged_into_id is null order by id limit 1")
    page = open_queue(stage)
    add(page, str(name))
    expect(page.get_by_role("heading", name="Is it one of these customers?")).to_be_visible()
