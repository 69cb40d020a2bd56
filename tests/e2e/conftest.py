"""The whole site with its demo business, and visitors with browsers. Shared by the journeys of this folder.

The scope is the folder, not the session: a browser under Playwright keeps an event loop in its thread, in which Django
refuses to talk to the database, so it has to be gone before other tests of the same process run.
"""

import re
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests import browser
from tests.e2e.browsing import NO_LIMITS, Visitors, visitors
from tests.e2e.patience import milliseconds
from tests.stack import Stack

PICTURES = Path(".data/failures")
# Made for these journeys alone; nobody is pushed to, because no browser here has a push service.
PUSH = {
    "VAPID_PRIVATE_KEY": "VHhw-jPJQvjDTU0ZFbI8bLZn3QdXCfhCMTh5v_EHfGk",
    "VAPID_SUBJECT": "mailto:bookings@openhours.example",
}
FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="package")
def site() -> Iterator[Stack]:
    """Web, worker and beat, with the demo business."""
    with Stack(demo=True, env={**NO_LIMITS, **PUSH}) as stack:
        yield stack


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # The processes of the site add their own load once they run, so never the bare ten seconds.
    expect.set_options(timeout=milliseconds(20))
    with browser.launched() as launched:
        yield launched


@pytest.fixture
def visit(site: Stack, chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Visitors]:
    """Call it for a new visitor's page. The test fails if a page had an error that was not part of its story."""
    with visitors(chromium, site.url) as people:
        yield people
        if request.node.stash.get(FAILED, False):
            people.save_pictures(PICTURES, re.sub(r"\W+", "-", request.node.name).strip("-"))
        else:
            assert people.problems == []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
