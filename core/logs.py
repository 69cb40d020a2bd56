"""Logging filters: mask tokens, keep each record on one line, and add the request id. Logs carry ids, never tokens."""

import logging
import re
import time
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")
REQUEST_ID = "openhours.request_id"
"""The key under which the front stores the request id in the WSGI environment."""

# Secrets recognised by their shape, anywhere in a text: 43 or more characters with letters of both cases (tokens of
# bookings and holds), or 64 hex digits (pseudonym and MAC of an unsubscribe link). The path in front is no help,
# because mail programs and users mangle addresses.
_TOKEN = re.compile(r"[0-9a-f]{64}|(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[\w-]{43,}", re.ASCII)
# Path parts that carry a secret: /h/<token>/ (hold), /b/<token>/ (manage link), /u/<token> (unsubscribe),
# /desk/invitation/<token>/.
_TOKEN_PATH = re.compile(r"(/(?:h|b|u|desk/invitation)/)[^/\s\"'?#]{8,}")
# Stripe adds this parameter to the address to which a paying customer returns.
_PROVIDER_SECRET = re.compile(r"(client_secret=)[^&\s\"'#]+")

# Staff mostly search for the name or address of a customer.
_SEARCHED = re.compile(r"([?&]q=)[^&\s\"'#]+")
# The same in an address inside an address: the page to go back to.
_SEARCHED_WITHIN = re.compile(r"((?:%3F|%26)q%3D)(?:(?!%26)[^&\s\"'#])+", re.IGNORECASE)
# Control characters and characters that end a line or change the text direction. A record is one line of plain text.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def masked(text: str) -> str:
    """Replace secrets with an ellipsis."""
    return _TOKEN.sub("…", _PROVIDER_SECRET.sub(r"\1…", _TOKEN_PATH.sub(r"\1…", text)))


def blanked(text: str) -> str:
    """Replace secrets in addresses with the same number of letters, for texts whose length counts."""
    return _TOKEN_PATH.sub(lambda found: found[1] + "x" * (len(found[0]) - len(found[1])), text)


def for_log(text: str) -> str:
    """Replace secrets and search terms with an ellipsis."""
    return _SEARCHED_WITHIN.sub(r"\1…", _SEARCHED.sub(r"\1…", masked(text)))


def one_line(text: str) -> str:
    """Escape control characters, so that client input can neither start a log line nor control a terminal."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


class MaskTokens(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        clean = one_line(for_log(message))
        if clean != message:
            record.msg, record.args = clean, None
        if record.exc_info and not record.exc_text:
            told = for_log(logging.Formatter().formatException(record.exc_info))
            # Indented, because an error may quote a line break that the client sent.
            record.exc_text = "\n".join(f"  {one_line(line)}" for line in told.split("\n"))
        return True


class AddRequestId(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = request_id.get()
        return True


class UtcFormatter(logging.Formatter):
    converter = staticmethod(time.gmtime)
