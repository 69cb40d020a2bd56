"""Texts per language, and what the cache may hold."""

import pickle

import pytest
from django.utils.translation import override

from core.cache import JsonSerializer
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


@pytest.mark.parametrize("value", [0, 7, -1, True, None, "text", "7", 1.5, [1, "a"], {"a": [None]}])
def test_cache_keeps_plain_values(value: object) -> None:
    serializer = JsonSerializer()
    stored = serializer.dumps(value)

    # Redis gives bytes back whatever went in.
    back = serializer.loads(str(stored).encode() if isinstance(stored, int) else stored)

    assert (back, type(back)) == (value, type(value))


def test_cache_never_unpickles() -> None:
    with pytest.raises(ValueError):
        JsonSerializer().loads(pickle.dumps({"a": 1}))
