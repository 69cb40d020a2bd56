"""The walk-in queue. Importing this adds its scenes to ``scenes.SCENES``."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect

from tests.e2e.desk_scenes import FRONT_DESK, sign_in
from tests.e2e.scenes import LONG_NAME, Stage, scene
from tests.stack import Stack

TODAY = "(now() at time zone 'Europe/Berlin')::date"
# From midnight to six on the next morning.
ALL_DAY = "start_minute = 0 and end_minute = 1800"


@contextmanager
def long_day(site: Stack) -> Iterator[None]:
    """Open Kreuzberg all day, with two therapists, so that there is time today whenever tests run. Afterwards those who
    were put on the queue are gone.
    """
    place = "(select id from services_location where slug = 'kreuzberg')"
    [(last,)] = site.query("select coalesce(max(id), 0) from bookings_walkin")
    site.query(
        'insert into services_closure (location_id, "on", start_minute, end_minute, reason)'
        f" values ({place}, {TODAY}, 0, 1800, 'Long day')"
    )
    site.query(
        'insert into staff_workinghoursexception (staff_member_id, location_id, "on", start_minute, end_minute)'
        f" select id, {place}, {TODAY}, 0, 1800 from staff_staffmember where slug in ('ana', 'marek')"
    )
    try:
        yield
    finally:
        site.query("delete from bookings_walkin where id > %s", last)
        site.query(f"delete from services_closure where reason = 'Long day' and {ALL_DAY}")
        site.query(f"delete from staff_workinghoursexception where {ALL_DAY}")


def open_queue(page: Page) -> None:
    """Open the queue from the calendar."""
    sign_in(page, FRONT_DESK)
    page.get_by_role("link", name="Walk-ins").click()
    expect(page.get_by_role("heading", name="Walk-ins")).to_be_visible()


def add(page: Page, name: str) -> None:
    """Put a person on the queue for the first service."""
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Service").select_option(index=1)
    page.get_by_role("button", name="Add to the list").click()


@scene
def desk_queue(stage: Stage) -> None:
    """Some wait, one of them for a therapist who is not here, and one has left."""
    stage.afterwards.enter_context(long_day(stage.site))
    open_queue(stage.page)
    for name in (f"{LONG_NAME} the Second", "Dana from the Corner"):
        add(stage.page, name)
        expect(stage.page.get_by_text(f"{name} is on the list.")).to_be_visible()
    stage.page.get_by_role("button", name="Left · Dana from the Corner").click()
    expect(stage.page.get_by_role("button", name="Put back · Dana from the Corner")).to_be_visible()


@scene
def desk_queue_known(stage: Stage) -> None:
    """The person may be a known customer."""
    [(name,)] = stage.site.query("select name from accounts_customer where merged_into_id is null order by id limit 1")
    stage.afterwards.enter_context(long_day(stage.site))
    open_queue(stage.page)
    add(stage.page, str(name))
    expect(stage.page.get_by_role("heading", name="Is it one of these customers?")).to_be_visible()
