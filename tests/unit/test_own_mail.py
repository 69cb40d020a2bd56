"""E-mails in the business's own words: text becomes the layout, and no typed text becomes HTML."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifications.wording.own_mail import Block, blocks

URL = "https://book.example/b/K7M4PXcabc/"
WORDS = {
    "first_name": "Jana",
    "when": "Fri 27 Nov, 14:30",
    "manage_url": URL,
    "appointment": "Fri\nMassage",
    "policy": "",
}
LABELS = {"manage_url": "See, move or cancel"}
ALLOWED = re.compile(r'</?(?:a|br)(?: class="link")?(?: href="[^"<>]*")?>')


def made(body: str, **words: str) -> list[Block]:
    return blocks(body, {**WORDS, **words}, labels=LABELS, card="appointment")


def test_paragraphs_buttons_and_the_card() -> None:
    body = "Hello {{ first_name }},\nsee you.\n\n{{ appointment }}\n\n  {{ manage_url }}  \n\n\n{{ policy }}\n"

    assert made(body) == [
        Block(html="Hello Jana,<br>see you."),
        Block(),
        Block(url=URL, label="See, move or cancel"),
    ]


def test_a_link_within_a_sentence_is_a_link() -> None:
    [block] = made("Move it here: {{ manage_url }}, please.")

    assert block.html == f'Move it here: <a class="link" href="{URL}">{URL}</a>, please.'


def test_addresses_that_the_owner_typed_are_linked_with_their_words() -> None:
    [block] = made("See https://linden.example/?n={{ first_name }} now", first_name='J"ö')

    assert 'href="https://linden.example/?n=J%22%C3%B6"' in block.html


@pytest.mark.parametrize(
    "name",
    ["www.evil.example", "https://evil.example/x", "<script>alert(1)</script>", '" onmouseover="x', "a@evil.example"],
)
def test_what_a_customer_typed_is_text(name: str) -> None:
    [block] = made("Hello {{ first_name }}, welcome.", first_name=name)

    assert "<" not in block.html
    assert '"' not in block.html


def test_html_that_the_owner_typed_is_text_too() -> None:
    [block] = made('<b onclick="x">Bold</b> <iframe src="https://evil.example"></iframe>')

    assert set(re.findall(r"<[^>]*>", block.html)) <= set(ALLOWED.findall(block.html)) | set(
        re.findall(r'<a href="[^"<>]*">', block.html)
    )
    assert "<b" not in block.html
    assert "<iframe" not in block.html


@given(
    st.text(alphabet=st.sampled_from("ab<>3\"'&\x02\x03%02 first_name\n/:.https"), max_size=60), st.text(max_size=20)
)
def test_only_our_own_tags_come_out(body: str, name: str) -> None:
    found = made(f"{body} {{{{ first_name }}}} {{{{ manage_url }}}}", first_name=name)

    for block in found:
        left = ALLOWED.sub("", block.html)
        assert "<" not in left, left
        assert ">" not in left, left
