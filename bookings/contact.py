"""What a guest types about himself, made safe and exact: names, notes, e-mail addresses, phone numbers.

Pure: text in, clean text out, or a ValidationError whose sentence the guest reads beside the field. Where the
likely right value is known it travels as ``params["suggestion"]``. Nothing is changed behind the guest's back
except by the rules named here.
"""

import re
import unicodedata

import idna
import phonenumbers
from babel.core import get_global
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.formats import number_format
from django.utils.translation import gettext, ngettext
from phonenumbers import PhoneNumberType

from accounts.emails import ascii_address
from accounts.phones import dialled_number
from bookings.mail_providers import likely_domain, likely_ending
from bookings.names import holds_web_address
from core.lines import breaks_line

NAME_LIMIT = 120
NOTE_LIMIT = 1000
ADDRESS_LIMIT = 300
EMAIL_LIMIT = 254
_LOCAL_LIMIT = 64
PHONE_LIMIT = 40

# Signs that turn the direction of text or cannot be seen at all. They can make a name read as another one, so they are
# taken out wherever they stand. The joiners U+200C and U+200D stay: Persian, Indian scripts and emoji need them.
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]"
)
# More accents than any language puts on one letter only serve to overflow the lines around.
_MARKS_ON_ONE_LETTER = 4

_UNREACHABLE = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
    PhoneNumberType.VOICEMAIL,
}
_NON_GEOGRAPHICAL = "001"  # what phonenumbers calls satellite networks and the like


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
    return _within(" ".join(_visible(text).split()), limit, label)


def clean_name(text: str, *, label: str) -> str:
    """Return the name of a person, one line of at most ``NAME_LIMIT`` characters without web or e-mail addresses.

    It goes into mails to an address whose owner has not acted on a mail yet.

    :raises ValidationError: when it holds an address, or for the reasons of ``clean_line``.
    """
    name = clean_line(text, limit=NAME_LIMIT, label=label)
    _refuse_web_address(name, label)
    return name


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
    return _within(_visible(text), limit, label)


def clean_email(text: str) -> str:
    """Return one deliverable-looking address as it was typed, spaces around it and a pasted ``mailto:`` or ``<…>``
    aside.

    Refused: anything without a domain that has an ending, quoted or non-ASCII names before the @, numeric hosts,
    more than one address, more than 254 characters. International domains are accepted.

    :raises ValidationError: with a suggestion where the right address can be guessed.
    """
    address = text.strip()
    if any(breaks_line(character) for character in address):
        raise ValidationError(
            gettext("The address has a line break or another hidden sign in it. Please type it again."),
            code="control_characters",
        )
    address = re.sub(r"^mailto:", "", _visible(address).strip(), flags=re.IGNORECASE)
    if pasted := re.fullmatch(r"[^<>]*<([^<>]+)>", address):
        address = pasted[1]
    _refuse_bad_shape(address)
    local, _, domain = address.rpartition("@")
    if "." not in domain:
        raise _unfinished_domain(local, domain)
    _refuse_bad_letters(address, local)
    # Wide letters and capitals of other scripts would be a second way to write the same mailbox.
    return address if domain.isascii() else f"{local}@{idna.uts46_remap(domain)}"


def email_suggestion(address: str) -> str | None:
    """Return what a clean address was likely meant to be when its domain is one slip away from a common one, else
    None.
    """
    local, _, domain = address.rpartition("@")
    likely = likely_domain(domain.lower())
    return f"{local}@{likely}" if likely else None


