"""Magic links: only the right booking, role and version opens, whatever a stranger or a mail program does to them."""

import base64
from dataclasses import dataclass, replace

import pytest
from pytest_django import Settings

from bookings.links import LinkRole, LinkToken, manage_token, manage_url, read_token, token_is_valid
from core.logs import masked
from core.references import ALPHABET


@dataclass
class Linked:
    reference: str = "K7M4PX"
    link_version: int = 1
    staff_link_version: int = 1


BOOKING = Linked()
BOTH = pytest.mark.parametrize("role", list(LinkRole))


def opens(raw: str, booking: Linked) -> LinkRole | None:
    """Look a token up as the site does: take it apart, find the booking, check."""
    token = read_token(raw)
    if token is None or token.reference != booking.reference:
        return None
    return token.role if token_is_valid(booking, token.role, token.mac) else None


@BOTH
def test_own_token_opens_in_its_role(role: LinkRole) -> None:
    assert opens(manage_token(BOOKING, role), BOOKING) is role


def test_token_can_be_made_again_weeks_later() -> None:
    assert manage_token(Linked(), LinkRole.CUSTOMER) == manage_token(Linked(), LinkRole.CUSTOMER)


@BOTH
def test_carries_256_bits_that_differ_from_booking_to_booking(role: LinkRole) -> None:
    macs = {manage_token(Linked(reference=f"K7M4P{last}"), role)[7:] for last in ALPHABET}

    assert len(macs) == len(ALPHABET)
    assert {len(base64.urlsafe_b64decode(mac + "=")) for mac in macs} == {32}


@BOTH
def test_other_bookings_token_does_not_open(role: LinkRole) -> None:
    other = manage_token(Linked(reference="AAAAAA"), role)

    assert opens(other, BOOKING) is None
    assert opens(BOOKING.reference + other[6:], BOOKING) is None


def test_role_is_bound() -> None:
    customers = manage_token(BOOKING, LinkRole.CUSTOMER)

    assert opens(customers[:6] + "s" + customers[7:], BOOKING) is None


def test_new_version_ends_the_links_of_that_role_only() -> None:
    tokens = [manage_token(BOOKING, role) for role in (LinkRole.CUSTOMER, LinkRole.GUEST, LinkRole.STAFF)]

    renewed = replace(BOOKING, link_version=2)
    assert [opens(token, renewed) for token in tokens] == [None, None, LinkRole.STAFF]

    reassigned = replace(BOOKING, staff_link_version=2)
    assert [opens(token, reassigned) for token in tokens] == [LinkRole.CUSTOMER, LinkRole.GUEST, None]


def test_new_key_ends_every_link(settings: Settings) -> None:
    token = manage_token(BOOKING, LinkRole.CUSTOMER)
    settings.LINK_KEY = "another-key-that-is-long-enough-to-be-one"

    assert opens(token, BOOKING) is None


@BOTH
def test_every_flipped_bit_closes(role: LinkRole) -> None:
    token = manage_token(BOOKING, role)

    for place, character in enumerate(token):
        for bit in range(7):
            flipped = token[:place] + chr(ord(character) ^ (1 << bit)) + token[place + 1 :]
            assert opens(flipped, BOOKING) is None, (place, bit)


def test_last_character_has_no_second_spelling() -> None:
    token = manage_token(BOOKING, LinkRole.CUSTOMER)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    assert [last for last in alphabet if opens(token[:-1] + last, BOOKING)] == [token[-1]]


@BOTH
def test_cut_or_lengthened_tokens_do_not_open(role: LinkRole) -> None:
    token = manage_token(BOOKING, role)

    assert all(opens(token[:length], BOOKING) is None for length in range(len(token)))
    assert opens(token + "A", BOOKING) is None
    assert opens("A" + token, BOOKING) is None


@pytest.mark.parametrize(
    "end", [".", ",", ";", ":", ">", ")", "]", "=", '"', "'", "”", "!", "?", " ", "\n", ">.", ").", "/"]
)
def test_what_a_mail_program_leaves_at_the_end_is_forgiven(end: str) -> None:
    assert opens(manage_token(BOOKING, LinkRole.CUSTOMER) + end, BOOKING) is LinkRole.CUSTOMER


@pytest.mark.parametrize("index", range(40))
def test_tokens_that_end_in_a_dash_or_underscore_are_not_trimmed(index: int) -> None:
    booking = Linked(reference="K7M4PX", link_version=index)
    token = manage_token(booking, LinkRole.CUSTOMER)

    assert read_token(token + ">") == LinkToken("K7M4PX", LinkRole.CUSTOMER, token[7:])


def test_case_matters() -> None:
    token = manage_token(BOOKING, LinkRole.CUSTOMER)

    assert opens(token.lower(), BOOKING) is None
    assert opens(token.upper(), BOOKING) is None


@pytest.mark.parametrize("raw", ["", "x", "é" * 50, "K7M4PXc", "\x00" * 50, "K7M4PXc" + "é" * 43, "." * 60])
def test_nonsense_is_not_a_token(raw: str) -> None:
    assert read_token(raw) is None


def test_mac_with_foreign_characters_is_refused_calmly() -> None:
    assert not token_is_valid(BOOKING, LinkRole.CUSTOMER, "é" * 43)


@pytest.mark.parametrize("page", ["", "confirmed", "move", "cancel", "calendar.ics"])
def test_addresses_are_absolute_and_masked_in_logs(page: str, settings: Settings) -> None:
    settings.SITE_URL = "https://book.example.com"
    token = manage_token(BOOKING, LinkRole.CUSTOMER)

    address = manage_url(BOOKING, LinkRole.CUSTOMER, page)

    assert address == f"https://book.example.com/b/{token}/{page}"
    assert masked(address) == f"https://book.example.com/b/…/{page}"
