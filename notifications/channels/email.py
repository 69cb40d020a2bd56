"""E-mail: builds the message and hands it to the mail server. The only file that knows SMTP's errors."""

import re
import smtplib
import unicodedata
from contextlib import suppress
from dataclasses import dataclass
from email.utils import formataddr, parseaddr
from types import TracebackType
from typing import Any, Self

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from notifications.errors import PermanentFailure, TemporaryFailure
from notifications.requests import CalendarPart

LONGEST_HEADER = 250
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to one person. ``message_id`` stays the same when it is sent again."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    sender_name: str = ""
    reply_to: str = ""
    language: str = ""
    calendar: CalendarPart | None = None


class EmailChannel:
    """One connection for a batch, opened by the first mail and closed at the end of the ``with`` block.

    Every step of the conversation has the time-out EMAIL_TIMEOUT.
    """

    def __init__(self) -> None:
        self._backend: Any = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._backend.close()

    def send(self, mail: Mail) -> None:
        """Hand one mail over. Returning means that the server has accepted it.

        :raises TemporaryFailure: try again later; also when the server's answer was lost and nobody can know.
        :raises PermanentFailure: this recipient or this mail is refused for good.
        """
        message = composed(mail)
        try:
            self._backend.open()
            self._backend.send_messages([message])
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise self._refusal(code, words) from refused
        except smtplib.SMTPDataError as refused:
            raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPNotSupportedError as refused:
            raise PermanentFailure("The mail server does not take this kind of address.") from refused
        except OSError as error:
            # smtplib's own errors are OSErrors too: no connection, connection lost, wrong password, sender refused.
            self._hang_up()
            raise TemporaryFailure(_reason(error), stops_batch=True) from error

    def _refusal(self, code: int, words: bytes | str) -> TemporaryFailure | PermanentFailure:
        reason = _words(code, words)
        if 500 <= code < 600:
            return PermanentFailure(reason)
        is_closing = code == 421
        if is_closing:
            self._hang_up()
        return TemporaryFailure(reason, stops_batch=is_closing)

    def _hang_up(self) -> None:
        """Drop the connection without a farewell, which a dead server would make us wait for."""
        for name in ("connection", "_partial_connection"):
            connection = getattr(self._backend, name, None)
            if connection is not None:
                with suppress(OSError):
                    connection.close()
                setattr(self._backend, name, None)


def composed(mail: Mail) -> EmailMultiAlternatives:
    """Build the message.

    The invite is there twice: as an alternative of the text, where mail programs find the appointment and offer their
    own card for it, and as an attached file for those that don't.
    """
    message = EmailMultiAlternatives(
        subject=one_line(mail.subject),
        body=mail.text,
        from_email=_sender(mail.sender_name),
        to=[mail.to],
        reply_to=[mail.reply_to] if mail.reply_to else None,
        headers={
            "Message-ID": mail.message_id,
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
            **({"Content-Language": mail.language} if mail.language else {}),
        },
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    if mail.calendar:
        text = mail.calendar.content.decode()
        message.attach_alternative(text, f"text/calendar; method={mail.calendar.method}")
        message.attach(mail.calendar.filename, mail.calendar.content, "application/ics")
    return message


def one_line(text: str) -> str:
    """Make text safe for a header: no control or invisible formatting characters, no line breaks, bounded length."""
    kept = "".join(" " if unicodedata.category(character).startswith("C") else character for character in text)
    return " ".join(kept.split())[:LONGEST_HEADER]


def _sender(name: str) -> str:
    own_name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((one_line(name) or own_name, address))


def _reason(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    if isinstance(error, (TimeoutError, smtplib.SMTPServerDisconnected)):
        return "The mail server did not answer."
    return f"The mail server cannot be reached ({type(error).__name__})."


def _words(code: int, words: bytes | str) -> str:
    """The server's answer without the addresses in it."""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return one_line(f"{code} {_ADDRESS.sub('…', text)}")