def clean_phone(text: str, *, region: str | None) -> str:
    """Return a number in E.164 form; without a country code it is read as one of ``region`` (ISO 3166, e.g. ``DE``).

    :raises ValidationError: when nobody can be reached under it for an ordinary price: too short, letters, an
        extension, premium, shared-cost or satellite numbers.
    """
    typed = _visible(text).strip()
    if any(breaks_line(character) or character.isalpha() for character in typed) or ";" in typed or "#" in typed:
        raise ValidationError(
            gettext("Please give the number in digits only, without an extension, such as %(example)s.")
            % {"example": _example(region)},
            code="phone_letters",
        )
    try:
        number = _parsed_number(typed[: PHONE_LIMIT * 2], region)
    except phonenumbers.NumberParseException:
        raise _unknown_number(typed, region) from None
    if not phonenumbers.is_valid_number(number):
        raise _unknown_number(typed, region)
    is_special = phonenumbers.region_code_for_number(number) == _NON_GEOGRAPHICAL
    if is_special or phonenumbers.number_type(number) in _UNREACHABLE:
        raise ValidationError(
            gettext("We cannot call this kind of number. Please give an ordinary mobile or landline number."),
            code="phone_kind",
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_text(number: str) -> str:
    """Write a stored number for people: ``+4915155501827`` becomes ``+49 1515 5501827``; what is no number stays as
    it is.
    """
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def phone_region(*numbers: str, time_zone: str) -> str | None:
    """Say in which country numbers without a country code are: that of the first of our own ``numbers`` which tells,
    else of the zone.
    """
    for number in numbers:
        try:
            region = phonenumbers.region_code_for_number(phonenumbers.parse(number, None))
        except phonenumbers.NumberParseException:
            continue
        if region and region != _NON_GEOGRAPHICAL:
            return region
    territory = get_global("zone_territories").get(time_zone)
    return territory if territory in phonenumbers.SUPPORTED_REGIONS else None


def _refuse_web_address(text: str, label: str) -> None:
    """Refuse text with which a stranger could have links mailed to others under our name."""
    if holds_web_address(text):
        raise ValidationError(
            gettext("%(field)s cannot hold a web or e-mail address. After a full stop, please leave a space.")
            % {"field": label},
            code="web_address",
        )


def _visible(text: str) -> str:
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


def _refuse_bad_shape(address: str) -> None:
    if len(address) > EMAIL_LIMIT:
        raise ValidationError(
            gettext("This address is longer than any mailbox can be. Please check it."), code="email_too_long"
        )
    if "@@" in address:
        mended = re.sub("@+", "@", address)
        raise ValidationError(
            gettext("There is an @ too many in this address."),
            code="email_signs",
            params={"suggestion": mended} if _is_email(mended) else None,
        )
    if address.count("@") > 1 or re.search(r"[,;]", address):
        raise ValidationError(
            gettext("Please give one address only; the confirmation goes there."), code="email_several"
        )
    if re.search(r"\s", address):
        joined = re.sub(r"\s+", "", address)
        raise ValidationError(
            gettext("An e-mail address has no spaces in it."),
            code="email_spaces",
            params={"suggestion": joined} if _is_email(joined) else None,
        )
    local, at, domain = address.rpartition("@")
    if not at or not local or not domain:
        raise ValidationError(
            gettext("An e-mail address has a name, an @ and an ending, such as jana@example.com."), code="email_shape"
        )


def _unfinished_domain(local: str, domain: str) -> ValidationError:
    likely = likely_ending(domain.lower())
    return ValidationError(
        gettext("The end of the address is missing, so the confirmation would not reach you."),
        code="email_unfinished",
        params={"suggestion": f"{local}@{likely}"} if likely else None,
    )


def _refuse_bad_letters(address: str, local: str) -> None:
    if not local.isascii():
        raise ValidationError(
            gettext("Many mail systems cannot deliver to letters such as ä before the @. Please give another address."),
            code="email_letters",
        )
    if not _is_email(address):
        trimmed = address.strip(".,;:!?<>()[]'\"")
        can_help = trimmed != address and _is_email(trimmed)
        raise ValidationError(
            gettext("This does not look like an e-mail address, so the confirmation would not reach you."),
            code="email_shape",
            params={"suggestion": trimmed} if can_help else None,
        )


def _is_email(address: str) -> bool:
    if "[" in address or '"' in address or len(address.partition("@")[0]) > _LOCAL_LIMIT:
        return False
    try:
        validate_email(ascii_address(address))
    except (ValueError, ValidationError):
        return False
    return len(address) <= EMAIL_LIMIT


def _parsed_number(typed: str, region: str | None) -> phonenumbers.PhoneNumber:
    """Read a number; what WhatsApp shows in an older form is read as the number of today.

    :raises phonenumbers.NumberParseException: when it is none.
    """
    number = phonenumbers.parse(typed, region)
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    today = dialled_number(written)
    return number if today == written else phonenumbers.parse(today, None)


def _example(region: str | None) -> str:
    number = phonenumbers.example_number_for_type(region or "DE", PhoneNumberType.MOBILE)
    return (
        phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
        if number
        else "+49 1512 3456789"
    )


def _unknown_number(typed: str, region: str | None) -> ValidationError:
    if typed.startswith("+"):
        sentence = gettext("There is no such number. Please check the digits after the country code.")
    else:
        sentence = gettext(
            "There is no such number. Please check the digits, or start with the country code, such as %(example)s."
        )
        sentence = sentence % {"example": _example(region)}
    return ValidationError(sentence, code="phone_unknown")
