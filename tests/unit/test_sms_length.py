"""The length of text messages, checked against the counts of phones and providers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.wording.sms_length import sms_length


@pytest.mark.parametrize(
    ("text", "units", "parts", "room"),
    [
        ("", 0, 0, 160),
        ("a" * 160, 160, 1, 160),
        ("a" * 161, 161, 2, 306),
        ("a" * 306, 306, 2, 306),
        ("a" * 307, 307, 3, 459),
        ("€" * 80, 160, 1, 160),
        ("€" * 81, 162, 2, 306),
        # A sign of two units does not fit into the last unit of a part.
        ("a" * 152 + "€" + "a" * 152, 306, 3, 459),
        ("ä" * 160, 160, 1, 160),
        ("ő" * 70, 70, 1, 70),
        ("ő" * 71, 71, 2, 134),
        ("😀" * 35, 70, 1, 70),
        ("😀" * 36, 72, 2, 134),
        ("“" + "a" * 70, 71, 2, 134),
    ],
)
def test_lengths_are_those_of_the_standard(text: str, units: int, parts: int, room: int) -> None:
    length = sms_length(text)

    assert (length.units, length.parts, length.room) == (units, parts, room)


def test_the_signs_that_make_a_text_dear_are_named() -> None:
    assert sms_length("Zażółć “gęślą”").odd == ("ż", "ó", "ł", "ć", "“", "ę", "ś", "ą", "”")
    assert not sms_length("Grüße, 20 € [neu]").odd


@given(st.text(max_size=400))
def test_every_part_has_room_for_what_is_in_it(text: str) -> None:
    length = sms_length(text)

    assert length.units <= length.room
    assert (length.parts == 0) == (text == "")
