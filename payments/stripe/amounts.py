"""Conversion between our amounts and Stripe's, and Stripe's smallest and largest charges. Pure.

Our amounts are minor units by ``core.money.exponent``, the decimals that people write today. Stripe's units differ for
some currencies: it expects two decimals for ISK and UGX, which have no hundredths in use, and for currencies whose
hundredths the locale data dropped (RSD, LBP). For three-decimal currencies the last digit must be 0.
https://docs.stripe.com/currencies
"""

from core import money

_WITHOUT_DECIMALS = frozenset(
    {"BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"}
)
_WITH_THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# Published minimums, in Stripe's own units.
_MINIMUM = {
    "AED": 200,
    "AUD": 50,
    "BGN": 100,
    "BRL": 50,
    "CAD": 50,
    "CHF": 50,
    "CZK": 1500,
    "DKK": 250,
    "EUR": 50,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
    "INR": 50,
    "JPY": 50,
    "MXN": 1000,
    "MYR": 200,
    "NOK": 300,
    "NZD": 50,
    "PLN": 200,
    "RON": 200,
    "SEK": 300,
    "SGD": 50,
    "THB": 1000,
    "USD": 50,
}
# For other currencies Stripe converts its minimum from the currency of the account, about half a dollar. These values
# are in whole units and rounded up, with room for falling exchange rates. Currencies that are not listed use
# ``_OTHER_MINIMUM_UNITS``, which is enough for nearly all of them.
_ROUGH_MINIMUM_UNITS = {
    1: "BHD GIP JOD KWD OMR TND",
    5: "AZN BAM BBD BND BSD BZD FJD GEL ILS PEN QAR SAR TTD XCD",
    10: "BOB CNY GTQ MAD TJS ZMW",
    20: "BWP GHS HNL MDL MOP NAD TWD ZAR",
    50: "AFN DOP EGP ETB KGS MKD MUR PHP RUB TRY UAH UYU",
    100: "ALL BDT CVE DZD HTG ISK JMD KES NPR RSD XPF",
    500: "AMD CLP CRC DJF GYD KMF KZT LKR PKR VUV XAF XOF YER",
    1000: "AOA ARS KRW RWF",
    3000: "BIF CDF COP KHR MNT MWK NGN TZS UGX",
    10_000: "GNF IDR MGA MMK PYG UZS",
    20_000: "LAK VND",
    100_000: "LBP",
}
_MINIMUM_UNITS = {code: units for units, codes in _ROUGH_MINIMUM_UNITS.items() for code in codes.split()}
_OTHER_MINIMUM_UNITS = 1000
_MAXIMUM_DIGITS = {"COP": 10, "HUF": 10, "IDR": 12, "INR": 9, "JPY": 10, "LBP": 12}
_OTHER_MAXIMUM_DIGITS = 8


def stripe_amount(minor: int, currency: str) -> int:
    """Convert minor units to Stripe's units.

    :raises ValueError: if Stripe cannot charge exactly this amount; call ``chargeable`` first.
    """
    amount, rest = divmod(minor * _stripe_per_unit(currency), _ours_per_unit(currency))
    if rest or amount % _step(currency):
        raise ValueError(f"Stripe cannot take {minor} minor units of {currency}.")
    return amount


def from_stripe_amount(amount: int, currency: str) -> int:
    """Convert Stripe's units to minor units.

    :raises ValueError: if our minor unit cannot express the amount, such as 5.50 ISK.
    """
    minor, rest = divmod(amount * _ours_per_unit(currency), _stripe_per_unit(currency))
    if rest:
        raise ValueError(f"{amount} of Stripe's units are no whole sum of {currency}.")
    return minor


def minimum_charge(currency: str) -> int:
    """Return the smallest charge that Stripe accepts, in minor units."""
    if (amount := _MINIMUM.get(currency.upper())) is not None:
        return -(-amount * _ours_per_unit(currency) // _stripe_per_unit(currency))
    return _MINIMUM_UNITS.get(currency.upper(), _OTHER_MINIMUM_UNITS) * _ours_per_unit(currency)


def maximum_charge(currency: str) -> int:
    """Return the largest single charge that Stripe accepts, in minor units."""
    amount = 10 ** _MAXIMUM_DIGITS.get(currency.upper(), _OTHER_MAXIMUM_DIGITS) - 1
    return rounded_down(amount * _ours_per_unit(currency) // _stripe_per_unit(currency), currency)


def rounded_down(minor: int, currency: str) -> int:
    """Round down to an amount that Stripe can express. Refunds have no minimum, so any such amount can be refunded."""
    return minor - minor % smallest_step(currency)


def smallest_step(currency: str) -> int:
    """Return the smallest difference, in minor units, between two amounts that Stripe can express."""
    return max(1, _step(currency) * _ours_per_unit(currency) // _stripe_per_unit(currency))


def chargeable(minor: int, currency: str) -> int:
    """Return the largest amount up to ``minor`` that Stripe can charge exactly; 0 if that is below its minimum."""
    amount = min(rounded_down(minor, currency), maximum_charge(currency))
    return amount if amount >= minimum_charge(currency) else 0


def _ours_per_unit(currency: str) -> int:
    return int(10 ** money.exponent(currency))


def _stripe_per_unit(currency: str) -> int:
    code = currency.upper()
    if code in _WITHOUT_DECIMALS:
        return 1
    return 1000 if code in _WITH_THREE_DECIMALS else 100


def _step(currency: str) -> int:
    return 10 if currency.upper() in _WITH_THREE_DECIMALS else 1
