"""Pictures of every page and mail in .data/gallery, with a page that shows them all.

python -m tests.gallery [scene or journey …]      only these; the rest of the folder stays
"""

import shutil
import sys
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

import django
from playwright.sync_api import Browser, Page, ViewportSize

from tests import browser, servers

# Scenes speak of models, which need the settings, and these their servers.
servers.prepare_environment()
django.setup()

# isort: split
import tests.e2e.desk_scenes  # noqa: E402 (adds the scenes of the desk)
import tests.e2e.known_scenes  # noqa: E402 (adds those of signed-in customers)
import tests.e2e.my_scenes  # noqa: E402
import tests.e2e.proposal_scenes  # noqa: E402  # noqa: E402, F401 (adds those of proposed changes)
import tests.e2e.queue_scenes  # noqa: E402
import tests.e2e.team_scenes  # noqa: E402, F401 (adds those of the team)
from tests.e2e.browsing import NO_LIMITS, visitors  # noqa: E402
from tests.e2e.paying import JOURNEYS  # noqa: E402
from tests.e2e.scenes import EXPECTED, SCENES, Stage  # noqa: E402
from tests.stack import Stack  # noqa: E402

FOLDER = Path(".data/gallery")
WIDTHS = {390: 844, 820: 1180, 1440: 900}
COLOURS = ("light", "dark")
STYLE = """
body { margin: 0; padding: 24px; font: 15px/1.5 system-ui, sans-serif; color-scheme: light dark }
h2 { margin: 48px 0 8px; font-size: 20px }
nav { columns: 12em; max-width: 60em }
.row { display: flex; gap: 16px; align-items: start; overflow-x: auto }
figure { margin: 0 }
img { display: block; height: 560px; width: auto; border: 1px solid #8888; object-fit: cover; object-position: top }
"""


def main(wanted: Sequence[str]) -> int:
    """Take the pictures; the exit code is 1 when a scene could not be played."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with Stack(demo=True, env=NO_LIMITS) as site, browser.launched() as chromium:
            failed = list(_scenes(site, chromium, wanted)) + list(_mails(site, chromium, wanted))
            failed += list(_journeys(chromium, wanted))
    finally:
        servers.stop()
    _write_index()
    for each in failed:
        print(each, file=sys.stderr)
    print(f"Pictures: {(FOLDER / 'index.html').absolute()}")
    return 1 if failed else 0


def _scenes(site: Stack, chromium: Browser, wanted: Sequence[str]) -> Iterator[str]:
    """Play every scene once and take its pictures; yield what failed."""
    if not wanted:
        shutil.rmtree(FOLDER, ignore_errors=True)
    for name in wanted or SCENES:
        if name not in SCENES:
            continue
        with visitors(chromium, site.url) as visit:
            stage = Stage(site, visit, visit("phone", expects=EXPECTED))
            try:
                with stage.afterwards:
                    SCENES[name](stage)
                    _take(stage.page, name)
            except Exception as error:  # one broken scene must not cost the pictures of the others
                yield f"{name}: {error}"


def _journeys(chromium: Browser, wanted: Sequence[str]) -> Iterator[str]:
    """Pages with money, at every stop of the journeys that lead to them; they need a stand-in for Stripe."""
    chosen = {name: journey for name, journey in JOURNEYS.items() if not wanted or name in wanted}
    if not chosen:
        return
    with Stack(demo=True, stripe=True, env=NO_LIMITS) as shop:
        for name, journey in chosen.items():
            with visitors(chromium, shop.url) as visit:
                page = visit("phone", expects=EXPECTED)
                try:
                    for stop in journey(shop, page):
                        _take(page, stop)
                        page.set_viewport_size(ViewportSize(width=390, height=844))
                except Exception as error:  # one broken journey must not cost the pictures of the others
                    yield f"{name}: {error}"


def _mails(site: Stack, chromium: Browser, wanted: Sequence[str]) -> Iterator[str]:
    """One mail of each kind that the scenes have caused."""
    if wanted and "mails" not in wanted:
        return
    seen = set()
    page = chromium.new_page()
    rows = site.query("select kind, recipient_role, message_id from notifications_notification where status = 'sent'")
    kinds = {message_id: f"{kind}-{role}" for kind, role, message_id in rows}
    for mail in site.mailbox.mails():
        kind = kinds.get(dict(mail.headers).get("Message-ID", ""), "")
        if kind and kind not in seen:
            seen.add(kind)
            page.set_content(mail.html)
            _take(page, f"mail-{kind.replace('.', '-')}")
            (FOLDER / f"mail-{kind.replace('.', '-')}.txt").write_text(f"{mail.subject}\n\n{mail.text}")
    page.close()
    if not seen:
        yield "e-mails: none were sent"


def _take(page: Page, name: str) -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for width, height in WIDTHS.items():
        page.set_viewport_size(ViewportSize(width=width, height=height))
        # On a screen as high as the page, what is fixed to the lower edge lies below the rest and not in the middle.
        whole = max(height, int(page.evaluate("document.documentElement.scrollHeight")))
        page.set_viewport_size(ViewportSize(width=width, height=whole))
        for colours in COLOURS:
            page.emulate_media(color_scheme="dark" if colours == "dark" else "light")
            page.screenshot(path=FOLDER / f"{name}-{width}-{colours}.png", animations="disabled")


def _write_index() -> None:
    """A page with all pictures that are in the folder, one row a scene."""
    names = sorted({path.stem.rsplit("-", 2)[0] for path in FOLDER.glob("*.png")})
    contents = "".join(f'<a href="#{name}">{escape(name)}</a><br>' for name in names)
    rows = "".join(f'<h2 id="{name}">{escape(name)}</h2><div class="row">{_row(name)}</div>' for name in names)
    html = f"<!doctype html><meta charset=utf-8><title>Openhours</title><style>{STYLE}</style>"
    (FOLDER / "index.html").write_text(f"{html}<h1>Openhours</h1><nav>{contents}</nav>{rows}\n")


def _row(name: str) -> str:
    files = [f"{name}-{width}-{colours}.png" for colours in COLOURS for width in WIDTHS]
    return "".join(
        f'<figure><a href="{file}"><img src="{file}" alt="" loading="lazy"></a><figcaption>{file}</figcaption></figure>'
        for file in files
        if (FOLDER / file).exists()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
