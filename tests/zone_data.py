"""Zone data of another year, as an old system or an old PostgreSQL has it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo, reset_tzpath


def write_zone_data(folder: Path, zones: dict[str, str]) -> None:
    """Write a folder of zone data in which each zone has the clock of another one."""
    package = files("tzdata").joinpath("zoneinfo")
    for name, clock in zones.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with package.joinpath(*clock.split("/")).open("rb") as data, target.open("wb") as copy:
            shutil.copyfileobj(data, copy)


@contextmanager
def reading_zone_data(folder: Path) -> Iterator[None]:
    """Let this process read its zones from ``folder`` first."""
    reset_tzpath(to=[folder])
    ZoneInfo.clear_cache()
    try:
        yield
    finally:
        reset_tzpath(to=[])
        ZoneInfo.clear_cache()
