"""How fast two workers get rid of thousands of reminders that are due at once, and how many statements each costs.

    python -m benchmarks.messages fill <count>   writes that many reminders of coming bookings, due now
    python -m benchmarks.messages drain          sends until nothing is due; answers with counts as JSON

``measure`` starts two drains at once against a mail server that takes everything.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
WORKERS = 2

_REMINDERS = """
INSERT INTO notifications_notification (kind, subject_ref, version, recipient_role, recipient_ref, channel, address,
    phone, language, purpose, can_wait, key, details, status, not_before, next_try_at, expires_at, attempts,
    lost_claims, sms_parts, message_id, text_hash, provider_ref, subject, body, error, created_at)
SELECT 'reminder', 'booking:' || id, ical_sequence, 'customer', '', 'email', 'guest' || id || '@example.com', '', 'en',
    'service', true, 'booking:' || id || ':reminder', '{"offset_minutes": 1440}', 'queued', now(), now(), starts_at, 0,
    0, 0, '', '', '', '', '', '', now()
FROM bookings_booking WHERE status = 'confirmed' AND starts_at > now() + interval '1 day' ORDER BY starts_at LIMIT %s
"""


def measure(env: dict[str, str], mails: Callable[[], list[Any]], count: int) -> dict[str, float]:
    """Fill and drain; ``mails`` returns what the mail server took. Messages per second are those of both workers."""
    _run(env, "fill", str(count))
    begun = time.perf_counter()
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.messages", "drain"], env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        for _ in range(WORKERS)
    ]
    done = [json.loads(worker.communicate(timeout=600)[0]) for worker in workers]
    seconds = time.perf_counter() - begun - max(each["starting"] for each in done)
    sent, statements = sum(each["sent"] for each in done), sum(each["statements"] for each in done)
    names = [dict(mail.headers)["Message-ID"] for mail in mails()]
    return {
        "messages_sent": sent,
        "messages_per_s": round(sent / seconds, 1),
        "queries_per_message": round(statements / sent, 2),
        "messages_least_of_a_worker": min(each["sent"] for each in done),
        "messages_sent_twice": len(names) - len(set(names)) + abs(len(names) - sent),
    }


def _run(env: dict[str, str], *arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.messages", *arguments]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def main() -> None:
    begun = time.perf_counter()
    import django

    django.setup()
    if sys.argv[1] == "fill":
        fill(int(sys.argv[2]))
    else:
        print(json.dumps(_drain(begun)))


def fill(count: int) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_REMINDERS, [count])
        if cursor.rowcount != count:
            raise SystemExit(f"only {cursor.rowcount} bookings are ahead, {count} reminders were asked for")
        cursor.execute("ANALYZE notifications_notification")


def _drain(begun: float) -> dict[str, float]:
    from django.db import connection

    from core import clock
    from notifications.operations import send_due

    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    sent = 0
    starting = time.perf_counter() - begun
    with connection.execute_wrapper(count):
        while accepted := send_due(now=clock.now(), limit=100_000):
            sent += accepted
    return {"sent": sent, "statements": statements, "starting": starting}


if __name__ == "__main__":
    main()
