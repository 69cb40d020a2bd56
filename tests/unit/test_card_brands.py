"""Card brands have one spelling: on pages, in mails, on receipts and at the desk."""

import pytest

from bookings.wording.payments import card_words
from dashboard.presenters.money import means_text
from payments.brands import brand_name
from payments.models import Payment


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("amex", "American Express"),
        ("cartes_bancaires", "Cartes Bancaires"),
        ("diners", "Diners Club"),
        ("eftpos_au", "eftpos Australia"),
        ("jcb", "JCB"),
        ("unionpay", "UnionPay"),
        ("visa", "Visa"),
        ("new_brand", "New brand"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_brands_have_the_names_that_stripe_displays(brand: str, name: str) -> None:
    assert brand_name(brand) == name
    assert card_words(brand, "4242") == f"{name or 'card'} ending 4242"
    assert means_text(Payment(card_brand=brand, card_last4="4242")) == f"{name} 4242".strip()
