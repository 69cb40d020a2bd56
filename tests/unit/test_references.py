"""References that are said on the phone, and secrets that are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.references import (
    ALPHABET,
    keyed_hash,
    new_reference,
    new_token,
    parsed_reference,
    spoken,
    token_hash,
)


def test_reference_avoids_signs_that_look_or_sound_alike() -> None:
    assert not set("0O1IL") & set(ALPHABET)
    assert all(set(new_reference()) <= set(ALPHABET) for _ in range(200))


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("K7M4PX", "K7M4PX"),
        ("k7m 4px", "K7M4PX"),
        (" k7m-4px\n", "K7M4PX"),
        ("K7M4P", None),
        ("K7M4PXX", None),
        ("K7M4P0", None),
        ("K7M4Pß", None),
        ("", None),
    ],
)
def test_reference_as_typed_by_a_person(typed: str, expected: str | None) -> None:
    assert parsed_reference(typed) == expected


@given(st.text(alphabet=ALPHABET, min_size=6, max_size=6))
def test_spoken_reference_is_read_back(reference: str) -> None:
    assert parsed_reference(spoken(reference)) == parsed_reference(spoken(reference).lower()) == reference


def test_tokens_have_256_bits_and_differ() -> None:
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {43}


def test_hashes_hide_the_value_and_need_the_key() -> None:
    token = new_token()

    assert token not in token_hash(token)
    assert token_hash(token) == token_hash(token)
    assert keyed_hash("one key", "203.0.113.7") == keyed_hash("one key", "203.0.113.7")
    assert keyed_hash("one key", "203.0.113.7") != keyed_hash("other key", "203.0.113.7")
