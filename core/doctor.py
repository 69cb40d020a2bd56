"""Checks of data invariants for ``manage.py doctor``. Each app lists its own in a module that DOCTOR_CHECKS names.

A check reads and never repairs. It returns one line per violation, with ids and no personal data.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from core.models import OutboxMessage


@dataclass(frozen=True, slots=True)
class Check:
    """One invariant: its code (``I25``), its title, and the function that returns the violations as of an instant."""

    code: str
    title: str
    run: Callable[[datetime], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; no violations means that the invariant holds."""

    check: Check
    violations: tuple[str, ...]


def sql_check(
    sql: str, *, ago: Mapping[str, timedelta] | None = None, values: Mapping[str, Any] | None = None
) -> Callable[[datetime], list[str]]:
    """Return a check that runs one SQL statement; the first column of each row is a violation.

    Parameters of the statement: ``%(now)s``, ``now`` minus the duration for each name in ``ago``, and ``values``.
    """

    def run(now: datetime) -> list[str]:
        moments = {name: now - age for name, age in (ago or {}).items()}
        with connection.cursor() as cursor:
            cursor.execute(sql, {"now": now, **moments, **(values or {})})
            return [str(row[0]) for row in cursor.fetchall()]

    return run


# A claim lasts at most five minutes, and ``drain`` runs every few seconds and takes expired claims over.
CLAIM_LIMIT = timedelta(minutes=5, seconds=30)
OVERDUE_LIMIT = timedelta(minutes=10)
APP_ROLE = "openhours_app"


def checks() -> list[Check]:
    """Return the checks of all apps, in the order of DOCTOR_CHECKS."""
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


def rewritable_history(now: datetime) -> list[str]:
    """Append-only tables that the application's database role may change, if that role exists; also single columns that
    the settings do not list.
    """
    tables = settings.APPEND_ONLY_TABLES
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM unnest(%s::text[]) AS name, pg_roles"
            " WHERE rolname = %s AND has_table_privilege(rolname, quote_ident(name), 'UPDATE, DELETE, TRUNCATE')"
            " ORDER BY name",
            [list(tables), APP_ROLE],
        )
        rewritable = [table for (table,) in cursor.fetchall()]
        cursor.execute(
            "SELECT name, attname FROM unnest(%s::text[]) AS name"
            " JOIN pg_attribute ON attrelid = quote_ident(name)::regclass AND attnum > 0 AND NOT attisdropped, pg_roles"
            " WHERE rolname = %s AND has_column_privilege(rolname, attrelid, attname, 'UPDATE') ORDER BY name, attname",
            [[table for table in tables if table not in rewritable], APP_ROLE],
        )
        columns = [f"{table}.{column}" for table, column in cursor.fetchall() if column not in tables[table]]
    return [f"{APP_ROLE} may rewrite {each}; run manage.py grants" for each in [*rewritable, *columns]]


CHECKS = [
    Check("I10", "The application cannot rewrite history", rewritable_history),
    Check("I25", "No outbox message is claimed for more than five minutes", stuck_claims),
    Check("I25", "No outbox message is overdue by more than ten minutes", overdue_messages),
    Check("I25", "No outbox message gave up", dead_messages),
]
