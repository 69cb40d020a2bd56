"""Cleans a typed e-mail address and suggests a correction. Pure."""

import re

import idna
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext

from accounts.contact.mail_providers import likely_domain, likely_ending
from accounts.contact.mailboxes import ascii_address
from accounts.contact.names import visible_text
from core.lines import breaks_line

EMAIL_LIMIT = 254
_LOCAL_LIMIT = 64


def clean_email(text: str) -> str:
    """Return one plausible address as typed, without outer spaces and without a pasted ``mailto:`` or ``<…>``.

    Refused are addresses whose domain has no ending, quoted or non-ASCII names before the @, numeric hosts, more than
    one address, and more than 254 characters. International domains are accepted.

    :raises ValidationError: with a suggestion if the right address can be guessed.
    """
    address = text.strip()
    if any(breaks_line(character) for character in address):
        raise ValidationError(
            gettext("The address has a line break or another hidden sign in it. Please type it again."),
            code="control_characters",
        )
    address = re.sub(r"^mailto:", "", visible_text(address).strip(), flags=re.IGNORECASE)
    if pasted := re.fullmatch(r"[^<>]*<([^<>]+)>", address):
        address = pasted[1]
    _refuse_bad_shape(address)
    local, _, domain = address.rpartition("@")
    if "." not in domain:
        raise _unfinished_domain(local, domain)
    _refuse_bad_letters(address, local)
    # Full-width letters and non-ASCII capitals would be a second way to write the same mailbox.
    return address if domain.isascii() else f"{local}@{idna.uts46_remap(domain)}"


def email_suggestion(address: str) -> str | None:
    """Return the likely correction of a clean address; None if there is none.

    There is one if the domain is one typing error away from a common one.
    """
    local, _, domain = address.rpartition("@")
    likely = likely_domain(domain.lower())
    return f"{local}@{likely}" if likely else None


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
