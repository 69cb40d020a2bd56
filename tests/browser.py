"""Chromium for the tests: found, or installed with a loud word about it. `python -m tests.browser` makes sure of it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowser(Exception):
    """There is no Chromium, and none could be installed."""


@contextmanager
def launched() -> Iterator[Browser]:
    """A running Chromium."""
    path = find()
    if path is None:
        raise NoBrowser("No Chromium found: run `make browser`, or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()


def find() -> str | None:
    """The path of a Chromium: CHROMIUM, the system's, or Playwright's own."""
    if chosen := os.environ.get("CHROMIUM"):
        if not os.access(chosen, os.X_OK):
            raise NoBrowser(f"CHROMIUM is {chosen}, which is not a program.")
        return chosen
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


def install() -> str:
    """Install Chromium: from the distribution where we are root on Debian, else Playwright's own."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        # The Chinese, Japanese and Korean fonts make the pictures of translated pages true.
        run("apt-get", "update", "-q")
        run("apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium", "fonts-noto-cjk")
    else:
        run(sys.executable, "-m", "playwright", "install", "chromium")
    path = find()
    if path is None:
        raise NoBrowser("The installation ran, but there is still no Chromium. Set CHROMIUM to its path.")
    return path


def run(*command: str) -> None:
    print(f"Installing Chromium for the tests: {' '.join(command)}", flush=True)
    code = subprocess.run(command, env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"}, check=False).returncode
    if code != 0:
        raise NoBrowser(
            f"`{' '.join(command)}` failed (exit code {code}). Install Chromium and set CHROMIUM to its path."
        )


def main() -> int:
    try:
        print(f"Chromium for the tests: {find() or install()}")
    except NoBrowser as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
