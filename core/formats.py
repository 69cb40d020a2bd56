"""Money, times and dates as texts in the active language.

Apart from the active language the functions are pure: no clock, no settings of the business. Every pattern is a
translatable string, so each language decides the order of day and month and the notation of times. Money follows the
locale.
"""

import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time
from functools import lru_cache

from babel import Locale
from babel.numbers import format_currency
from django.utils import formats
from django.utils.translation import get_language, gettext, ngettext, npgettext, pgettext

from core.money import exponent, formatted, major, spaced
from core.references import spoken
from core.zones import repeated_name

MINUS = "−"
# Monday to Sunday.
_A_WEEK = [date(2024, 1, day) for day in range(1, 8)]
# Days.
_HALF_A_YEAR = 183


def money_text(amount_minor: int, currency: str, *, short: bool = False) -> str:
    """Write an amount such as €16.00. ``short`` omits .00, for cards and chips."""
    return _money_text(amount_minor, currency, short, get_language() or "en")


@lru_cache(maxsize=4096)
def _money_text(amount_minor: int, currency: str, short: bool, language: str) -> str:
    if short and amount_minor % 10 ** exponent(currency) == 0:
        locale = Locale.parse(language, sep="-")
        pattern = locale.currency_formats["standard"].pattern.replace(".00", "")
        text = spaced(format_currency(major(amount_minor, currency), currency, pattern, locale, currency_digits=False))
    else:
        text = formatted(amount_minor, currency, language)
    return text.replace("-", MINUS)


def isolated(text: str) -> str:
    """Wrap a right-to-left name in Unicode isolates, so that it does not reorder the text around it."""
    is_rtl = any(unicodedata.bidirectional(char) in {"R", "AL"} for char in text)
    return f"\u2068{text}\u2069" if is_rtl else text


def time_text(moment: time | datetime) -> str:
    """Write a time of day such as 14:30. The caller converts a datetime to the zone of the reader first.

    In the hour that a clock change repeats, the zone's abbreviation is added: 02:30 CEST.
    """
    text = clock_text(moment.hour * 60 + moment.minute)
    if isinstance(moment, datetime) and (name := repeated_name(moment)):
        return pgettext("time and zone", "%(time)s %(zone)s") % {"time": text, "zone": name}
    return text


def clock_text(minutes: int) -> str:
    """Write a time of day from minutes after midnight; 1440 and more are times of the next day."""
    return _clock_text(minutes % 1440, get_language() or "")


def clock_texts(minutes: Iterable[int]) -> list[str]:
    """Write many times of day as ``clock_text`` does."""
    language = get_language() or ""
    return [_clock_text(minute % 1440, language) for minute in minutes]


@lru_cache(maxsize=8 * 1440)
def _clock_text(minutes: int, language: str) -> str:
    # Translators: date format letters of Django for a time of day.
    return formats.time_format(time(*divmod(minutes, 60)), pgettext("time pattern", "H:i"))


def day_text(day: date) -> str:
    """Write a day such as Fri 27 Nov."""
    # Translators: date format letters of Django for weekday, day and month, all short.
    return _date_text(day, pgettext("date pattern", "D j M"), get_language() or "")


def long_day_text(day: date) -> str:
    """Write a day such as Friday 27 November."""
    # Translators: date format letters of Django for weekday, day and month in full.
    return _date_text(day, pgettext("date pattern", "l j F"), get_language() or "")


def full_day_text(day: date) -> str:
    """Write a day with its year, such as Fri 27 Nov 2026."""
    # Translators: date format letters of Django for weekday, day, month (short) and year.
    return _date_text(day, pgettext("date pattern", "D j M Y"), get_language() or "")


def weekday_text(day: date) -> str:
    """Write weekday and day such as Fri 27, for days that are near."""
    # Translators: date format letters of Django for weekday (short) and day.
    return _date_text(day, pgettext("date pattern", "D j"), get_language() or "")


def day_month_text(day: date) -> str:
    """Write day and month such as 1 Dec."""
    # Translators: date format letters of Django for day and month (short).
    return _date_text(day, pgettext("date pattern", "j M"), get_language() or "")


def month_text(day: date) -> str:
    """Write the month such as November."""
    return _date_text(day, pgettext("date pattern", "F"), get_language() or "")


def weekday_names() -> tuple[tuple[str, str], ...]:
    """Return the names of Monday to Sunday, each short and in full: Mon, Monday."""
    return _weekday_names(get_language() or "")


