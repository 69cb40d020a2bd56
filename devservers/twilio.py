"""A stand-in for Twilio's Messages API that keeps what it is sent: for `make run` and for tests that want trouble.

    texts = twilio.start()
    texts.environment                              # what the application needs to be told
    texts.fail("+4915112345678", code=21614)       # refuse a number as Twilio would
    texts.set_mode("hang", times=1)                # take the next message and never say so
    texts.reply("+4915112345678", "STOP", to_url)  # a customer answers

It is as strict as Twilio's public documentation, and stricter: a parameter that Twilio does not know is refused.
"""

import itertools
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

import requests
from twilio.request_validator import RequestValidator

from devservers.ports import LOOPBACK, free_port

Mode = Literal["ok", "429", "500", "401", "hang", "drop"]
"""ok: as if nothing were. 429, 500, 401: refused with this status, nothing kept. hang: kept, and no answer ever comes.
drop: kept, and the connection breaks before the answer."""

Callbacks = Literal["delivered", "reversed", "twice", "off"]
"""Which reports follow an accepted message: sent and delivered; the same in the wrong order; each twice; none."""

STOP_WORDS = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
START_WORDS = {"START", "YES", "UNSTOP"}
CALLBACK_DELAY_SECONDS = 0.05
HANG_SECONDS = 60.0


@dataclass(frozen=True)
class Text:
    """One message as it was taken or received."""

    sid: str
    to: str
    sender: str
    body: str
    created_at: datetime
    status: str = "queued"
    error_code: int | None = None
    service_sid: str = ""
    content_sid: str = ""
    content_variables: str = ""
    status_callback: str = ""
    validity_seconds: int | None = None
    is_inbound: bool = False


