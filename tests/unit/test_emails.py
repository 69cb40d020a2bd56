"""Whether two e-mail addresses are the same mailbox."""

import pytest

from accounts.contact.mailboxes import ascii_address, normalised_email, same_mailbox


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("casey@example.com", "casey@example.com"),
        ("  Casey@EXAMPLE.com ", "casey@example.com"),
        ("User+tag@EXAMPLE.com", "user+tag@example.com"),
        ("casey@Bücher.example", "casey@xn--bcher-kva.example"),
        ("casey@xn--bcher-kva.example", "casey@xn--bcher-kva.example"),
        ("rita@faß.example", "rita@xn--fa-hia.example"),
        ("rita@FAẞ.example", "rita@xn--fa-hia.example"),
        ("rita@fass.example", "rita@fass.example"),
        ("jana@straße.example", "jana@xn--strae-oqa.example"),
        ("ana@βόλος.example", "ana@xn--nxasmm1c.example"),
        ("lal@ශ්\u200dරී.example", "lal@xn--10cl1a0b660p.example"),
        ("ana@ｅxample。com", "ana@example.com"),
        ("ana@exa\u200dmple.com", "ana@exa\u200dmple.com"),
        ("no-at-sign", "no-at-sign"),
        ("casey@" + "x" * 70 + ".example", "casey@" + "x" * 70 + ".example"),
        ("", ""),
    ],
)
def test_normalised(typed: str, expected: str) -> None:
    assert normalised_email(typed) == expected


def test_tags_make_different_mailboxes() -> None:
    assert normalised_email("casey+a@example.com") != normalised_email("casey+b@example.com")


@pytest.mark.parametrize(
    ("typed", "travels"),
    [
        ("Rita@faß.example", "Rita@xn--fa-hia.example"),
        ("Jana@Bücher.Example", "Jana@xn--bcher-kva.example"),
        ("Jana@Example.COM", "Jana@Example.COM"),
        ("jana@foo_bar.example", "jana@foo_bar.example"),
    ],
)
def test_an_address_travels_in_ascii(typed: str, travels: str) -> None:
    assert ascii_address(typed) == travels


@pytest.mark.parametrize("typed", ["ana@exa\u200dmple.com", "ana@" + "ä" * 70 + ".example", "ana@i❤.example"])
def test_what_is_no_domain_does_not_travel(typed: str) -> None:
    with pytest.raises(UnicodeError):
        ascii_address(typed)


def test_a_mailbox_is_found_in_both_spellings_and_no_other() -> None:
    assert same_mailbox(normalised_email("Rita@faß.example")) == ["rita@xn--fa-hia.example", "rita@faß.example"]
    assert same_mailbox("rita@fass.example") == ["rita@fass.example"]
    assert same_mailbox("") == []
