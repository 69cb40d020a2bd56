"""The pictures of the README, in docs/pictures: four pages of the demo as customers and staff see them.

python -m tests.pictures
"""

import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import django
from PIL import Image
from playwright.sync_api import Page

from tests import browser, servers

servers.prepare_environment()
django.setup()

# isort: split
from tests.e2e.browsing import NO_LIMITS, visitors  # noqa: E402
from tests.e2e.desk_scenes import KREUZBERG, sign_in  # noqa: E402
from tests.stack import Stack  # noqa: E402

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
# Flat colours: fewer are not seen, and a picture stays far below 150 kB.
COLOURS = 128


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with (
            Stack(demo=True, env=NO_LIMITS) as site,
            browser.launched() as chromium,
            visitors(chromium, site.url) as visit,
        ):
            take(visit("desktop"), next_booking(site))
    finally:
        servers.stop()


def take(page: Page, reference: str) -> None:
    page.goto("/")
    keep(page, "landing")
    page.goto("/s/deep-tissue-massage/")
    keep(page, "picker")
    sign_in(page)
    page.goto(f"/desk/?at=kreuzberg&on={next_monday(datetime.now(UTC).date())}")
    keep(page, "desk-day")
    page.goto(f"/desk/bookings/{reference}/")
    keep(page, "desk-booking")


def next_booking(site: Stack) -> str:
    [(reference,)] = site.query(
        "select reference from bookings_booking where status = 'confirmed' and starts_at > now() and "
        f"{KREUZBERG} order by starts_at limit 1"
    )
    return str(reference)


def next_monday(today: date) -> date:
    """The day on which most therapists of the demo work."""
    return today + timedelta(days=7 - today.weekday())


def keep(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
