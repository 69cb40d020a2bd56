"""The e-mail channel: builds a mail and hands it to a mail server, or to a provider's API by django-anymail.

No other module handles the errors of smtplib and django-anymail.
"""

import re
import smtplib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from email.header import Header
from email.message import Message
from email.utils import formataddr, parseaddr
from types import TracebackType
from typing import Any, Self

from anymail.exceptions import AnymailAPIError, AnymailInvalidAddress, AnymailRecipientsRefused
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection

from accounts.contact.mailboxes import ascii_address
from core.lines import one_line
from notifications.channels.outgoing import Outgoing, Receipt
from notifications.errors import PermanentFailure, TemporaryFailure

LONGEST_HEADER = 250
_ADDRESS = re.compile(r"[^\s<>\"']+@[^\s<>\"']+")
_LATER = {408, 425, 429}
_TOO_LARGE = 552
_OUR_ACCOUNT = {401, 402, 403}


class EmailChannel:
    """One connection for a batch, opened by the first mail and closed at the end of the ``with`` block.

    Each step of the conversation with the server has the time-out EMAIL_TIMEOUT.
    """

    def __init__(self) -> None:
        self._backend: Any = get_connection()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._backend.close()

    def found(self, message: Outgoing, is_ours: Callable[[str, str], bool]) -> Receipt | None:
        """Return None: a mail server cannot be asked.

        A repeat has the same Message-ID, by which mailboxes recognise it.
        """
        return None

    def send(self, message: Outgoing, now: datetime) -> Receipt:
        """Hand one mail over. A return means that the server has accepted it.

        :raises TemporaryFailure: try again later. Also raised when the server's answer is lost, so the outcome is
            unknown.
        :raises PermanentFailure: the server refuses this recipient or this mail for good.
        :raises SoftTimeLimitExceeded: when the time limit of the task is over.
        """
        mail = composed(message)
        try:
            self._backend.open()
            if not self._backend.send_messages([mail]):
                raise PermanentFailure("There is no address to send it to.")
        except (AnymailAPIError, AnymailRecipientsRefused, AnymailInvalidAddress) as error:
            raise _provider_failure(error) from None
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise self._refusal(code, words) from refused
        except smtplib.SMTPDataError as refused:
            raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
        except smtplib.SMTPSenderRefused as refused:
            if refused.smtp_code == _TOO_LARGE:  # the server blames the sender, but only this mail is too large
                raise self._refusal(refused.smtp_code, refused.smtp_error) from refused
            self._hang_up()
            raise TemporaryFailure(_reason(refused), stops_batch=True) from refused
        except smtplib.SMTPNotSupportedError as refused:
            raise PermanentFailure("The mail server does not take this kind of address.") from refused
        except SoftTimeLimitExceeded:
            self._hang_up()
            raise
        except OSError as error:
            # smtplib's errors are OSErrors too: no connection, connection lost, wrong password, sender refused.
            self._hang_up()
            raise TemporaryFailure(_reason(error), stops_batch=True) from error
        status = getattr(mail, "anymail_status", None)
        return Receipt(str(status.message_id or "") if status else "")

    def _refusal(self, code: int, words: bytes | str) -> TemporaryFailure | PermanentFailure:
        reason = _words(code, words)
        if 500 <= code < 600:
            return PermanentFailure(reason)
        is_closing = code == 421
        if is_closing:
            self._hang_up()
        return TemporaryFailure(reason, stops_batch=is_closing)

    def _hang_up(self) -> None:
        """Close the socket without QUIT: waiting for a dead server's answer would take the whole time-out."""
        for name in ("connection", "_partial_connection"):
            connection = getattr(self._backend, name, None)
            if connection is not None:
                with suppress(OSError):
                    connection.close()
                setattr(self._backend, name, None)


class _Mail(EmailMultiAlternatives):
    def message(self, **options: Any) -> Any:
        """Begin the subject on the line of the header's name.

        Django puts a long non-ASCII subject below an empty first line, which some spam filters read as a missing
        subject.
        """
        built = super().message(**options)
        if not str(self.subject).isascii():
            del built["Subject"]
            Message.__setitem__(built, "Subject", Header(str(self.subject), "utf-8", header_name="Subject"))
        return built


def composed(message: Outgoing) -> EmailMultiAlternatives:
    """Build the mail.

    The invite is attached twice: as an alternative of the text, which mail programs show as an appointment, and as a
    file for those that don't.

    :raises PermanentFailure: when an address has a domain that cannot be written in ASCII.
    """
    context = message.context
    mail = _Mail(
        subject=one_line(message.words.subject)[:LONGEST_HEADER],
        body=message.words.text,
        from_email=_sender(context.sender_name),
        to=[_deliverable(message.to)],
        reply_to=[_deliverable(context.reply_to)] if context.reply_to else None,
        headers=_headers(message),
    )
    if message.words.html:
        mail.attach_alternative(message.words.html, "text/html")
    if context.calendar:
        text = context.calendar.content.decode()
        mail.attach_alternative(text, f"text/calendar; method={context.calendar.method}")
        mail.attach(context.calendar.filename, context.calendar.content, "application/ics")
    return mail


def _headers(message: Outgoing) -> dict[str, str]:
    headers = {
        "Message-ID": message.message_id,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if message.language:
        headers["Content-Language"] = message.language
    if message.context.unsubscribe_url:
        # RFC 8058: mail programs show a button that sends a POST.
        headers["List-Unsubscribe"] = f"<{message.context.unsubscribe_url}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers


def _deliverable(address: str) -> str:
    """Write the domain in ASCII by IDNA2008, because Django would do it by IDNA2003."""
    try:
        return ascii_address(address)
    except ValueError:
        raise PermanentFailure("The address has a domain that does not exist.") from None


def _sender(name: str) -> str:
    own_name, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return formataddr((one_line(name)[:LONGEST_HEADER] or own_name, _deliverable(address)))


def _reason(error: OSError) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return _words(error.smtp_code, error.smtp_error)
    if isinstance(error, (TimeoutError, smtplib.SMTPServerDisconnected)):
        return "The mail server did not answer."
    return f"The mail server cannot be reached ({type(error).__name__})."


def _words(code: int, words: bytes | str) -> str:
    """Return the server's answer without the addresses in it."""
    text = words.decode(errors="replace") if isinstance(words, bytes) else str(words)
    return one_line(f"{code} {_ADDRESS.sub('…', text)}")[:LONGEST_HEADER]


def _provider_failure(error: Exception) -> TemporaryFailure | PermanentFailure:
    """Describe how a provider's API failed, without the provider's own text, which may repeat the address."""
    if not isinstance(error, AnymailAPIError):
        return PermanentFailure("The mail provider refuses this address.")
    status = error.status_code
    if status is None or status < 400:
        return TemporaryFailure("The mail provider cannot be reached.", stops_batch=True)
    if status in _OUR_ACCOUNT:
        return TemporaryFailure(f"The mail provider refuses our account ({status}).", stops_batch=True)
    if status in _LATER or status >= 500:
        return TemporaryFailure(f"The mail provider is busy ({status}).", stops_batch=True)
    return PermanentFailure(f"The mail provider refused it ({status}).")
