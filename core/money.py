"""Money as integer minor units with the currency beside it. Rounding is half up, here and nowhere else."""

from collections.abc import Sequence

from babel.numbers import format_currency, get_currency_precision
from decimal import Decimal


def exponent(currency: str) -> int:
    """Decimal places of a currency by ISO 4217: JPY 0, EUR 2, KWD 3."""
    return get_currency_precision(currency)


def major(amount_minor: int, currency: str) -> Decimal:
    return Decimal(amount_minor).scaleb(-exponent(currency))


def formatted(amount_minor: int, currency: str, language: str) -> str:
    """Write an amount as people of that language do, always with the currency's decimals."""
    return format_currency(major(amount_minor, currency), currency, locale=language.replace("-", "_"))


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
