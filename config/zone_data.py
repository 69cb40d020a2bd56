"""Make the application read time-zone data from the pinned package ``tzdata``, never from the operating system.

The standard library prefers the system's data, which may be years old. The package ``config`` imports this module, so
it applies to the site, workers, commands and tests, whatever PYTHONTZPATH says.
"""

from zoneinfo import ZoneInfo, reset_tzpath

reset_tzpath(to=[])
# Zones that were loaded before came from the system's data.
ZoneInfo.clear_cache()
