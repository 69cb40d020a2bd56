"""The address that limits count: what our own proxies wrote, without a port, an IPv6 address by its /64."""

import pytest

from core.visitors import forwarded_address

PEER = "10.0.0.2"


@pytest.mark.parametrize(
    ("forwarded", "proxies", "expected"),
    [
        ("", 0, PEER),
        ("203.0.113.7", 0, PEER),
        ("203.0.113.7", 1, "203.0.113.7"),
        # The first entry is the client's own claim.
        ("192.0.2.66, 203.0.113.7", 1, "203.0.113.7"),
        ("192.0.2.66, 203.0.113.7, 10.0.0.9", 2, "203.0.113.7"),
        ("203.0.113.7", 2, PEER),
        ("203.0.113.7:4711", 1, "203.0.113.7"),
        ("[2001:db8:1:2::5]:4711", 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2::5", 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::6", 1, "2001:db8:1:2::/64"),
        ("2001:db8:1:3::5", 1, "2001:db8:1:3::/64"),
        ("fe80::1%eth0", 1, "fe80::/64"),
        ("::ffff:203.0.113.7", 1, "203.0.113.7"),
        ("unknown", 1, PEER),
        ("_hidden, x", 1, PEER),
        (" , ", 1, PEER),
    ],
)
def test_forwarded_address(forwarded: str, proxies: int, expected: str) -> None:
    assert forwarded_address(forwarded, PEER, proxies) == expected


def test_a_peer_by_ipv6_counts_by_its_network() -> None:
    assert forwarded_address("", "2001:db8::7", 0) == forwarded_address("", "2001:db8::8", 0) == "2001:db8::/64"


def test_a_peer_without_an_address_keeps_its_name() -> None:
    assert forwarded_address("", "unix", 0) == "unix"
