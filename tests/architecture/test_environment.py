"""``.env.example`` is complete: whatever settings and processes read is explained there, and nothing else is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import environ
import pytest

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / ".env.example"
# Read by the tools that migrate, not by settings.
TOOLS = {"DATABASE_OWNER_URL"}


def explained() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE.read_text(), re.MULTILINE))


def read_by_settings() -> set[str]:
    code = "\n".join(path.read_text() for path in (ROOT / "config").glob("*.py") if path.name != "env.py")
    return set(re.findall(r"""\benv\.[a-z_]+\(\s*["']([A-Z][A-Z0-9_]*)["']""", code))


def read_by_processes() -> set[str]:
    return set(re.findall(r"\$\{([A-Z][A-Z0-9_]*)", (ROOT / "Procfile").read_text()))


def test_everything_that_is_read_is_explained_and_the_reverse() -> None:
    assert explained() == read_by_settings() | read_by_processes() | TOOLS


def test_settings_read_the_environment_through_the_readers_only() -> None:
    direct = [
        f"{path.name}: {line.strip()}"
        for path in (ROOT / "config").glob("*.py")
        if path.name not in {"env.py", "celery.py", "wsgi.py"}
        for line in path.read_text().splitlines()
        if "os.environ" in line or "getenv" in line
    ]

    assert direct == []


def test_copied_as_it_is_the_example_sets_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = dict(os.environ)
    copy = tmp_path / ".env"
    copy.write_text(EXAMPLE.read_text())

    environ.Env.read_env(str(copy), overwrite=False)

    assert dict(os.environ) == before


def test_settings_accept_every_example() -> None:
    examples = dict(re.findall(r"^#([A-Z][A-Z0-9_]*)=(.+)$", EXAMPLE.read_text(), re.MULTILINE))
    code = "from config import settings; print(settings.SITE_URL, settings.TRUSTED_PROXY_COUNT, settings.DEBUG)"

    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **examples},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.stdout, result.stderr) == ("https://book.example.com 1 False\n", "")
