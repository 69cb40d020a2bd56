"""Booking references that customers read out on the phone, secret tokens of links, and hashes."""

import base64
import hashlib
import hmac
import re
import secrets

# Without 0, O, 1, I and L, which are easily confused when a reference is read aloud or copied by hand.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 6
# Characters that a token never contains.
_TRAILING = " \t\r\n.,;:!?=*/\\'\"`´’”»)]}>…%"


def new_reference(length: int = LENGTH) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def spoken(reference: str) -> str:
    """Group a reference for reading: ``K7M4PX`` becomes ``K7M 4PX``."""
    return f"{reference[:3]} {reference[3:]}"


def parsed_reference(typed: str) -> str | None:
    """Read a reference as a user types it, ignoring case, spaces and hyphens; None if it is not one."""
    candidate = re.sub(r"[\s-]", "", typed).upper()
    if len(candidate) == LENGTH and all(character in ALPHABET for character in candidate):
        return candidate
    return None


def new_token() -> str:
    """Return a secret of 256 random bits that is safe in a URL."""
    return secrets.token_urlsafe(32)


def trimmed_token(raw: str) -> str:
    """Remove punctuation that mail programs and users leave at the end of a link."""
    return raw.rstrip(_TRAILING)


def token_hash(token: str) -> str:
    """Return the hash of a random token for the database. Tokens have full entropy, so a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_hash(key: str, value: str) -> str:
    """Return a pseudonym of a low-entropy value (an IP address, a visitor id) that is useless without the key."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


def link_mac(key: str, value: str) -> str:
    """Return 256 bits that only a holder of the key can compute, as 43 characters that are safe in a URL."""
    digest = hmac.new(key.encode(), value.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
