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
    """Write Stripe's word for a brand as people know it; one that is new by its own word. Empty where none is known."""
    return _NAMES.get(brand.lower()) or ("" if brand == "unknown" else brand.replace("_", " ").capitalize())
