"""When two e-mail addresses are the same mailbox. Pure."""

import contextlib


def normalised_email(email: str) -> str:
    """Return the form in which addresses are compared: without case and outer spaces, the domain in its ASCII form."""
    local, at, domain = email.strip().lower().rpartition("@")
    # What is no possible domain is compared as it was typed.
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("idna").decode("ascii")
    return f"{local}{at}{domain}"


def same_mailbox(normalised: str) -> list[str]:
    """Return the forms, in lower case, in which people write a normalised address: its domain in ASCII and in letters.

    Empty for no address.
    """
    if not normalised:
        return []
    local, _, domain = normalised.rpartition("@")
    with contextlib.suppress(UnicodeError):
        domain = domain.encode("ascii").decode("idna")
    return list(dict.fromkeys([normalised, f"{local}@{domain}".lower()]))