@lru_cache(maxsize=64)
def _weekday_names(language: str) -> tuple[tuple[str, str], ...]:
    return tuple((formats.date_format(day, "D"), formats.date_format(day, "l")) for day in _A_WEEK)


def moment_text(moment: datetime) -> str:
    """Write a local date and time such as Fri 27 Nov, 14:30."""
    return pgettext("day and time", "%(day)s, %(time)s") % {"day": day_text(moment.date()), "time": time_text(moment)}


def dated_moment_text(moment: datetime, today: date) -> str:
    """Write a local date and time, with the year if it is half a year away or more: a mistyped year must be seen."""
    if abs((moment.date() - today).days) < _HALF_A_YEAR:
        return moment_text(moment)
    day = full_day_text(moment.date())
    return pgettext("day and time", "%(day)s, %(time)s") % {"day": day, "time": time_text(moment)}


def span_text(starts: datetime, ends: datetime) -> str:
    """Write a time span such as 14:30–15:40. Both times are on the same day."""
    return f"{time_text(starts)}–{time_text(ends)}"


@lru_cache(maxsize=4096)
def _date_text(day: date, pattern: str, language: str) -> str:
    return formats.date_format(day, pattern)


def near_day_text(day: date, today: date) -> str:
    """Name a day relative to ``today``: Today, Tomorrow, Fri 27, or Tue 1 Dec in another month."""
    ahead = (day - today).days
    if ahead == 0:
        return gettext("Today")
    if ahead == 1:
        return gettext("Tomorrow")
    return weekday_text(day) if (day.year, day.month) == (today.year, today.month) else day_text(day)


def minutes_text(minutes: int) -> str:
    """Write a length such as 60 min."""
    return npgettext("length", "%(count)d min", "%(count)d min", minutes) % {"count": minutes}


def hours_text(minutes: int) -> str:
    """Write a length in hours and minutes: 45 min, 1 h, 1 h 15 min."""
    hours, rest = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append(pgettext("length", "%(count)d h") % {"count": hours})
    if rest or not hours:
        parts.append(minutes_text(rest))
    return " ".join(parts)


def countdown_text(seconds: int) -> str:
    """Write what is left of a countdown: 7:42, or 1:59:42 from an hour on. ``countdown.js`` writes the same."""
    minutes, rest = divmod(max(0, seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def until_text(ahead_minutes: int) -> str:
    """Write how far ahead an instant is: in 18 minutes, in 5 hours, in 3 days."""
    if ahead_minutes < 90:
        return ngettext("in %(count)d minute", "in %(count)d minutes", ahead_minutes) % {"count": ahead_minutes}
    hours = round(ahead_minutes / 60)
    if hours < 36:
        return ngettext("in %(count)d hour", "in %(count)d hours", hours) % {"count": hours}
    days = round(ahead_minutes / 1440)
    return ngettext("in %(count)d day", "in %(count)d days", days) % {"count": days}


def number_text(number: int) -> str:
    """Write a whole number with thousands separators, such as 1,000."""
    return str(formats.number_format(number, force_grouping=True))


def ago_text(days: int) -> str:
    """Write how long ago a day was: today, yesterday, 5 days ago, 5 weeks ago, 7 months ago, 2 years ago."""
    if days <= 0:
        return gettext("today")
    if days == 1:
        return gettext("yesterday")
    if days < 14:
        return ngettext("%(count)d day ago", "%(count)d days ago", days) % {"count": days}
    if days < 84:
        return ngettext("%(count)d week ago", "%(count)d weeks ago", days // 7) % {"count": days // 7}
    months = round(days / 30.4)
    if months < 24:
        return ngettext("%(count)d month ago", "%(count)d months ago", months) % {"count": months}
    return ngettext("%(count)d year ago", "%(count)d years ago", days // 365) % {"count": days // 365}


def percent_text(percent: int | str) -> str:
    """Write a percentage such as 20 %, with a no-break space."""
    return (pgettext("share", "%(number)s %%") % {"number": percent}).replace(" ", "\N{NO-BREAK SPACE}")


def reference_text(reference: str) -> str:
    """Write a booking reference in speakable groups: K7M 4PX."""
    return spoken(reference)


def initials(name: str) -> str:
    """Return two letters for an avatar: initials of the first and last word; of a CJK name its last two characters."""
    words = name.split()
    if not words:
        return "?"
    if len(words) == 1:
        return words[0][-2:] if words[0] > "\u2e80" else words[0][:2].upper()
    return (words[0][0] + words[-1][0]).upper()


def phone_href(phone: str) -> str:
    return f"tel:{re.sub(r'[^0-9+]', '', phone)}" if phone else ""
