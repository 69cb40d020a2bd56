"""Cleans what a customer types: names, notes and visit addresses.

Pure: text in; clean text, or a ValidationError with a sentence for the customer, out. If the right value is likely
known, the error has it as ``params["suggestion"]``. Text is changed only as the docstrings here say.
"""

import re
import unicodedata

from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext

from accounts.contact.given_names import holds_web_address
from core.lines import breaks_line

NAME_LIMIT = 120
NOTE_LIMIT = 1000
ADDRESS_LIMIT = 300

# Invisible characters and those that change the direction of text. They can make a name read as another name, so they
# are removed everywhere. The joiners U+200C and U+200D stay: Persian, Indian scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)

# No language puts more accents on one letter. More would only overflow the lines around it.
_MARKS_ON_ONE_LETTER = 4


def clean_line(text: str, *, limit: int, label: str) -> str:
    """Return one line of text: NFC, single spaces, no invisible characters. ``label`` names the field in errors.

    :raises ValidationError: when it has control characters or line breaks, or more than ``limit`` characters.
    """
    text = text.strip()
    if any(breaks_line(character) for character in text):
        raise ValidationError(
            gettext("%(field)s has signs in it that cannot be shown, such as a line break. Please type it again.")
            % {"field": label},
            code="control_characters",
        )
    return _within(" ".join(visible_text(text).split()), limit, label)


def clean_name(text: str, *, label: str) -> str:
    """Return a person's name: one line of at most ``NAME_LIMIT`` characters without web or e-mail addresses.

    The name goes into mails to an address that its owner has not confirmed yet.

    :raises ValidationError: when it contains an address, or for the reasons of ``clean_line``.
    """
    name = clean_line(text, limit=NAME_LIMIT, label=label)
    _refuse_web_address(name, label)
    return name


def name_key(name: str) -> str:
    """Return the form in which names are compared: without case, accents, punctuation and order of words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = (each for each in plain if not unicodedata.combining(each))
    return " ".join(sorted("".join(each if each.isalnum() else " " for each in letters).split()))


def clean_visit_address(text: str, *, label: str) -> str:
    """Return the address of a visit: lines of at most ``ADDRESS_LIMIT`` characters in all, without web addresses.

    :raises ValidationError: when it contains a web address, or for the reasons of ``clean_paragraphs``.
    """
    address = clean_paragraphs(text, limit=ADDRESS_LIMIT, label=label)
    _refuse_web_address(address, label)
    return address


def clean_paragraphs(text: str, *, limit: int, label: str) -> str:
    """Return text of several lines. Line breaks become ``\\n``, and a tab becomes a space.

    :raises ValidationError: when it has other control characters, or more than ``limit`` characters.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    text = text.replace("\t", " ").strip()
    if any(breaks_line(character) for character in text.replace("\n", "")):
        raise ValidationError(
            gettext("%(field)s has signs in it that cannot be shown. Please type it again.") % {"field": label},
            code="control_characters",
        )
    return _within(visible_text(text), limit, label)


def _refuse_web_address(text: str, label: str) -> None:
    """Refuse text with a link, because a stranger could make the business mail it to other people."""
    if holds_web_address(text):
        raise ValidationError(
            gettext("%(field)s cannot hold a web or e-mail address. After a full stop, please leave a space.")
            % {"field": label},
            code="web_address",
        )


def visible_text(text: str) -> str:
    """Normalise to NFC, remove invisible and direction-changing characters, and cut runs of accents."""
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFC", _INVISIBLE.sub("", text)):
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks <= _MARKS_ON_ONE_LETTER:
            kept.append(character)
    return "".join(kept)


def _within(text: str, limit: int, label: str) -> str:
    if len(text) > limit:
        over = len(text) - limit
        raise ValidationError(
            ngettext(
                "%(field)s is %(over)s character too long; %(limit)s is the most we can keep.",
                "%(field)s is %(over)s characters too long; %(limit)s is the most we can keep.",
                over,
            )
            % {"field": label, "over": _number(over), "limit": _number(limit)},
            code="too_long",
        )
    return text


def _number(count: int) -> str:
    return str(number_format(count, force_grouping=True))
