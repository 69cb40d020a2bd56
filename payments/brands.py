"""Names of card brands, as Stripe displays them. Pure."""

_NAMES = {
    "amex": "American Express",
    "cartes_bancaires": "Cartes Bancaires",
    "diners": "Diners Club",
    "discover": "Discover",
    "eftpos_au": "eftpos Australia",
    "interac": "Interac",
    "jcb": "JCB",
    "link": "Link",
    "mastercard": "Mastercard",
    "unionpay": "UnionPay",
    "visa": "Visa",
}


def brand_name(brand: str) -> str:
    """Return the display name of Stripe's brand code. A new code is capitalised; "unknown" and "" give ""."""
    return _NAMES.get(brand.lower()) or ("" if brand == "unknown" else brand.replace("_", " ").capitalize())
