"""Visitors of the running site, each in a browser of its own, and every problem that their browsers report.

A visitor's problems are messages on the console (including violations of the content security policy), scripts that
fail, files that do not load, requests to other hosts, and unexpected answers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response, ViewportSize

from tests.e2e.patience import milliseconds

SIZES = {"small": (320, 640), "phone": (390, 844), "tablet": (820, 1180), "desktop": (1440, 900)}
# Everybody here comes from one address and books many times.
_LIMITS = ("HOLDS_PER_ADDRESS", "LINK_GUESSES_PER_MINUTE", "SIGN_INS_PER_MINUTE", "SIGN_IN_CODES_PER_ADDRESS")
NO_LIMITS = dict.fromkeys(_LIMITS, "100000")
HOME_ZONE = "Europe/Berlin"
# Adds up how far things moved by themselves (cumulative layout shift) in window.layoutShift. Not in frames: the browser
# would complain of this in one that may run no scripts. What a tap asked for may move things when its answer comes,
# however late: the browser itself forgives only half a second, less than a busy machine takes.
COLLECT_SHIFTS = """
    if (window === window.top) {
        window.layoutShift = 0;
        const answers = [];
        addEventListener("htmx:beforeRequest", event => {
            const isTap = event.detail.requestConfig?.triggeringEvent?.isTrusted;
            if (isTap) answers.push({xhr: event.detail.xhr, from: performance.now(), to: Infinity});
        });
        const end = event => {
            const answer = answers.find(each => each.xhr === event.detail.xhr);
            if (answer) answer.to = performance.now() + 100;
        };
        addEventListener("htmx:afterRequest", end);
        addEventListener("htmx:afterSettle", end);
        const isAnswer = time => answers.some(({from, to}) => from <= time && time <= to);
        new PerformanceObserver(list => list.getEntries().forEach(entry => {
            if (!entry.hadRecentInput && !isAnswer(entry.startTime)) window.layoutShift += entry.value;
        })).observe({type: "layout-shift", buffered: true});
    }
"""
# A page gone elsewhere before it had everything is not a fault.
GIVEN_UP = "net::ERR_ABORTED"


@dataclass
class Watch:
    """Collects what went wrong in one context. Document answers from 400 on have to be among ``expected``."""

    host: str
    expected: frozenset[int]
    problems: list[str] = field(default_factory=list)

    def attach(self, context: BrowserContext) -> None:
        context.on("console", self._console)
        context.on("weberror", lambda error: self.problems.append(f"script failed: {error.error}"))
        context.on("requestfailed", self._failed)
        context.on("response", self._answered)
        context.on("request", self._asked)

    def _console(self, message: ConsoleMessage) -> None:
        # What did not load is seen by its answer, with its address; htmx writes a line about it as well.
        if message.type == "error" and not message.text.startswith(
            ("Failed to load resource", "Response Status Error")
        ):
            self.problems.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme in {"http", "https"} and parts.netloc != self.host:
            self.problems.append(f"another host: {request.url}")

    def _failed(self, request: Request) -> None:
        if request.failure != GIVEN_UP:
            self.problems.append(f"did not load: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        is_page = response.request.resource_type in {"document", "xhr", "fetch"}
        if response.status >= 400 and not (is_page and response.status in self.expected):
            self.problems.append(f"{response.status}: {response.request.method} {response.url}")


class Visitors:
    """Opens browsers for the people of one test."""

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self._browser = browser
        self._open: list[tuple[BrowserContext, Watch]] = []

    def __call__(
        self,
        size: str = "phone",
        *,
        dark: bool = False,
        scripts: bool = True,
        zone: str = HOME_ZONE,
        expects: tuple[int, ...] = (),
    ) -> Page:
        """An empty page of a new visitor; addresses are relative to the site.

        :param scripts: whether JavaScript is on.
        :param expects: statuses from 400 on that are part of the story.
        """
        width, height = SIZES[size]
        context = self._browser.new_context(
            base_url=self.url,
            viewport=ViewportSize(width=width, height=height),
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            timezone_id=zone,
            locale="en-GB",
            has_touch=size != "desktop",
            reduced_motion="reduce",
        )
        context.set_default_timeout(milliseconds(20))
        context.add_init_script(COLLECT_SHIFTS)
        watch = Watch(urlsplit(self.url).netloc, frozenset(expects))
        watch.attach(context)
        self._open.append((context, watch))
        return context.new_page()

    @property
    def problems(self) -> list[str]:
        return [problem for _, watch in self._open for problem in watch.problems]

    def save_pictures(self, folder: Path, name: str) -> None:
        """Keep what everybody saw last."""
        folder.mkdir(parents=True, exist_ok=True)
        pages = [page for context, _ in self._open for page in context.pages]
        for number, page in enumerate(pages):
            page.screenshot(path=folder / f"{name}-{number}.png", full_page=True)

    def close(self) -> None:
        for context, _ in self._open:
            context.close()
        self._open.clear()


@contextmanager
def visitors(browser: Browser, url: str) -> Iterator[Visitors]:
    """Visitors who leave at the end of the block."""
    people = Visitors(browser, url)
    try:
        yield people
    finally:
        people.close()
