"""Money as integer minor units and a currency code. All rounding of money is half up and happens in this module."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# The largest price, fee or deposit in minor units of any currency (ten billion euros). The sum of all lines that a
# booking can have, with taxes, still fits into eight bytes.
MOST_MINOR = 10**12 - 1
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Return the decimal places of a currency by the locale data of babel: JPY 0, EUR 2, KWD 3."""
    return get_currency_precision(currency)


def major(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-exponent(currency))


# A page formats dozens of amounts, mostly the same ones, and babel is slow.
@lru_cache(maxsize=8192)
def formatted(amount_minor: int, currency: str, language: str) -> str:
    """Format an amount by the locale of ``language``, always with the currency's decimals."""
    return spaced(format_currency(major(amount_minor, currency), currency, locale=_locale(language)))


def spaced(text: str) -> str:
    """Put a no-break space between a currency code and the digits: CHF 16.00."""
    return _LETTER_BESIDE_DIGIT.sub("\xa0", text)


def share(amount_minor: int, basis_points: int) -> int:
    """Return ``basis_points``/10,000 of a non-negative amount, rounded half up."""
    return (amount_minor * basis_points * 2 + 10_000) // 20_000


def included_tax(gross_minor: int, basis_points: int) -> int:
    """Return the tax that a gross amount contains at the given rate, rounded half up."""
    return (gross_minor * basis_points * 2 + (10_000 + basis_points)) // (2 * (10_000 + basis_points))


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to ``weights``. The parts add up exactly; the last part gets the remainder."""
    total = sum(weights)
    if not weights:
        return []
    parts = [amount_minor * weight // total if total else 0 for weight in weights[:-1]]
    return [*parts, amount_minor - sum(parts)]


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language, sep="-")
    except (UnknownLocaleError, ValueError):
        return Locale("en")
