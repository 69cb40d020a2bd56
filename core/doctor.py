"""Checks of what must always be true of the data. Each app lists its own in a doctor.py named in DOCTOR_CHECKS.

A check reads and never repairs. It returns one line per violation, with ids and no personal data; no line means
healthy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.module_loading import import_string

from core.models import OutboxMessage


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: its code (``I25``), a title, and what looks for violations as of ``now``."""

    code: str
    title: str
    run: Callable[[datetime], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found."""

    check: Check
    violations: tuple[str, ...]


# A message is claimed for at most five minutes; the drain that takes it back runs every few seconds.
CLAIM_LIMIT = timedelta(minutes=5, seconds=30)
OVERDUE_LIMIT = timedelta(minutes=10)


def checks() -> list[Check]:
    """All checks of all apps, in the order of the settings."""
    return [check for path in settings.DOCTOR_CHECKS for check in import_string(path)]


def examine(*, now: datetime) -> list[Finding]:
    """Run every check as of ``now``."""
    return [Finding(check, tuple(check.run(now))) for check in checks()]


def stuck_claims(now: datetime) -> list[str]:
    rows = OutboxMessage.objects.filter(status=OutboxMessage.Status.CLAIMED, claimed_at__lt=now - CLAIM_LIMIT)
    return [f"outbox message {row.pk} ({row}) is claimed since {row.claimed_at:%Y-%m-%d %H:%M:%S}" for row in rows]


def overdue_messages(now: datetime) -> list[str]:
    rows = OutboxMessage.objects.filter(status=OutboxMessage.Status.PENDING, due_at__lt=now - OVERDUE_LIMIT)
    return [f"outbox message {row.pk} ({row}) is due since {row.due_at:%Y-%m-%d %H:%M:%S}" for row in rows]


def dead_messages(now: datetime) -> list[str]:
    rows = OutboxMessage.objects.filter(status=OutboxMessage.Status.DEAD)
    return [f"outbox message {row.pk} ({row}) gave up after {row.attempts} tries: {row.error[:80]}" for row in rows]


CHECKS = [
    Check("I25", "No outbox message is claimed for more than five minutes", stuck_claims),
    Check("I25", "No outbox message is overdue by more than ten minutes", overdue_messages),
    Check("I25", "No outbox message gave up", dead_messages),
]
