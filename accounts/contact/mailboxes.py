"""When two e-mail addresses are the same mailbox, and how an address is written where only ASCII may stand. Pure.

Domains follow IDNA2008 by way of UTS #46, non-transitional, as browsers and registries do: ``ß`` and ``ς`` are letters
of their own. Python's own codec follows the rules of 2003, which send mail for ``faß.de`` to the owner of ``fass.de``.
"""

import contextlib
from urllib.parse import quote

import idna

# What may stand unquoted in the address of a mailto: reference.
_PLAIN_IN_ADDRESS = "@+-_.!$&'*=~"


def ascii_domain(domain: str) -> str:
    """Return a domain in lower case and ASCII (A-labels).

    :raises ValueError: when no domain can be written like this.
    """
    return domain.lower() if domain.isascii() else idna.encode(domain.lower(), uts46=True).decode("ascii")


def ascii_address(email: str) -> str:
    """Return an address with its domain in ASCII, for mail servers and calendars. The part before the @ stays as typed.

    :raises ValueError: when its domain cannot be written in ASCII.
    """
    local, at, domain = email.strip().rpartition("@")
    return f"{local}{at}{domain if domain.isascii() else ascii_domain(domain)}"


def mailto_url(email: str) -> str:
    """Return the reference to a mailbox, with its domain in ASCII: programs compare it with their accounts as it is."""
    with contextlib.suppress(ValueError):
        email = ascii_address(email)
    return f"mailto:{quote(email, safe=_PLAIN_IN_ADDRESS)}"


def normalised_email(email: str) -> str:
    """Return the form in which addresses are compared: without case and outer spaces, the domain in its ASCII form."""
    local, at, domain = email.strip().lower().rpartition("@")
    # What is no possible domain is compared as it was typed.
    with contextlib.suppress(ValueError):
        domain = ascii_domain(domain)
    return f"{local}{at}{domain}"


def same_mailbox(normalised: str) -> list[str]:
    """Return the forms, in lower case, in which people write a normalised address: its domain in ASCII and in letters.

    Empty for no address.
    """
    if not normalised:
        return []
    local, _, domain = normalised.rpartition("@")
    with contextlib.suppress(ValueError):
        domain = idna.decode(domain)
    return list(dict.fromkeys([normalised, f"{local}@{domain}".lower()]))
