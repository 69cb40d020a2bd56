"""The SMS and WhatsApp channels, by Twilio's Messages resource. No other module calls Twilio's API.

Twilio has no idempotency key for messages. Before a second try the channel therefore looks through the messages to that
number, and does not send again what Twilio already has.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

import requests
from django.conf import settings
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from notifications.channels.outgoing import LONGEST_TEXT, Outgoing, Receipt
from notifications.channels.twilio_errors import refusal
from notifications.errors import PermanentFailure, TemporaryFailure
from notifications.text_refusal import text_refusal

TIMEOUT_SECONDS = 10
TWILIO_API = "https://api.twilio.com"
LONGEST_VALIDITY_SECONDS = 14_400
SHORTEST_VALIDITY_SECONDS = 10
# Twilio lists the newest first. By default one number gets at most five texts a day (SMS_PER_NUMBER_PER_DAY).
LOOKED_THROUGH = 50
CLOCK_DIFFERENCE = timedelta(minutes=2)
_OUR_ACCOUNT = {401, 403}
_LATER = {408, 429, 503}


class _TwilioChannel:
    """One connection for a batch, with a time-out at each step."""

    def __init__(self) -> None:
        self._http = _Http(timeout=TIMEOUT_SECONDS)
        self._client = Client(settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN, http_client=self._http)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with suppress(OSError):
            self._http.close()

    def found(self, message: Outgoing, is_ours: Callable[[str, str], bool]) -> Receipt | None:
        """Look through the messages to this number since it was first possible to send this one.

        Candidates are not filtered by DateSent, because a message that still waits at Twilio has none.

        :raises TemporaryFailure: when Twilio does not answer.
        """
        listed = _asked(lambda: self._client.messages.list(to=self._recipient(message.to), limit=LOOKED_THROUGH))
        since = message.due_at - CLOCK_DIFFERENCE
        for each in listed:
            if each.date_created is None or each.date_created >= since:
                body = str(each.body or "")
                if self._is_this(message, body) or is_ours(str(each.sid), body):
                    return Receipt(str(each.sid))
        return None

    def send(self, message: Outgoing, now: datetime) -> Receipt:
        """Hand one text message over.

        :raises TemporaryFailure: 429, 5xx, no answer, or Twilio refuses the account.
        :raises PermanentFailure: Twilio will never accept this number or this text.
        """
        against = text_refusal(message.to, settings.SMS_COUNTRIES)
        if against:
            raise PermanentFailure(against)
        values = {"to": self._recipient(message.to), "status_callback": message.status_url, **self._content(message)}
        if message.expires_at is not None:
            values["validity_period"] = _validity_seconds(message.expires_at - now)
        created = _asked(lambda: self._client.messages.create(**values))
        return Receipt(str(created.sid))

    def _recipient(self, number: str) -> str:
        return number

    def _content(self, message: Outgoing) -> dict[str, Any]:
        raise NotImplementedError

    def _is_this(self, message: Outgoing, body: str) -> bool:
        """Return whether the text alone proves that it is this message."""
        return False


class SmsChannel(_TwilioChannel):
    def _content(self, message: Outgoing) -> dict[str, Any]:
        # Smart encoding would replace characters, and the text could not be recognised after a lost answer.
        content = {"body": message.words.text[:LONGEST_TEXT], "smart_encoded": False}
        if settings.TWILIO_MESSAGING_SERVICE_SID:
            return {**content, "messaging_service_sid": settings.TWILIO_MESSAGING_SERVICE_SID}
        return {**content, "from_": settings.TWILIO_SMS_FROM}


class WhatsappChannel(_TwilioChannel):
    """Free text within 24 hours after the customer's last message, otherwise a template that WhatsApp has approved."""

    def _recipient(self, number: str) -> str:
        return f"whatsapp:{number}"

    def _content(self, message: Outgoing) -> dict[str, Any]:
        sender = {"from_": f"whatsapp:{settings.TWILIO_WHATSAPP_FROM}"}
        if not message.template_sid:
            return {**sender, "body": message.words.text[:LONGEST_TEXT]}
        values = {str(number): value for number, value in enumerate(message.template_values, 1)}
        return {**sender, "content_sid": message.template_sid, "content_variables": json.dumps(values)}

    def _is_this(self, message: Outgoing, body: str) -> bool:
        """Of a template's text only the filled-in values are known.

        One of them is a link that belongs to one booking only.
        """
        values = [value for value in message.template_values if value]
        return bool(message.template_sid and values) and all(value in body for value in values)


class _Http(TwilioHttpClient):  # type: ignore[misc]
    """Twilio's own client; TWILIO_API_BASE can point it to another address."""

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if settings.TWILIO_API_BASE:
            url = url.replace(TWILIO_API, settings.TWILIO_API_BASE, 1)
        return super().request(method, url, *args, **kwargs)

    def close(self) -> None:
        if self.session is not None:
            self.session.close()


def _asked(call: Callable[[], Any]) -> Any:
    """Make one call and describe a failure in our own words, because Twilio's error texts repeat the number."""
    try:
        return call()
    except TwilioRestException as error:
        raise _failure(error) from None
    except requests.Timeout:
        raise TemporaryFailure("Twilio did not answer.", stops_batch=True) from None
    except (requests.RequestException, OSError) as error:
        raise TemporaryFailure(f"Twilio cannot be reached ({type(error).__name__}).", stops_batch=True) from None
    except TwilioException:
        raise TemporaryFailure("Twilio's answer could not be read.", stops_batch=True) from None


def _failure(error: TwilioRestException) -> TemporaryFailure | PermanentFailure:
    if error.status in _OUR_ACCOUNT and error.code not in {21610, 21408}:
        return TemporaryFailure(f"Twilio refuses our account ({error.code or error.status}).", stops_batch=True)
    if error.status in _LATER:
        return TemporaryFailure(f"Twilio is busy ({error.status}).", stops_batch=True)
    if error.status >= 500:
        return TemporaryFailure(f"Twilio has a problem ({error.status}).")
    return refusal(error.code)


def _validity_seconds(left: timedelta) -> int:
    return max(SHORTEST_VALIDITY_SECONDS, min(LONGEST_VALIDITY_SECONDS, int(left.total_seconds())))
