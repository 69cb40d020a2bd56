"""Every page in every state: accessible, nothing cut off, large enough to touch, light to load."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, ViewportSize

import tests.e2e.desk_scenes
import tests.e2e.known_scenes
import tests.e2e.my_scenes
import tests.e2e.privacy_scenes
import tests.e2e.proposal_scenes
import tests.e2e.queue_scenes
import tests.e2e.team_scenes  # noqa: F401 (adds those of the team)
from tests.e2e import steps
from tests.e2e.browsing import SIZES, Visitors
from tests.e2e.scenes import EXPECTED, SCENES, Stage
from tests.stack import Stack

pytestmark = pytest.mark.e2e

LOOKS = [("phone", "light"), ("phone", "dark"), ("desktop", "light"), ("desktop", "dark")]
RULES = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
# All that can differ when a page that was looked at in light colours is seen in dark ones.
RULES_OF_COLOURS = {"resultTypes": ["violations"], "runOnly": ["color-contrast", "link-in-text-block"]}
MOST_SHIFT = 0.02
MOST_BYTES = 60_000

# What reaches beyond the right edge, unless it lies in something that scrolls by itself.
TOO_WIDE = """
    () => {
        const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
        if (wide <= 0) return [];
        const isCut = element => getComputedStyle(element).overflowX !== "visible";
        const isInside = element => element !== document.body && (isCut(element) || isInside(element.parentElement));
        return [...document.querySelectorAll("body *")]
            .filter(each => each.getBoundingClientRect().right > innerWidth + 1 && !isInside(each.parentElement))
            .map(each => `${each.tagName.toLowerCase()}.${each.className} "${each.textContent.trim().slice(0, 40)}"`)
            .concat(`${wide} px too wide`);
    }
"""
# Controls under 44 px, and links inside texts under 24 px. Boxes to tick count with their label.
TOO_SMALL = """
    () => {
        const words = each => `"${each.textContent.trim().slice(0, 40)}"`;
        const name = each => `${each.tagName.toLowerCase()}.${each.className} ${words(each)}`;
        const isBox = each => each.matches("input[type=checkbox], input[type=radio]");
        const isSmall = (each, box) => {
            if (getComputedStyle(each).display === "inline") return box.height < 23.5;
            return box.height < 43.5 || (box.width < 43.5 && !each.closest("td"));
        };
        return [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
            .map(each => isBox(each) ? each.closest("label") || each : each)
            .filter(each => each.type !== "hidden" && !each.matches(".skip, .visually-hidden"))
            .filter(each => each.checkVisibility())
            .map(each => [each, each.getBoundingClientRect()])
            .filter(([each, box]) => box.width > 2 && box.height > 2 && isSmall(each, box))
            .map(([each, box]) => `${name(each)} ${Math.round(box.width)}×${Math.round(box.height)}`);
    }
"""


@pytest.fixture(params=SCENES)
def stage(request: pytest.FixtureRequest, site: Stack, visit: Visitors) -> Iterator[Stage]:
    """A scene that has been played, on a phone in light colours."""
    stage = Stage(site, visit, visit("phone", expects=EXPECTED))
    with stage.afterwards:
        SCENES[request.param](stage)
        yield stage


def test_page_is_open_to_everybody_and_fits_every_screen(stage: Stage) -> None:
    page = stage.page
    findings = [f"moves while it loads: {shift:.3f}" for shift in [layout_shift(page)] if shift > MOST_SHIFT]
    findings += [f"too small to touch: {each}" for each in page.evaluate(TOO_SMALL)]
    for size, (width, height) in SIZES.items():
        page.set_viewport_size(ViewportSize(width=width, height=height))
        findings += [f"too wide on {size}: {each}" for each in page.evaluate(TOO_WIDE)]
    for size, colours in LOOKS:
        width, height = SIZES[size]
        page.set_viewport_size(ViewportSize(width=width, height=height))
        page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
        findings += [f"{size}, {colours}: {each}" for each in barriers(page, colours)]

    assert not findings, "\n".join(findings)


def barriers(page: Page, colours: str = "light") -> list[str]:
    """What axe finds, one line a node; in dark colours what is to be seen in them alone."""
    rules = RULES_OF_COLOURS if colours == "dark" else RULES
    found = Axe().run(page, options=rules).response["violations"]
    return [
        f"{rule['id']}: {' '.join(map(str, node['target']))}: {' '.join(node['failureSummary'].split())}"
        for rule in found
        for node in rule["nodes"]
    ]


def layout_shift(page: Page) -> float:
    """How much moved by itself since the page began to load (cumulative layout shift)."""
    page.wait_for_load_state("networkidle")
    return float(page.evaluate("window.layoutShift"))


@pytest.mark.parametrize("name", ["landing", "picker-held", "details-errors", "confirmed", "manage", "move"])
def test_styles_and_scripts_are_light(name: str, site: Stack, visit: Visitors, chromium: Browser) -> None:
    found = Stage(site, visit, visit("phone", expects=EXPECTED))
    SCENES[name](found)
    # Somebody who has never been here, so that nothing comes from a cache.
    context = chromium.new_context(base_url=site.url)
    loaded: list[Response] = []
    context.on("response", lambda response: loaded.append(response))  # noqa: PLW0108 - Playwright needs a function
    context.add_cookies(found.page.context.cookies())  # type: ignore[arg-type]
    context.new_page().goto(found.page.url, wait_until="networkidle")

    sizes = {
        each.url.removeprefix(site.url): each.request.sizes()["responseBodySize"]
        for each in loaded
        if each.request.resource_type in {"stylesheet", "script"}
    }

    context.close()
    assert len(sizes) >= 3
    assert sum(sizes.values()) < MOST_BYTES, sizes


@pytest.mark.parametrize("size", ["phone", "desktop"])
def test_holding_a_time_leaves_the_other_times_under_the_finger(visit: Visitors, size: str) -> None:
    page = visit(size)
    steps.look_far_ahead(page)
    steps.choose_day(page)
    steps.times(page).nth(4).scroll_into_view_if_needed()
    before = [steps.times(page).nth(number).bounding_box() for number in range(4, 8)]

    steps.times(page).nth(4).click()
    page.get_by_role("link", name="Continue").wait_for()

    assert [steps.times(page).nth(number).bounding_box() for number in range(4, 8)] == before
