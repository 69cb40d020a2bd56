"""Twilio's error codes in words that staff can act on. Pure. The codes are listed at twilio.com/docs/api/errors."""

from notifications.enums import SuppressionReason
from notifications.errors import PermanentFailure

_NO_SMS = "This phone number cannot receive SMS."
_NO_NUMBER = "This phone number does not exist."

_WORDS: dict[int, str] = {
    21211: _NO_NUMBER,
    21214: _NO_NUMBER,
    21217: _NO_NUMBER,
    21408: "Texts to this country are not switched on at Twilio.",
    21608: "A trial account at Twilio may only text numbers that were verified there.",
    21610: "The person answered STOP.",
    21612: "Twilio has no way to this number.",
    21614: _NO_SMS,
    21617: "The text is too long.",
    21635: _NO_SMS,
    30003: "The phone was off or out of reach.",
    30004: "The phone does not take our texts.",
    30005: _NO_NUMBER,
    30006: _NO_SMS,
    30007: "The phone's network took the text for spam.",
    63003: "This number has no WhatsApp.",
    63016: "WhatsApp needs an approved template for this message.",
    63024: "This number has no WhatsApp.",
}
_SUPPRESSED = {
    21211: SuppressionReason.UNREACHABLE,
    21217: SuppressionReason.UNREACHABLE,
    21610: SuppressionReason.STOP,
    21614: SuppressionReason.UNREACHABLE,
    21635: SuppressionReason.UNREACHABLE,
    30005: SuppressionReason.UNREACHABLE,
    30006: SuppressionReason.UNREACHABLE,
}


def refusal(code: int | None) -> PermanentFailure:
    """Return the failure that a code means, with the suppression of the number where the code calls for one."""
    words = _WORDS.get(code or 0, "Twilio refused the message.")
    return PermanentFailure(f"{words} ({code})" if code else words, suppression=_SUPPRESSED.get(code or 0))
