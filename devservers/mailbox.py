"""A mailbox that takes every mail, keeps it as a file, shows it in the browser and can fail on purpose.

The SMTP side and the pages run in threads of this process. Nothing is ever passed on to the outside.
"""

import asyncio
import email
import email.policy
import itertools
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from devservers.ports import LOOPBACK, free_port

Mode = Literal["ok", "421", "451", "550", "drop_early", "drop_before", "drop_after", "slow"]
"""How a recipient's mail is answered.

421, 451, 550: refused with this code, for now or for good; 421 closes the connection as well.
drop_early: the connection breaks while the mail is being sent; it is not kept.
drop_before: the mail is kept, but the connection breaks before the final 250: the sender cannot know.
drop_after: the mail is kept, 250 is said, then the connection breaks.
slow: answered after `slow_seconds`, or as soon as the mailbox recovers.
"""
SLOW_SECONDS = 3.0
REFUSALS = {
    "421": "421 4.3.2 Closing the connection, please try later",
    "451": "451 4.2.1 Try again later",
    "550": "550 5.1.1 No such mailbox",
}
ENVELOPE_FROM, ENVELOPE_TO = "X-Envelope-From", "X-Envelope-To"


@dataclass(frozen=True)
class Attachment:
    filename: str
    content_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Mail:
    """One kept mail. `recipients` are those of the envelope, so Bcc is among them."""

    id: str
    received_at: datetime
    recipients: tuple[str, ...]
    sender: str
    subject: str
    from_header: str
    to_header: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    attachments: tuple[Attachment, ...] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def links(self) -> list[str]:
        """Addresses in the plain text, in order; without one, those of the HTML part."""
        return re.findall(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]", self.text or self.html.replace("&amp;", "&"))


class Mailbox:
    """A started mailbox. All methods may be called from any thread."""

    def __init__(self, folder: Path, smtp_port: int, web_port: int | None) -> None:
        self.folder = folder
        self.smtp_port = smtp_port
        self.web_port = web_port
        self.slow_seconds = SLOW_SECONDS
        self.dawdling = 0
        """How many senders wait for a slow answer right now."""
        self._recoveries = 0
        self._modes: dict[str, tuple[Mode, int | None]] = {}
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._read: dict[str, Mail] = {}
        self._stops: list[Callable[[], None]] = []

    @property
    def email_url(self) -> str:
        """What EMAIL_URL has to be."""
        return f"smtp://{LOOPBACK}:{self.smtp_port}"

    @property
    def url(self) -> str:
        """The page that shows the mails."""
        return f"http://localhost:{self.web_port}/"

    def mails(self, to: str | None = None) -> list[Mail]:
        """Kept mails, oldest first; those of one recipient if `to` is given."""
        found = [self._mail(path) for path in sorted(self.folder.glob("*.eml"))]
        return [mail for mail in found if mail and (to is None or to.lower() in map(str.lower, mail.recipients))]

    def wait_for(self, to: str | None = None, *, subject: str = "", count: int = 1, timeout: float = 15) -> list[Mail]:
        """Wait until `count` mails to `to` whose subject contains `subject` are there, and return them.

        :raises TimeoutError: when they are not there in time; the message lists what is there.
        """
        deadline = time.monotonic() + timeout
        while True:
            found = [mail for mail in self.mails(to) if subject.lower() in mail.subject.lower()]
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                kept = [(mail.recipients, mail.subject) for mail in self.mails()]
                raise TimeoutError(f"{len(found)} of {count} mails to {to!r} with {subject!r} came; kept: {kept}")
            time.sleep(0.05)

    def fail(self, recipient: str, mode: Mode, *, times: int | None = None) -> None:
        """From now on answer mails to `recipient` ("*" is everybody) in this mode, `times` times if given."""
        with self._lock:
            self._modes[recipient.lower()] = (mode, times)

    def recover(self) -> None:
        """Take everything again, and what waits for an answer at once."""
        with self._lock:
            self._modes.clear()
            self._recoveries += 1
        self.slow_seconds = SLOW_SECONDS

    def clear(self) -> None:
        """Throw all mails away."""
        for path in self.folder.glob("*.eml"):
            path.unlink(missing_ok=True)

    def stop(self) -> None:
        for stop in self._stops:
            stop()
        self._stops.clear()

    def keep(self, sender: str, recipients: list[str], content: bytes) -> None:
        """Write one mail to the folder. Its name sorts by time of arrival."""
        envelope = f"{ENVELOPE_FROM}: {sender}\r\n{ENVELOPE_TO}: {', '.join(recipients)}\r\n".encode()
        name = f"{time.time_ns():020d}-{next(self._numbers):04d}.eml"
        partial = self.folder / f"{name}.partial"
        partial.write_bytes(envelope + content)
        partial.rename(self.folder / name)

    async def dawdle(self) -> None:
        """Wait as long as a slow server does."""
        before, ends = self._recoveries, time.monotonic() + self.slow_seconds
        self.dawdling += 1
        try:
            while self._recoveries == before and time.monotonic() < ends:
                await asyncio.sleep(0.02)
        finally:
            self.dawdling -= 1

    def mode_for(self, recipients: list[str]) -> Mode:
        """The mode of the first recipient that has one; counts it as used."""
        with self._lock:
            for recipient in [*map(str.lower, recipients), "*"]:
                mode, times = self._modes.get(recipient, ("ok", None))
                if mode == "ok":
                    continue
                if times is not None:
                    if times <= 1:
                        del self._modes[recipient]
                    else:
                        self._modes[recipient] = (mode, times - 1)
                return mode
        return "ok"

    def _mail(self, path: Path) -> Mail | None:
        if path.name not in self._read:
            try:
                self._read[path.name] = parse(path.stem, path.read_bytes())
            except FileNotFoundError:
                return None
        return self._read[path.name]


