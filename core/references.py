"""References people say on the phone, and secrets that machines carry."""

import hashlib
import hmac
import re
import secrets

# No 0/O, 1/I/L, so that a reference survives being read aloud or copied by hand.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH = 6
# None of it can be part of a token.
_TRAILING = " \t\r\n.,;:!?=*/\\'\"`´’”»)]}>…%"


def new_reference(length: int = LENGTH) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def spoken(reference: str) -> str:
    """Group a reference for reading: ``K7M4PX`` becomes ``K7M 4PX``."""
    return f"{reference[:3]} {reference[3:]}"


def parsed_reference(typed: str) -> str | None:
    """Read a reference as typed by a person (case, spaces and hyphens do not matter)."""
    candidate = re.sub(r"[\s-]", "", typed).upper()
    if len(candidate) == LENGTH and all(character in ALPHABET for character in candidate):
        return candidate
    return None


def new_token() -> str:
    """Return a secret of 256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def trimmed_token(raw: str) -> str:
    """A token without what mail programs and people leave at the end of an address."""
    return raw.rstrip(_TRAILING)


def token_hash(token: str) -> str:
    """The form in which a random token rests in the database. Tokens have full entropy, so one plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def keyed_hash(key: str, value: str) -> str:
    """Pseudonym of a low-entropy value (an IP address, a visitor id): useless without the key."""
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]
