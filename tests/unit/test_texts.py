"""Texts per language, and what the cache may hold."""

import pytest
from django.utils.translation import override

from services.models import Category

MASSAGE = Category(name="Massage", translations={"de": {"name": "Massagen"}, "pt-br": {"name": "Massagem"}, "fr": {}})


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("en", "Massage"),
        ("de", "Massagen"),
        ("de-at", "Massagen"),
        ("pt-br", "Massagem"),
        ("pt", "Massage"),
        ("fr", "Massage"),
        ("xx", "Massage"),
    ],
)
def test_text_in_a_language_falls_back_to_the_business_own(language: str, expected: str) -> None:
    assert MASSAGE.text("name", language) == expected
    with override(language):
        assert MASSAGE.text("name") == expected
