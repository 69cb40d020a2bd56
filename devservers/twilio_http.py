"""The HTTP side of the stand-in for Twilio: its API, and a page on which one can read the texts and answer them."""

import base64
import binascii
import json
import re
import threading
import time
from collections.abc import Callable
from email.utils import format_datetime
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, parse_qsl, urlsplit

from devservers.mailbox_pages import ASSETS, OWN_NAMES, PAGE_POLICY
from devservers.ports import LOOPBACK
from devservers.twilio import HANG_SECONDS, Text, Twilio

_KNOWN = {
    *("To", "From", "MessagingServiceSid", "Body", "ContentSid", "ContentVariables", "MediaUrl", "StatusCallback"),
    *("ValidityPeriod", "SmartEncoded", "ProvideFeedback", "MaxPrice", "SendAt", "ScheduleType", "ShortenUrls"),
}
_NUMBER = re.compile(r"(whatsapp:)?\+[1-9]\d{6,14}")
_LONGEST_BODY = 1600


class _Refused(Exception):
    def __init__(self, code: int, words: str, status: int = 400) -> None:
        super().__init__(words)
        self.code, self.status = code, status


def serve(texts: Twilio) -> Callable[[], None]:
    """Answer in a thread of its own; returns the function that stops it."""

    class Handler(_Api):
        twilio = texts

    server = ThreadingHTTPServer((LOOPBACK, texts.port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.05,), name="twilio", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _Api(BaseHTTPRequestHandler):
    twilio: Twilio
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == self._messages_path():
            self._answered(self._list, parts.query)
        elif re.sub(r":\d+$", "", self.headers.get("Host", "")) not in OWN_NAMES:
            self._send(HTTPStatus.MISDIRECTED_REQUEST, "Unknown host", "text/plain")
        elif parts.path == "/assets/mailbox.css":
            self._send(HTTPStatus.OK, (ASSETS / "mailbox.css").read_text(), "text/css")
        elif parts.path == "/":
            self._send(HTTPStatus.OK, _page(self.twilio.everything()[::-1]), "text/html")
        else:
            self._send(HTTPStatus.NOT_FOUND, "Not here", "text/plain")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length).decode()
        if urlsplit(self.path).path == self._messages_path():
            self._answered(self._create, body)
        else:
            self._send(HTTPStatus.NOT_FOUND, "Not here", "text/plain")

    def _messages_path(self) -> str:
        return f"/2010-04-01/Accounts/{self.twilio.account_sid}/Messages.json"

    def _answered(self, act: Callable[[str], dict[str, object] | None], given: str) -> None:
        try:
            self._check_account()
            answer = act(given)
        except _Refused as refused:
            self.twilio.refusals.append(f"{refused.code} {refused}")
            fields = {"code": refused.code, "message": str(refused), "status": refused.status, "more_info": ""}
            self._send(refused.status, json.dumps(fields), "application/json")
            return
        if answer is not None:
            self._send(HTTPStatus.CREATED if "sid" in answer else HTTPStatus.OK, json.dumps(answer), "application/json")

    def _check_account(self) -> None:
        wanted = f"{self.twilio.account_sid}:{self.twilio.auth_token}"
        kind, _, given = self.headers.get("Authorization", "").partition(" ")
        try:
            is_known = kind == "Basic" and base64.b64decode(given).decode() == wanted
        except (binascii.Error, UnicodeDecodeError):
            is_known = False
        if not is_known:
            raise _Refused(20003, "Authenticate", 401)

    def _create(self, body: str) -> dict[str, object] | None:
        mode = self.twilio.used_mode()
        if mode in {"429", "500", "401"}:
            raise _Refused({"429": 20429, "500": 20500, "401": 20003}[mode], "Not now", int(mode))
        text = self._read(dict(parse_qsl(body, keep_blank_values=True)))
        self.twilio.keep(text)
        if mode == "hang":
            time.sleep(HANG_SECONDS)
        if mode in {"hang", "drop"}:
            self.close_connection = True
            return None
        return self._as_json(text)

    def _read(self, values: dict[str, str]) -> Text:
        """Refuse what Twilio refuses, with its codes."""
        if unknown := values.keys() - _KNOWN:
            raise _Refused(20001, f"Unknown parameters {sorted(unknown)}")
        to, sender = values.get("To", ""), values.get("From", "")
        if not to:
            raise _Refused(21604, "A 'To' phone number is required.")
        if not _NUMBER.fullmatch(to):
            raise _Refused(21211, f"Invalid 'To' Phone Number: {to}")
        if not sender and not values.get("MessagingServiceSid"):
            raise _Refused(21603, "A 'From' or 'MessagingServiceSid' parameter is required.")
        if sender and to.startswith("whatsapp:") != sender.startswith("whatsapp:"):
            raise _Refused(63007, "'From' and 'To' must be of one channel.")
        if not values.get("Body") and not values.get("ContentSid"):
            raise _Refused(21619, "A text message body or media urls must be specified.")
        if len(values.get("Body", "")) > _LONGEST_BODY:
            raise _Refused(21617, "The concatenated message body exceeds the 1600 character limit.")
        if not urlsplit(values.get("StatusCallback", "http://unset")).hostname:
            raise _Refused(21609, "Invalid 'StatusCallback' URL")
        validity = values.get("ValidityPeriod")
        if validity is not None and not (validity.isdigit() and 1 <= int(validity) <= 36_000):
            raise _Refused(21623, "Invalid ValidityPeriod")
        if variables := values.get("ContentVariables"):
            filled = json.loads(variables)
            if not all(isinstance(value, str) and value for value in filled.values()):
                raise _Refused(21656, "The ContentVariables Parameter is invalid.")
        if code := self.twilio.refusal_of(to):
            raise _Refused(code, f"Refused to send to {to}")
        return Text(
            sid=self.twilio.new_sid(),
            to=to,
            sender=sender or self.twilio.sender,
            body=values.get("Body") or _of_template(values),
            created_at=self.twilio.clock(),
            service_sid=values.get("MessagingServiceSid", ""),
            content_sid=values.get("ContentSid", ""),
            content_variables=values.get("ContentVariables", ""),
            status_callback=values.get("StatusCallback", ""),
            validity_seconds=int(validity) if validity else None,
        )

    def _list(self, query: str) -> dict[str, object]:
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        found = [text for text in self.twilio.everything()[::-1] if text.to == asked.get("To", text.to)]
        size = int(asked.get("PageSize", 50))
        uri = self.path
        return {
            "messages": [self._as_json(text) for text in found[:size]],
            "page": 0,
            "page_size": size,
            "start": 0,
            "end": len(found[:size]),
            "uri": uri,
            "first_page_uri": uri,
            "next_page_uri": None,
            "previous_page_uri": None,
        }

    def _as_json(self, text: Text) -> dict[str, object]:
        is_out = text.status in {"sent", "delivered", "undelivered"}
        return {
            "sid": text.sid,
            "account_sid": self.twilio.account_sid,
            "api_version": "2010-04-01",
            "to": text.to,
            "from": text.sender,
            "body": text.body,
            "status": text.status,
            "direction": "inbound" if text.is_inbound else "outbound-api",
            "date_created": format_datetime(text.created_at),
            "date_updated": format_datetime(text.created_at),
            "date_sent": format_datetime(text.created_at) if is_out else None,
            "error_code": text.error_code,
            "error_message": None,
            "messaging_service_sid": text.service_sid or None,
            "num_media": "0",
            "num_segments": "1",
            "price": None,
            "price_unit": "USD",
            "subresource_uris": {},
            "uri": f"/2010-04-01/Accounts/{self.twilio.account_sid}/Messages/{text.sid}.json",
        }

    def _send(self, status: int, body: str, kind: str) -> None:
        content = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", PAGE_POLICY)
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the runner's terminal is for the application."""


def _of_template(values: dict[str, str]) -> str:
    """What the recipient would read: we do not know a template's words, so only what was filled in."""
    filled = json.loads(values.get("ContentVariables") or "{}")
    return f"[{values['ContentSid']}] " + " · ".join(str(value) for value in filled.values())


def _page(texts: list[Text]) -> str:
    rows = "".join(
        f'<li><p class="envelope">{"From" if text.is_inbound else "To"} '
        f"{escape(text.sender if text.is_inbound else text.to)} · {text.created_at:%Y-%m-%d %H:%M:%S} UTC · "
        f"{escape(text.status)}{f' ({text.error_code})' if text.error_code else ''}</p>"
        f"<pre>{escape(text.body)}</pre></li>"
        for text in texts
    )
    empty = '<p class="empty">No text yet. SMS and WhatsApp messages that the application sends appear here.</p>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Texts</title>'
        '<link rel="stylesheet" href="/assets/mailbox.css"></head>'
        f"<body><main><h1>Texts</h1>{f'<ol>{rows}</ol>' if texts else empty}</main></body></html>"
    )
