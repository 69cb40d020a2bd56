"""Money as integer minor units with the currency beside it. Rounding is half up, here and nowhere else."""

import re
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.numbers import format_currency, get_currency_precision

# No price, fee or deposit may be more, in minor units of whatever currency: ten thousand million euros or rupiahs. Sums
# of as many lines as a visit can have, with their taxes, still fit into eight bytes.
MOST_MINOR = 10**12 - 1
_LETTER_BESIDE_DIGIT = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")


@lru_cache(maxsize=256)
def exponent(currency: str) -> int:
    """Decimal places of a currency by ISO 4217: JPY 0, EUR 2, KWD 3."""
    return get_currency_precision(currency)


def major(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-exponent(currency))


# A page writes dozens of sums, mostly the same ones, and babel takes its time over each.
@lru_cache(maxsize=8192)
def formatted(amount_minor: int, currency: str, language: str) -> str:
    """Write an amount as people of that language do, always with the currency's decimals."""
    return spaced(format_currency(major(amount_minor, currency), currency, locale=_locale(language)))


def spaced(text: str) -> str:
    """Keep the letters of currencies that have no sign from running into the digits: CHF 16.00."""
    return _LETTER_BESIDE_DIGIT.sub("\xa0", text)


def share(amount_minor: int, basis_points: int) -> int:
    """Take ``basis_points``/10,000 of a non-negative amount, half rounded up."""
    return (amount_minor * basis_points * 2 + 10_000) // 20_000


def included_tax(gross_minor: int, basis_points: int) -> int:
    """Tax contained in a gross amount at the given rate, half rounded up."""
    return (gross_minor * basis_points * 2 + (10_000 + basis_points)) // (2 * (10_000 + basis_points))


def split(amount_minor: int, weights: Sequence[int]) -> list[int]:
    """Divide an amount in proportion to ``weights``; the parts add up exactly, the remainder is on the last part."""
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
