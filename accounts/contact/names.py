"""What a guest types about himself, made safe and exact: names, notes, e-mail addresses, phone numbers.

Pure: text in, clean text out, or a ValidationError whose sentence the guest reads beside the field. Where the
likely right value is known it travels as ``params["suggestion"]``. Nothing is changed behind the guest's back
except by the rules named here.
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

# Signs that turn the direction of text or cannot be seen at all. They can make a name read as another one, so they are
# taken out wherever they stand. The joiners U+200C and U+200D stay: Persian, Indian scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)

# More accents than any language puts on one letter only serve to overflow the lines around.
_MARKS_ON_ONE_LETTER = 4


def clean_line(text: str, *, limit: int, label: str) -> str:
    """Return one line of text: NFC, single spaces, nothing invisible. ``label`` names the field in sentences.

    :raises ValidationError: when it holds control characters or line breaks, or is longer than ``limit`` characters.
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
    """Return the name of a person, one line of at most ``NAME_LIMIT`` characters without web or e-mail addresses.

    It goes into mails to an address whose owner has not acted on a mail yet.

    :raises ValidationError: when it holds an address, or for the reasons of ``clean_line``.
    """
    name = clean_line(text, limit=NAME_LIMIT, label=label)
    _refuse_web_address(name, label)
    return name


def name_key(name: str) -> str:
    """Return the form in which names of people are compared: without case, accents, punctuation and order of words."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    letters = (each for each in plain if not unicodedata.combining(each))
    return " ".join(sorted("".join(each if each.isalnum() else " " for each in letters).split()))


def clean_visit_address(text: str, *, label: str) -> str:
    """Return where to come, some lines of at most ``ADDRESS_LIMIT`` characters; as with names, no web addresses.

    :raises ValidationError: when it holds one, or for the reasons of ``clean_paragraphs``.
    """
    address = clean_paragraphs(text, limit=ADDRESS_LIMIT, label=label)
    _refuse_web_address(address, label)
    return address


def clean_paragraphs(text: str, *, limit: int, label: str) -> str:
    """Return text of several lines; line breaks become ``\\n`` and tabs a space.

    :raises ValidationError: when it holds other control characters, or is longer than ``limit`` characters.
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
    """Refuse text with which a stranger could have links mailed to others under our name."""
    if holds_web_address(text):
        raise ValidationError(
            gettext("%(field)s cannot hold a web or e-mail address. After a full stop, please leave a space.")
            % {"field": label},
            code="web_address",
        )


def visible_text(text: str) -> str:
    """Normalise to NFC, take invisible and direction-turning signs out, and cut floods of accents."""
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
