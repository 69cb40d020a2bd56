"""Checks that a request comes from Twilio."""

from collections.abc import Mapping

from django.conf import settings
from twilio.request_validator import RequestValidator


def is_signed(path: str, posted: Mapping[str, str], signature: str) -> bool:
    """Check the signature over the public URL that Twilio called, with its query, and over the posted fields.

    Returns False when this site has no Twilio account.
    """
    if not settings.TWILIO_AUTH_TOKEN:
        return False
    validator = RequestValidator(settings.TWILIO_AUTH_TOKEN)
    return bool(validator.validate(f"{settings.SITE_URL}{path}", posted, signature))
