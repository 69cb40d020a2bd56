"""Logs carry ids, never tokens: each record is masked, kept to one line and numbered by request."""

import logging
import re
import time
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
REQUEST_ID = "openhours.request_id"
"""Where the front puts the number into a request's environment."""

# A secret by its shape, wherever it stands: 43 letters or more of both cases (the link of a booking, a hold), or 64 of
# a pseudonym and its MAC (the end of news). Mail programs and people mangle addresses, so what stands before it says
# nothing.
_TOKEN = re.compile(r"[0-9a-f]{64}|(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{43,}", re.ASCII)
# Path parts that carry a secret: /h/<token>/ (hold), /b/<token>/ (manage link), /u/<token> (unsubscribe).
_TOKEN_PATH = re.compile(r"(/(?:h|b|u)/)[^/\s\"'?#]{8,}")
# What the payment provider hangs onto the address of whoever comes back from it.
_PROVIDER_SECRET = re.compile(r"(client_secret=)[^&\s\"'#]+")

# What people search for is mostly somebody's name or address.
_SEARCHED = re.compile(r"([?&]q=)[^&\s\"'#]+")
# Control characters, and those that end a line or turn the direction of reading: a log line is one line of plain text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def masked(text: str) -> str:
    """Replace secrets with dots."""
    return _TOKEN.sub("…", _PROVIDER_SECRET.sub(r"\1…", _TOKEN_PATH.sub(r"\1…", text)))


def blanked(text: str) -> str:
    """Replace secrets in addresses with as many letters, for texts that are measured."""
    return _TOKEN_PATH.sub(lambda found: found[1] + "x" * (len(found[0]) - len(found[1])), text)


def for_log(text: str) -> str:
    """Replace secrets, and what was searched for, in addresses with dots."""
    return _SEARCHED.sub(r"\1…", masked(text))


def one_line(text: str) -> str:
    """Write control characters as escapes: what a client sends can neither begin a line nor steer a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class MaskTokens(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = one_line(for_log(message))
        if clean != message:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            told = for_log(logging.Formatter().formatException(record.exc_info))
            # Indented, because an error may quote a line break of the client's.
            record.exc_text = "\n".join(f"  {one_line(line)}" for line in told.split("\n"))
        return True


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class UtcFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
