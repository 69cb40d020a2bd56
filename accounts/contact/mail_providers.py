"""Domains of mail providers, and the domain that a mistyped one was likely meant to be. Pure.

A domain that a provider really has is never corrected, even if a more common one is one letter away: one tap on the
suggestion would send the confirmation to a stranger with the same name.
"""

from functools import lru_cache

import phonenumbers

# The most common providers, each with its most common domain first. A customer with an address one typing error away is
# asked once.
_PROVIDERS = {
    "gmail": ("gmail.com",),
    "googlemail": ("googlemail.com",),
    "hotmail": ("hotmail.com", "hotmail.de", "hotmail.co.uk", "hotmail.fr", "hotmail.es", "hotmail.it"),
    "outlook": ("outlook.com", "outlook.de", "outlook.es", "outlook.fr", "outlook.pt"),
    "live": ("live.com", "live.de", "live.co.uk", "live.fr"),
    "yahoo": ("yahoo.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr", "yahoo.es", "yahoo.it"),
    "icloud": ("icloud.com",),
    "proton": ("proton.me",),
    "protonmail": ("protonmail.com", "protonmail.ch"),
    "gmx": ("gmx.de", "gmx.net", "gmx.at", "gmx.ch", "gmx.com"),
    "web": ("web.de",),
    "t-online": ("t-online.de",),
    "freenet": ("freenet.de",),
    "posteo": ("posteo.de", "posteo.net"),
    "mailbox": ("mailbox.org",),
    "onet": ("onet.pl", "onet.eu"),
    "interia": ("interia.pl", "interia.eu"),
    "naver": ("naver.com",),
    "hanmail": ("hanmail.net",),
    "daum": ("daum.net",),
    "yandex": ("yandex.ru", "yandex.com"),
}
_PROVIDER_DOMAINS = frozenset(domain for domains in _PROVIDERS.values() for domain in domains)
# Real domains that are one letter away from a common one; they are never corrected.
_REAL = frozenset(
    {
        "aol.com",
        "email.com",
        "email.de",
        "gmail.co.uk",
        "hotmail.net",
        "mail.com",
        "mail.de",
        "mail.ru",
        "mailbox.com",
        "outlook.eu",
        "posteo.eu",
        "posteo.org",
        "proton.ch",
        "web.com",
        "yahoo.net",
        "ymail.com",
    }
)
# Providers with domains in many countries: outlook.it, yahoo.com.br, hotmail.co.jp.
_IN_MANY_COUNTRIES = frozenset({"gmx", "hotmail", "live", "msn", "outlook", "posteo", "yahoo", "yandex"})
# Country endings that are far more often a typing error of "com".
_RATHER_COM = frozenset({"co", "cm", "om"})
_COUNTRIES = frozenset({region.lower() for region in phonenumbers.SUPPORTED_REGIONS} | {"uk", "eu"}) - _RATHER_COM
_SLIPS_OF_ENDINGS = {
    "con": "com",
    "cmo": "com",
    "ocm": "com",
    "vom": "com",
    "comm": "com",
    "coom": "com",
    "ed": "de",
    "nte": "net",
}


def likely_ending(name: str) -> str | None:
    """Return the usual domain of a provider: ``gmail`` becomes ``gmail.com``. None for an unknown provider."""
    return _PROVIDERS[name][0] if name in _PROVIDERS else None


@lru_cache(maxsize=1024)
def likely_domain(domain: str) -> str | None:
    """Return the provider's domain one typing error away from ``domain`` (lower case); None if there is none."""
    if domain in _PROVIDER_DOMAINS or domain in _REAL or _is_of_a_country(domain):
        return None
    name, _, ending = domain.rpartition(".")
    mended = f"{name}.{_SLIPS_OF_ENDINGS.get(ending, ending)}"
    if mended != domain:
        return mended
    for known in sorted(_PROVIDER_DOMAINS):
        if len(known) >= len("gmail.com") and _is_one_slip(domain, known):
            return known
    return None


def _is_of_a_country(domain: str) -> bool:
    name, _, ending = domain.partition(".")
    return name in _IN_MANY_COUNTRIES and ending.removeprefix("co.").removeprefix("com.") in _COUNTRIES


def _is_one_slip(typed: str, meant: str) -> bool:
    """Return whether one letter was left out, added, replaced, or swapped with its neighbour."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    at = next((i for i, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b), min(len(typed), len(meant)))
    return (
        typed[at + 1 :] == meant[at + 1 :]
        or typed[at + 1 :] == meant[at:]
        or typed[at:] == meant[at + 1 :]
        or (typed[at : at + 2] == meant[at : at + 2][::-1] and typed[at + 2 :] == meant[at + 2 :])
    )
