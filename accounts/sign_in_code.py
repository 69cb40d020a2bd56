"""Codes of six digits that prove a mailbox. Sending one is the work of ``bookings.operations.customer_sign_in``.

A code is bound to the browser that asked for it, so the tries of a stranger never use up those of the customer.
"""

import hmac
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256

from django.conf import settings
from django.db import transaction
from django.utils.crypto import constant_time_compare

from accounts.models import SignInCode
from core.references import new_token, token_hash

LIFETIME = timedelta(minutes=10)
TRIES = 5
DIGITS = 6


class CodeAnswer(Enum):
    RIGHT = auto()
    WRONG = auto()
    OVER = auto()  # too old, used, replaced by a newer one, or typed wrong too often


def new_code(*, replaced: str, now: datetime) -> tuple[SignInCode, str]:
    """Store a code and return it with the new secret of the browser, which asked with the secret ``replaced`` before.

    The earlier code of this browser does not count any more.
    """
    token = new_token()
    SignInCode.objects.filter(token_hash=token_hash(replaced)).delete()
    code = SignInCode.objects.create(
        token_hash=token_hash(token), seed=new_token(), created_at=now, expires_at=now + LIFETIME
    )
    return code, token


def digits_of(code: SignInCode) -> str:
    """Return what the customer types. It follows from the seed and LINK_KEY, so that the database does not have it."""
    value = hmac.new(settings.LINK_KEY.encode(), f"sign-in-code:{code.seed}".encode(), sha256).digest()
    return str(int.from_bytes(value, "big") % 10**DIGITS).zfill(DIGITS)


@transaction.atomic
def check_code(token: str, typed: str, *, now: datetime) -> CodeAnswer:
    """Check the code of the browser with this secret. A right one never counts again. Locks the code's row."""
    code = SignInCode.objects.select_for_update().filter(token_hash=token_hash(token)).first()
    if code is None or code.expires_at <= now or code.wrong_count >= TRIES:
        return CodeAnswer.OVER
    if constant_time_compare(digits_of(code), "".join(sign for sign in typed if sign.isdecimal())):
        code.delete()
        return CodeAnswer.RIGHT
    code.wrong_count += 1
    code.save(update_fields=["wrong_count"])
    return CodeAnswer.WRONG if code.wrong_count < TRIES else CodeAnswer.OVER
