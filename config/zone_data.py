"""Which time-zone data the application reads: the pinned package ``tzdata``, never that of the operating system.

The standard library looks at the system first, and a system image may be years behind. Imported by ``config`` itself,
so it holds for the site, the worker, commands and tests alike, whatever PYTHONTZPATH says.
"""

from zoneinfo import ZoneInfo, reset_tzpath

reset_tzpath(to=[])
# What was read before came from elsewhere.
ZoneInfo.clear_cache()
