"""Logs carry ids, never tokens: every record is masked before it is written, and numbered by request."""

import logging
import re
import time
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")

# Path parts that carry a secret: /h/<token>/ (hold), /b/<token>/ (manage link), /u/<token> (unsubscribe).
_TOKEN_PATH = re.compile(r"(/(?:h|b|u)/)[^/\s\"'?#]{8,}")
# What the payment provider hangs onto the address of whoever comes back from it.
_PROVIDER_SECRET = re.compile(r"(client_secret=)[^&\s\"'#]+")

# What people search for is mostly somebody's name or address.
_SEARCHED = re.compile(r"([?&]q=)[^&\s\"'#]+")


def masked(text: str) -> str:
    """Replace secrets in addresses with dots."""
    return _PROVIDER_SECRET.sub(r"\1…", _TOKEN_PATH.sub(r"\1…", text))


def blanked(text: str) -> str:
    """Replace secrets in addresses with as many letters, for texts that are measured."""
    return _TOKEN_PATH.sub(lambda found: found[1] + "x" * (len(found[0]) - len(found[1])), text)


def for_log(text: str) -> str:
    """Replace secrets, and what was searched for, in addresses with dots."""
    return _SEARCHED.sub(r"\1…", masked(text))


class MaskTokens(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = for_log(message)
        if clean != message:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            record.exc_text = for_log(logging.Formatter().formatException(record.exc_info))
        return True


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class UtcFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
