"""What counts as unusual reading. Pure: the readings of one user in, what is unusual about them out."""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from accounts.enums import Reading
from privacy.enums import UnusualReading

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)
_SHOWN = frozenset({Reading.VIEWED, Reading.CHANGED, Reading.EXPORTED})


@dataclass(frozen=True, slots=True)
class Read:
    """One row of the access log. ``reference`` is empty for a list; ``rows`` is the number of rows of a download."""

    at: datetime
    act: str
    reference: str
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is usual; more than that is not. None switches a rule off.

    ``night`` are two minutes of the local day: when the night begins, and when it ends.
    """

    per_hour: int | None
    at_night: int | None
    refused_per_day: int | None
    night: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Unusual:
    """More than a limit allows, on a local day. A night counts for the day on which it began."""

    rule: UnusualReading
    on: date
    count: int


def unusual(
    readings: Iterable[Read], limits: Limits, *, zone: ZoneInfo, is_open: Callable[[datetime], bool]
) -> list[Unusual]:
    """Return the rules that the readings of one user break, once for each day, with the highest number of that day.

    The same record counts once. Each row of a download counts, a search does not. ``is_open`` says whether the business
    is open at an instant: then no reading is at night.
    """
    ordered = sorted(readings, key=lambda read: read.at)
    shown = [read for read in ordered if read.act in _SHOWN]
    refused = [read for read in ordered if read.act == Reading.REFUSED and read.reference]
    found = [
        (UnusualReading.MANY, limits.per_hour, _most_in_an_hour(shown, zone)),
        (UnusualReading.NIGHT, limits.at_night, _at_night(shown, limits.night, zone, is_open)),
        (UnusualReading.REFUSED, limits.refused_per_day, _by_day((_day_of(read, zone), read) for read in refused)),
    ]
    return [
        Unusual(rule, on, count)
        for rule, limit, counts in found
        if limit is not None
        for on, count in sorted(counts.items())
        if count > limit
    ]


def night_of(at: datetime, night: tuple[int, int]) -> date | None:
    """Return the day on which the night of a local time began; None by day."""
    begins, ends = night
    minute = at.hour * 60 + at.minute
    if begins <= ends:
        return at.date() if begins <= minute < ends else None
    if minute >= begins:
        return at.date()
    return at.date() - _DAY if minute < ends else None


def _most_in_an_hour(shown: Sequence[Read], zone: ZoneInfo) -> dict[date, int]:
    """Return the highest number of records that were read within an hour, by the day on which that hour ended."""
    most: dict[date, int] = {}
    window: deque[Read] = deque()
    references: Counter[str] = Counter()
    rows = 0
    for read in shown:
        window.append(read)
        references[read.reference] += 1
        rows += read.rows
        while window[0].at <= read.at - _HOUR:
            gone = window.popleft()
            references[gone.reference] -= 1
            if not references[gone.reference]:
                del references[gone.reference]
            rows -= gone.rows
        on = _day_of(read, zone)
        most[on] = max(most.get(on, 0), len(references) - ("" in references) + rows)
    return most


def _at_night(
    shown: Sequence[Read], night: tuple[int, int], zone: ZoneInfo, is_open: Callable[[datetime], bool]
) -> dict[date, int]:
    def nightly() -> Iterator[tuple[date, Read]]:
        for read in shown:
            on = night_of(read.at.astimezone(zone), night)
            if on is not None and not is_open(read.at):
                yield on, read

    return _by_day(nightly())


def _by_day(readings: Iterable[tuple[date, Read]]) -> dict[date, int]:
    """Return the number of records by day."""
    references: dict[date, set[str]] = {}
    rows: Counter[date] = Counter()
    for on, read in readings:
        references.setdefault(on, set()).add(read.reference)
        rows[on] += read.rows
    return {on: len(names - {""}) + rows[on] for on, names in references.items()}


def _day_of(read: Read, zone: ZoneInfo) -> date:
    return read.at.astimezone(zone).date()
