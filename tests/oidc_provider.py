"""A small provider of OpenID Connect: it answers over HTTP what a test gives it, and checks who asks."""

import base64
import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import jwt

CLIENT_ID, SECRET = "openhours", "a secret of the provider that is long enough"


@dataclass
class Provider:
    """``claims`` are those of the next token. ``challenge`` is what the browser brought along (PKCE)."""

    issuer: str = ""
    challenge: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    def configuration(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer} | {name: f"{self.issuer}/{path}" for name, path in names.items()}

    def token(self, form: dict[str, str]) -> dict[str, Any] | None:
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        is_right = (form.get("client_id"), form.get("client_secret"), form.get("code")) == (
            CLIENT_ID,
            SECRET,
            "right",
        ) and base64.urlsafe_b64encode(verifier).decode().rstrip("=") == self.challenge
        if not is_right:
            self.refused.append(json.dumps(form))
            return None
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "17", "exp": time.time() + 60, "iat": time.time()}
        token = jwt.encode(usual | self.claims, SECRET, algorithm="HS256")
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@contextmanager
def running() -> Iterator[Provider]:
    provider = Provider()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            is_known = self.path.endswith("/.well-known/openid-configuration")
            self._say(provider.configuration() if is_known else None)

        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self._say(provider.token({name: values[0] for name, values in sent.items()}))

        def _say(self, answer: dict[str, Any] | None) -> None:
            body = json.dumps(answer or {"error": "invalid_grant"}).encode()
            self.send_response(200 if answer else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        yield provider
        server.shutdown()
