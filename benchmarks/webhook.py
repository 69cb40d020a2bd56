"""How long a notice of the payment provider waits for its answer, against the least the same server can do.

    python -m benchmarks.webhook PORT SECRET COUNT

Notices that a worker handles, notices that a customer waits for, and ``/health/ready`` (one SELECT 1) are asked in turn
over kept connections; prints milliseconds as JSON.
"""

import hashlib
import hmac
import http.client
import json
import sys
import time
from datetime import UTC, datetime

# A customer waits for the second kind, so the web process handles it before it answers.
KINDS = {"stored": "payment_intent.created", "awaited": "payment_intent.succeeded"}


def main(port: int, secret: str, count: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    taken: dict[str, list[float]] = {kind: [] for kind in (*KINDS, "floors")}
    for number in range(count + 20):
        for kind, event_type in KINDS.items():
            body = _notice(event_type, number)
            headers = {"Content-Type": "application/json", "Stripe-Signature": _signed(body, secret)}
            taken[kind].append(_timed(connection, "POST", "/stripe/webhook", body, headers))
        taken["floors"].append(_timed(connection, "GET", "/health/ready", b"", {}))
    # The first ones warm the server up.
    print(json.dumps({kind: all_of[20:] for kind, all_of in taken.items()}))


def _notice(event_type: str, number: int) -> bytes:
    found = {"id": f"pi_bench_{number}", "object": "payment_intent", "status": "succeeded", "amount": 1600}
    event = {
        "id": f"evt_bench_{event_type}_{number}",
        "object": "event",
        "type": event_type,
        "created": int(datetime.now(tz=UTC).timestamp()),
        "livemode": False,
        "data": {"object": {**found, "metadata": {"payment": "nobody"}}},
    }
    return json.dumps(event).encode()


def _signed(body: bytes, secret: str) -> str:
    moment = int(datetime.now(tz=UTC).timestamp())
    proof = hmac.new(secret.encode(), f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={moment},v1={proof}"


def _timed(
    connection: http.client.HTTPConnection, method: str, path: str, body: bytes, headers: dict[str, str]
) -> float:
    begun = time.perf_counter()
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"{method} {path}: {answer.status}")
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
