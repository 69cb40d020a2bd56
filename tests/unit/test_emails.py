"""When two addresses are the same mailbox."""

import pytest

from accounts.emails import normalised_email


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("casey@example.com", "casey@example.com"),
        ("  Casey@EXAMPLE.com ", "casey@example.com"),
        ("User+tag@EXAMPLE.com", "user+tag@example.com"),
        ("casey@Bücher.example", "casey@xn--bcher-kva.example"),
        ("casey@xn--bcher-kva.example", "casey@xn--bcher-kva.example"),
        ("no-at-sign", "no-at-sign"),
        ("casey@" + "x" * 70 + ".example", "casey@" + "x" * 70 + ".example"),
        ("", ""),
    ],
)
def test_normalised(typed: str, expected: str) -> None:
    assert normalised_email(typed) == expected


def test_tags_make_different_mailboxes() -> None:
    assert normalised_email("casey+a@example.com") != normalised_email("casey+b@example.com")
