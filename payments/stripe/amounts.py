"""What Stripe counts in, and what it takes: its units, its smallest and its largest charges.

Pure. Our sums are minor units by ``core.money.exponent``, which is how people write a currency today; Stripe's differ
for some: ISK and UGX, of which nobody has seen a hundredth for long, are still sent with two decimals, and so are the
currencies whose hundredths the locale data dropped (RSD, LBP). Of three-decimal currencies the last digit must be 0.
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
# Of the others Stripe wants the worth of its minimum in the currency of the account, about half a dollar. Rounded up
# with room for falling rates, in whole units; what is not listed takes a sum that suffices in nearly all of them.
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
    """Return a sum of ours in the unit Stripe counts in.

    :raises ValueError: when Stripe cannot take exactly this sum; ask ``chargeable`` before.
    """
    amount, rest = divmod(minor * _stripe_per_unit(currency), _ours_per_unit(currency))
    if rest or amount % _step(currency):
        raise ValueError(f"Stripe cannot take {minor} minor units of {currency}.")
    return amount


def from_stripe_amount(amount: int, currency: str) -> int:
    """Return a sum of Stripe's in our minor units.

    :raises ValueError: when it has a part that our unit cannot hold, such as 5.50 ISK.
    """
    minor, rest = divmod(amount * _ours_per_unit(currency), _stripe_per_unit(currency))
    if rest:
        raise ValueError(f"{amount} of Stripe's units are no whole sum of {currency}.")
    return minor


def minimum_charge(currency: str) -> int:
    """Return the smallest sum, in our minor units, that may be charged."""
    if (amount := _MINIMUM.get(currency.upper())) is not None:
        return -(-amount * _ours_per_unit(currency) // _stripe_per_unit(currency))
    return _MINIMUM_UNITS.get(currency.upper(), _OTHER_MINIMUM_UNITS) * _ours_per_unit(currency)


def maximum_charge(currency: str) -> int:
    """Return the largest sum, in our minor units, that may be charged at once."""
    amount = 10 ** _MAXIMUM_DIGITS.get(currency.upper(), _OTHER_MAXIMUM_DIGITS) - 1
    return rounded_down(amount * _ours_per_unit(currency) // _stripe_per_unit(currency), currency)


def rounded_down(minor: int, currency: str) -> int:
    """Return the largest sum up to ``minor`` that Stripe can write, however small: the unit of refunds."""
    return minor - minor % smallest_step(currency)


def smallest_step(currency: str) -> int:
    """Return by how many of our minor units the sums differ that Stripe can write."""
    return max(1, _step(currency) * _ours_per_unit(currency) // _stripe_per_unit(currency))


def chargeable(minor: int, currency: str) -> int:
    """Return the largest sum up to ``minor`` that Stripe charges exactly; 0 where that is below its minimum."""
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
