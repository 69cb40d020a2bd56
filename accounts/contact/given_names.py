"""Reads a written name: the form of address, and whether it contains a web address. Pure."""

import re
import unicodedata
from collections.abc import Sequence

import phonenumbers

# Titles before a name, compared without case and without the last full stop.
_TITLES = frozenset(
    {
        "dame",
        "dipl",
        "dipl-ing",
        "dott",
        "dott.ssa",
        "dottoressa",
        "dr",
        "dr.med",
        "dra",
        "frau",
        "fräulein",
        "fr",
        "herr",
        "herrn",
        "hr",
        "ing",
        "lady",
        "lord",
        "mag",
        "madame",
        "miss",
        "mister",
        "mlle",
        "mme",
        "monsieur",
        "mr",
        "mrs",
        "ms",
        "mx",
        "pan",
        "pani",
        "phd",
        "prof",
        "prof.dr",
        "professor",
        "rev",
        "señor",
        "señora",
        "señorita",
        "sig",
        "signor",
        "signora",
        "sir",
        "sr",
        "sra",
        "srta",
        "г-жа",
        "г-н",
        "д-р",
    }
)
# Korean, Chinese and Japanese letters, and the letters that only Vietnamese has.
_FAMILY_NAME_FIRST = re.compile(
    "[\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u01a0\u01a1\u01af\u01b0\u1ea0-\u1ef9]"
)

_LINK = re.compile(r"://|\bwww\.|[\w-]\.[^\W\d_]{2,}[/?#]|\S@\S")
_DOMAIN = re.compile(r"(?<![\w.-])(?:[\w-]+\.)*(?P<name>[\w-]+)\.(?P<ending>xn--[a-z0-9-]+|[^\W\d_]{2,})(?![\w-])")
_COMMON_ENDINGS = frozenset(
    {
        "app",
        "biz",
        "blog",
        "click",
        "cloud",
        "club",
        "com",
        "dev",
        "email",
        "example",
        "fun",
        "info",
        "io",
        "link",
        "live",
        "me",
        "mobi",
        "name",
        "net",
        "news",
        "online",
        "org",
        "page",
        "pro",
        "shop",
        "site",
        "space",
        "store",
        "tech",
        "tel",
        "top",
        "vip",
        "website",
        "win",
        "work",
        "world",
        "xyz",
    }
)
_COUNTRY_ENDINGS = frozenset({region.lower() for region in phonenumbers.SUPPORTED_REGIONS} | {"uk", "eu"})


def first_name(name: str) -> str:
    """Return how to address a person: the first name if the written name shows which one that is, else the whole name.

    Titles are dropped. The whole name is returned for a single name after a title ("Frau Müller"), for initials and
    abbreviations, for a family name before a comma, and for scripts and languages that put the family name first.
    """
    words = name.split()
    given = words[_titles_before(words) :]
    if len(given) < 2 or given[0].endswith((".", ",")) or _FAMILY_NAME_FIRST.search(name):
        return " ".join(words)
    return given[0]


def holds_web_address(text: str) -> bool:
    """Return whether mail programs would turn a part of the text into a link.

    Web and e-mail addresses and bare domains become links. A title or an initial without a space after its full stop
    ("Dr.Li", "J.de Vries") does not count as a domain.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\u3002", ".").casefold()
    return bool(_LINK.search(plain)) or any(_is_domain(match) for match in _DOMAIN.finditer(plain))


def _titles_before(words: Sequence[str]) -> int:
    """Count the titles at the beginning of a name."""
    return next((at for at, word in enumerate(words) if word.casefold().rstrip(".,") not in _TITLES), len(words))


def _is_domain(match: re.Match[str]) -> bool:
    name, ending = match["name"], match["ending"]
    if ending in _COMMON_ENDINGS or ending.startswith("xn--"):
        return True
    return len(name) > 1 and name not in _TITLES and ending in _COUNTRY_ENDINGS