@dataclass
class Twilio:
    """A running stand-in. Everything may be changed while it runs."""

    port: int
    account_sid: str
    auth_token: str
    sender: str = "+4915735987654"
    callbacks: Callbacks = "delivered"
    clock: Callable[[], datetime] = lambda: datetime.now(tz=UTC)
    refusals: list[str] = field(default_factory=list)
    _texts: list[Text] = field(default_factory=list)
    _codes: dict[str, int] = field(default_factory=dict)
    _late_codes: dict[str, int] = field(default_factory=dict)
    _stopped: set[str] = field(default_factory=set)
    _mode: Mode = "ok"
    _times: int | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    _stop: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Settings with which the application sends here."""
        return {
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_API_BASE": self.url,
            "TWILIO_SMS_FROM": self.sender,
            "TWILIO_WHATSAPP_FROM": self.sender,
            "SMS_COUNTRIES": "DE,AT,CH,PT,PL,ES,GB,KR,US",
        }

    def texts(self, to: str = "") -> list[Text]:
        """What was accepted, oldest first; `to` is a number, with `whatsapp:` in front for that channel."""
        with self._lock:
            return [text for text in self._texts if not text.is_inbound and (not to or text.to == to)]

    def everything(self) -> list[Text]:
        """What was accepted and what customers wrote, oldest first."""
        with self._lock:
            return list(self._texts)

    def set_mode(self, mode: Mode, *, times: int | None = None) -> None:
        """From now on treat every request to send like this, `times` times if given."""
        with self._lock:
            self._mode, self._times = mode, times

    def fail(self, number: str, *, code: int, later: bool = False) -> None:
        """Refuse messages to a number with one of Twilio's codes; `later`: take them, and report the failure then."""
        with self._lock:
            (self._late_codes if later else self._codes)[number] = code

    def recover(self) -> None:
        """Take everything again."""
        with self._lock:
            self._mode, self._times, self.callbacks = "ok", None, "delivered"
            self._codes.clear()
            self._late_codes.clear()
            self._stopped.clear()

    def clear(self) -> None:
        """Forget all messages."""
        with self._lock:
            self._texts.clear()
            self.refusals.clear()

    def wait_for(self, to: str = "", *, count: int = 1, timeout: float = 15) -> list[Text]:
        """Wait until this many messages were accepted.

        :raises TimeoutError: when they are not there in time.
        """
        deadline = time.monotonic() + timeout
        while len(self.texts(to)) < count:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.texts(to))} of {count} texts to {to or 'anybody'} came")
            time.sleep(0.05)
        return self.texts(to)

    def reply(self, sender: str, body: str, url: str, *, sid: str = "") -> requests.Response:
        """Let a customer write to us: tell the application at `url`, signed, and return its answer."""
        text = Text(sid or self.new_sid(), self.sender, sender, body, self.clock(), "received", is_inbound=True)
        word = body.strip().upper()
        with self._lock:
            self._texts.append(text)
            self._stopped |= {sender} if word in STOP_WORDS else set()
            self._stopped -= {sender} if word in START_WORDS else set()
        is_whatsapp = sender.startswith("whatsapp:")
        to = f"whatsapp:{self.sender}" if is_whatsapp else self.sender
        values = {"MessageSid": text.sid, "AccountSid": self.account_sid, "From": sender, "To": to, "Body": body}
        return self.post(url, {**values, "NumMedia": "0", "NumSegments": "1", "ApiVersion": "2010-04-01"})

    def post(self, url: str, values: dict[str, str]) -> requests.Response:
        """Call the application as Twilio does, with its signature over the address and the values."""
        signature = RequestValidator(self.auth_token).compute_signature(url, values)
        return requests.post(url, data=values, headers={"X-Twilio-Signature": signature}, timeout=10)

    def stop(self) -> None:
        self._stop()

    # --- what the HTTP side asks ---

    def new_sid(self) -> str:
        return f"SM{next(self._numbers):08x}{secrets.token_hex(12)}"

    def used_mode(self) -> Mode:
        """The mode of this request to send; counts it as used."""
        with self._lock:
            mode = self._mode
            if self._times is not None:
                self._times -= 1
                if self._times <= 0:
                    self._mode, self._times = "ok", None
            return mode

    def refusal_of(self, to: str) -> int | None:
        with self._lock:
            return 21610 if to in self._stopped else self._codes.get(to)

    def keep(self, text: Text) -> None:
        """Take a message, and report what becomes of it in a thread of its own."""
        with self._lock:
            self._texts.append(text)
        threading.Thread(target=self._report, args=(text,), daemon=True).start()

    def _report(self, text: Text) -> None:
        code = self._late_codes.get(text.to) or self._outside_window(text)
        steps = [("sent", None), ("undelivered", code)] if code else [("sent", None), ("delivered", None)]
        if self.callbacks == "reversed":
            steps.reverse()
        for status, error in steps:
            time.sleep(CALLBACK_DELAY_SECONDS)
            self._set_status(text.sid, status, error)
            for _ in range({"off": 0, "twice": 2}.get(self.callbacks, 1) if text.status_callback else 0):
                self._tell(text, status, error)

    def _outside_window(self, text: Text) -> int | None:
        """WhatsApp takes free text only within a day after the customer wrote."""
        if not text.to.startswith("whatsapp:") or text.content_sid:
            return None
        has_written = any(each.is_inbound and each.sender == text.to for each in self.everything())
        return None if has_written else 63016

    def _set_status(self, sid: str, status: str, code: int | None) -> None:
        with self._lock:
            self._texts = [
                replace(each, status=status, error_code=code) if each.sid == sid else each for each in self._texts
            ]

    def _tell(self, text: Text, status: str, code: int | None) -> None:
        values = {"MessageSid": text.sid, "MessageStatus": status, "To": text.to, "From": text.sender}
        values |= {"AccountSid": self.account_sid, "ApiVersion": "2010-04-01"}
        if code:
            values["ErrorCode"] = str(code)
        for _ in range(3):
            try:
                if self.post(text.status_callback, values).status_code < 500:
                    return
            except requests.RequestException:
                time.sleep(0.5)


def start(port: int | None = None, *, account_sid: str = "", auth_token: str = "") -> Twilio:
    """Start answering on a port (a free one if None), with an account of its own."""
    from devservers import twilio_http

    account_sid = account_sid or f"AC{secrets.token_hex(16)}"
    texts = Twilio(port or free_port(), account_sid, auth_token or secrets.token_hex(16))
    texts._stop = twilio_http.serve(texts)
    return texts
