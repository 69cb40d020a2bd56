"""The pages of the mailbox: a list, one page per mail, attachments to download, and JSON for programs.

Mails are foreign content, so the HTML part is shown in a sandboxed frame without scripts, and every page but that
one forbids everything that is not ours. Only names of this machine are answered, so that no web site can read the
mails through the visitor's browser.
"""

import json
import re
import threading
from collections.abc import Callable
from html import escape
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from devservers.ports import LOOPBACK

if TYPE_CHECKING:
    from devservers.mailbox import Mail, Mailbox

ASSETS = Path(__file__).with_name("mailbox_assets")
OWN_NAMES = {"localhost", "127.0.0.1", "[::1]"}
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; frame-src 'self'; base-uri 'none'"
)
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data: cid:"
)


def serve(mailbox: "Mailbox", port: int) -> Callable[[], None]:
    """Answer on the port in a thread of its own; returns the function that stops it."""

    class Handler(_Pages):
        mails = mailbox

    server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, name="mailbox pages", daemon=True).start()

    def stop() -> None:
        server.shutdown()
        server.server_close()

    return stop


class _Pages(BaseHTTPRequestHandler):
    mails: "Mailbox"
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        host = re.sub(r":\d+$", "", self.headers.get("Host", ""))
        if host not in OWN_NAMES:
            self._send("Unknown host", status=HTTPStatus.MISDIRECTED_REQUEST)
            return
        match urlsplit(self.path).path.strip("/").split("/"):
            case [""]:
                self._send(_list_page(self.mails.mails()[::-1]))
            case ["mails.json"]:
                listing = [_as_json(mail) for mail in self.mails.mails()[::-1]]
                self._send(json.dumps(listing, indent=1), "application/json")
            case ["assets", ("mailbox.css" | "mailbox.js") as name]:
                kind = "text/css" if name.endswith("css") else "text/javascript"
                self._send((ASSETS / name).read_text(), kind)
            case ["mail", mail_id, *rest]:
                mail = next((mail for mail in self.mails.mails() if mail.id == mail_id), None)
                self._send_mail(mail, rest)
            case _:
                self._not_found()

    do_HEAD = do_GET  # noqa: N815

    def _send_mail(self, mail: "Mail | None", rest: list[str]) -> None:
        match rest:
            case _ if mail is None:
                self._not_found()
            case []:
                self._send(_mail_page(mail))
            case ["html"]:
                # Links of the mail open in a new tab, not inside the frame.
                self._send(f'<base target="_blank">{mail.html}', policy=MAIL_POLICY)
            case ["raw"]:
                self._send(mail.raw, "text/plain")
            case ["attachment", number] if number.isdecimal() and int(number) < len(mail.attachments):
                attachment = mail.attachments[int(number)]
                self._send(attachment.content, attachment.content_type, filename=attachment.filename)
            case _:
                self._not_found()

    def _not_found(self) -> None:
        page = _page("Not here", '<p class="empty">This mail is not here any more. <a href="/">All mails</a></p>')
        self._send(page, status=HTTPStatus.NOT_FOUND)

    def _send(
        self,
        body: str | bytes,
        kind: str = "text/html",
        *,
        status: HTTPStatus = HTTPStatus.OK,
        policy: str = PAGE_POLICY,
        filename: str = "",
    ) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind if filename else f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cache-Control", "no-store")
        if filename:
            self.send_header("Content-Disposition", f"attachment; filename*=UTF-8''{quote(filename)}")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the runner's terminal is for the application."""


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title>"
        '<link rel="stylesheet" href="/assets/mailbox.css"><script src="/assets/mailbox.js" defer></script>'
        f"</head><body>{content}</body></html>"
    )


def _list_page(mails: "list[Mail]") -> str:
    rows = "".join(
        f'<li><a href="/mail/{mail.id}"><span class="subject">{escape(mail.subject) or "(no subject)"}</span>'
        f'<span class="to">{escape(", ".join(mail.recipients))}</span>{_time(mail)}</a></li>'
        for mail in mails
    )
    empty = '<p class="empty">No mail yet. Mails that the application sends appear here by themselves.</p>'
    content = f"<ol>{rows}</ol>" if mails else empty
    return _page("Mailbox", f'<main data-count="{len(mails)}"><h1>Mailbox</h1>{content}</main>')


def _mail_page(mail: "Mail") -> str:
    attachments = "".join(
        f'<a class="attachment" href="/mail/{mail.id}/attachment/{number}">{escape(attachment.filename)}'
        f" <small>{escape(attachment.content_type)}, {len(attachment.content):,} bytes</small></a>"
        for number, attachment in enumerate(mail.attachments)
    )
    headers = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in mail.headers)
    html = (
        f'<h2>HTML</h2><iframe src="/mail/{mail.id}/html" title="HTML part of this mail" '
        'sandbox="allow-popups allow-popups-to-escape-sandbox"></iframe>'
        if mail.html
        else ""
    )
    text = f"<h2>Text</h2><pre>{_with_links(mail.text)}</pre>" if mail.text else ""
    return _page(
        mail.subject or "Mail",
        f'<main><p><a href="/">All mails</a></p><h1>{escape(mail.subject) or "(no subject)"}</h1>'
        f'<p class="envelope">From {escape(mail.from_header)}<br>To {escape(", ".join(mail.recipients))}<br>'
        f"{_time(mail)}</p><p>{attachments}</p>{html}{text}"
        f"<details><summary>Headers</summary><dl>{headers}</dl></details>"
        f'<p><a href="/mail/{mail.id}/raw">Source</a></p></main>',
    )


def _time(mail: "Mail") -> str:
    at = mail.received_at
    return f'<time datetime="{at.isoformat()}">{at:%Y-%m-%d %H:%M:%S} UTC</time>'


def _with_links(text: str) -> str:
    pieces = re.split(r"(https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]])", text)
    return "".join(
        f'<a href="{escape(piece)}" target="_blank" rel="noreferrer">{escape(piece)}</a>' if at % 2 else escape(piece)
        for at, piece in enumerate(pieces)
    )


def _as_json(mail: "Mail") -> dict[str, object]:
    return {
        "id": mail.id,
        "received_at": mail.received_at.isoformat(),
        "sender": mail.sender,
        "recipients": mail.recipients,
        "subject": mail.subject,
        "from": mail.from_header,
        "to": mail.to_header,
        "text": mail.text,
        "html": mail.html,
        "links": mail.links,
        "attachments": [
            {"filename": attachment.filename, "content_type": attachment.content_type, "size": len(attachment.content)}
            for attachment in mail.attachments
        ],
    }