def start(folder: Path, *, smtp_port: int | None = None, web_port: int | None = None, web: bool = True) -> Mailbox:
    """Start taking mails on `smtp_port` and showing them on `web_port` (free ports if None)."""
    from devservers import mailbox_pages

    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    mailbox = Mailbox(folder, smtp_port or free_port(), (web_port or free_port()) if web else None)
    smtp = Controller(
        _Handler(mailbox), hostname=LOOPBACK, port=mailbox.smtp_port, enable_SMTPUTF8=True, ready_timeout=30
    )
    smtp.start()
    mailbox._stops.append(smtp.stop)
    if mailbox.web_port:
        mailbox._stops.append(mailbox_pages.serve(mailbox, mailbox.web_port))
    return mailbox


def parse(mail_id: str, raw: bytes) -> Mail:
    """Read a kept mail. A broken one is shown as far as it can be read."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    headers = tuple((name, str(value)) for name, value in message.items())
    own = {ENVELOPE_FROM, ENVELOPE_TO}
    return Mail(
        id=mail_id,
        received_at=datetime.fromtimestamp(int(mail_id.partition("-")[0]) / 1e9, tz=UTC),
        recipients=tuple(address.strip() for address in str(message[ENVELOPE_TO] or "").split(",") if address.strip()),
        sender=str(message[ENVELOPE_FROM] or ""),
        subject=str(message["Subject"] or ""),
        from_header=str(message["From"] or ""),
        to_header=str(message["To"] or ""),
        headers=tuple((name, value) for name, value in headers if name not in own),
        text=_body(message, "plain"),
        html=_body(message, "html"),
        attachments=tuple(_attachments(message)),
        # Without the two lines that `keep` put on top.
        raw=raw.split(b"\r\n", 2)[2],
    )


class _Handler:
    """What aiosmtpd asks for each command; it finds these methods by name."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        # The mode is chosen once per recipient, here, so that `times` counts attempts to deliver.
        mode = self._mailbox.mode_for([address])
        if mode in REFUSALS:
            if mode == "421":
                asyncio.get_running_loop().call_later(0.05, _break_connection, server)
            return REFUSALS[mode]
        if mode != "ok":
            chosen: dict[str, Any] = vars(session)
            chosen["failure_mode"] = mode
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mode: Mode = vars(session).pop("failure_mode", "ok")
        if mode == "slow":
            await self._mailbox.dawdle()
        if mode != "drop_early":
            content = envelope.original_content or b""
            self._mailbox.keep(envelope.mail_from or "", list(map(str, envelope.rcpt_tos)), content)
        if mode in {"drop_early", "drop_before"}:
            _break_connection(server)
        elif mode == "drop_after":
            asyncio.get_running_loop().call_later(0.05, _break_connection, server)
        return "250 Kept"


def _break_connection(server: SMTP) -> None:
    if server.transport is not None:
        server.transport.abort()  # type: ignore[attr-defined]


def _body(message: EmailMessage, kind: str) -> str:
    part = message.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, UnicodeError):
        return part.as_string()


def _attachments(message: EmailMessage) -> list[Attachment]:
    """Everything that is not the text or the HTML itself; a calendar part counts, wherever it sits."""
    bodies = {id(message.get_body(preferencelist=(kind,))) for kind in ("plain", "html")}
    found = []
    for part in message.walk():
        if part.is_multipart() or id(part) in bodies:
            continue
        content = part.get_payload(decode=True)
        name = part.get_filename() or ("invite.ics" if part.get_content_type() == "text/calendar" else "attachment")
        found.append(Attachment(name, part.get_content_type(), content if isinstance(content, bytes) else b""))
    return found
