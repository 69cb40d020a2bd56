"""Compares e-mail addresses by mailbox, and writes their domains in ASCII. Pure.

Domains follow IDNA2008 through UTS #46, non-transitional, as in browsers and registries: ``ß`` and ``ς`` are letters of
their own. Python's own codec follows IDNA2003, which would send mail for ``faß.de`` to the owner of ``fass.de``.
"""

import contextlib
from urllib.parse import quote

import idna

# Characters that need no quoting in the address of a mailto: URL.
_PLAIN_IN_ADDRESS = "@+-_.!$&'*=~"


def ascii_domain(domain: str) -> str:
    """Return a domain in lower case and ASCII (A-labels).

    :raises ValueError: when the domain cannot be written in ASCII.
    """
    return domain.lower() if domain.isascii() else idna.encode(domain.lower(), uts46=True).decode("ascii")


def ascii_address(email: str) -> str:
    """Return an address with its domain in ASCII, for mail servers and calendars. The part before the @ stays as typed.

    :raises ValueError: when the domain cannot be written in ASCII.
    """
    local, at, domain = email.strip().rpartition("@")
    return f"{local}{at}{domain if domain.isascii() else ascii_domain(domain)}"


def mailto_url(email: str) -> str:
    """Return the mailto: URL with the domain in ASCII, if that is possible.

    Calendar programs compare it as it is with their accounts.
    """
    with contextlib.suppress(ValueError):
        email = ascii_address(email)
    return f"mailto:{quote(email, safe=_PLAIN_IN_ADDRESS)}"


def normalised_email(email: str) -> str:
    """Return the form in which addresses are compared: lower case, no outer spaces, the domain in ASCII."""
    local, at, domain = email.strip().lower().rpartition("@")
    # An impossible domain is compared as it was typed.
    with contextlib.suppress(ValueError):
        domain = ascii_domain(domain)
    return f"{local}{at}{domain}"


def same_mailbox(normalised: str) -> list[str]:
    """Return the forms, in lower case, of a normalised address: with its domain in ASCII and in letters.

    Empty for an empty address.
    """
    if not normalised:
        return []
    local, _, domain = normalised.rpartition("@")
    with contextlib.suppress(ValueError):
        domain = idna.decode(domain)
    return list(dict.fromkeys([normalised, f"{local}@{domain}".lower()]))
