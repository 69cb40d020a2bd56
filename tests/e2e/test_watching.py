"""The eyes of the other tests: what goes wrong on a page is seen."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.browsing import Visitors, visitors
from tests.e2e.test_every_page import TOO_SMALL, TOO_WIDE, barriers, layout_shift
from tests.stack import Stack

pytestmark = pytest.mark.e2e

SPOIL = """
    () => document.querySelector("main").insertAdjacentHTML("afterbegin",
        "<div class='wide'>wide</div><button class='small'>small</button><img class='silent' src='data:,'>")
"""
SPOILED = """
    .wide { width: 3000px } .small { height: 20px; min-height: 0; padding: 0; font-size: 9px }
    @media (prefers-color-scheme: dark) { .wide { color: #222; background: #000 } }
"""


@pytest.mark.parametrize(
    ("harm", "seen"),
    [
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: '1'}))",
            "Content Security Policy",
        ),
        ("document.body.style.cssText; document.body.setAttribute('style', 'color: red')", "Content Security Policy"),
        ("fetch('/nowhere')", "404: GET"),
        ("console.error('oh')", "console: oh"),
        ("setTimeout(() => { throw new Error('oops') })", "script failed"),
        ("document.body.append(Object.assign(new Image(), {src: 'https://tracker.example/x.gif'}))", "another host"),
    ],
)
def test_harm_is_seen(site: Stack, chromium: Browser, harm: str, seen: str) -> None:
    with visitors(chromium, site.url) as people:
        page = people()
        page.goto("/")

        page.evaluate(f"() => {{ {harm} }}")

        assert comes_true(page, lambda: any(seen in problem for problem in people.problems)), people.problems


def test_what_is_wide_small_or_without_words_is_seen(visit: Visitors) -> None:
    page = spoiled(visit)

    assert any("div.wide" in each for each in page.evaluate(TOO_WIDE))
    assert any("button.small" in each for each in page.evaluate(TOO_SMALL))
    assert any(each.startswith("image-alt") for each in barriers(page))
    assert not any(each.startswith("color-contrast") for each in barriers(page))
    page.emulate_media(color_scheme="dark")
    assert any(each.startswith("color-contrast") for each in barriers(page, "dark"))
    assert comes_true(page, lambda: layout_shift(page) > 0.02)


def spoiled(visit: Visitors) -> Page:
    page = visit("phone")
    page.goto("/")
    page.wait_for_load_state("networkidle")
    page.evaluate(SPOIL)
    page.evaluate(
        "css => { const sheet = new CSSStyleSheet(); sheet.replaceSync(css); document.adoptedStyleSheets = [sheet] }",
        SPOILED,
    )
    return page


def comes_true(page: Page, holds: Callable[[], bool]) -> bool:
    """Let the page live on until the condition holds, five seconds at most."""
    for _ in range(100):
        if holds():
            return True
        page.wait_for_timeout(50)
    return False
