"""Computes the end of a person's quiet hours.

Pure: minutes from local midnight, a zone and an instant in, an instant out.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo


def quiet_until(now: datetime, *, start_minute: int, end_minute: int, zone: ZoneInfo) -> datetime | None:
    """Return the instant (UTC) at which the quiet hours around ``now`` end; None if ``now`` is not in quiet hours.

    The end is excluded. An end before the start is on the next day; equal minutes mean no quiet hours. If clocks repeat
    the end, its first occurrence counts, or the second once the first has passed. If clocks skip the end, it moves
    forward by the skipped time.
    """
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    goes_past_midnight = end_minute < start_minute
    is_before_end, is_after_start = minute < end_minute, minute >= start_minute
    if start_minute == end_minute:
        return None
    if not ((is_before_end or is_after_start) if goes_past_midnight else (is_before_end and is_after_start)):
        return None
    day = local.date() if is_before_end else local.date() + timedelta(days=1)
    end = datetime.combine(day, time(*divmod(end_minute, 60)), tzinfo=zone)
    until = end.astimezone(UTC)
    return until if until > now else end.replace(fold=1).astimezone(UTC)
