"""Computes the length of a text message and its number of parts (3GPP TS 23.038, 23.040). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
# Units in a single message, and in each part of a longer one, whose header takes some room.
_SEPTETS, _SEPTETS_OF_PART = 160, 153
_UNITS, _UNITS_OF_PART = 70, 67


@dataclass(frozen=True, slots=True)
class SmsLength:
    """``units`` of ``room`` are used.

    ``odd`` are the characters that force 16-bit encoding, with less than half the room.
    """

    units: int
    parts: int
    room: int
    odd: tuple[str, ...] = ()


def sms_length(text: str) -> SmsLength:
    """Measure a text as phones and providers count it. An empty text has no part."""
    odd = tuple(dict.fromkeys(each for each in text if each not in _BASIC and each not in _EXTENDED))
    if odd:
        sizes = [2 if ord(each) > 0xFFFF else 1 for each in text]
        return _measured(sizes, _UNITS, _UNITS_OF_PART, odd)
    return _measured([2 if each in _EXTENDED else 1 for each in text], _SEPTETS, _SEPTETS_OF_PART, ())


def _measured(sizes: list[int], single: int, of_part: int, odd: tuple[str, ...]) -> SmsLength:
    units = sum(sizes)
    if units <= single:
        return SmsLength(units, 1 if units else 0, single, odd)
    parts = _parts(sizes, of_part)
    return SmsLength(units, parts, parts * of_part, odd)


def _parts(sizes: Iterable[int], room: int) -> int:
    """Count the parts. A character of two units is never split."""
    parts, used = 1, 0
    for size in sizes:
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts
